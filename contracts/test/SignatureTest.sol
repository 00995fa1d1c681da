// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

/// @dev Whether a signature is taken, asked of every function that looks at one.
abstract contract SignatureTest is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;

    /// @dev In every function that looks at a signature, over a voucher of 100.
    function assertTaken(bytes32 id, bytes memory signature) internal {
        (bytes[4] memory calls,) = everyCall(id, signature);
        for (uint256 i; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(receiver);
            (bool done,) = address(escrow).call(calls[i]);
            assertTrue(done);
            assertEq(settled(id), 100);
            vm.revertToState(snapshot);
        }
    }

    function assertRefused(bytes32 id, bytes memory signature) internal {
        (bytes[4] memory calls, bytes memory batch) = everyCall(id, signature);
        for (uint256 i; i < 4; ++i) {
            if (keccak256(calls[i]) == keccak256(batch)) {
                vm.expectEmit(address(escrow));
                emit SettlementSkipped(id, InvalidSignature.selector);
            }
            vm.prank(receiver);
            (bool done, bytes memory reason) = address(escrow).call(calls[i]);
            if (!done) assertEq(bytes4(reason), InvalidSignature.selector);
            assertEq(settled(id), 0);
            assertFalse(escrow.getChannel(id).finalized);
        }
    }

    function everyCall(bytes32 id, bytes memory signature)
        private
        view
        returns (bytes[4] memory calls, bytes memory batch)
    {
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](1);
        rows[0] = IChannelEscrow.Settlement(id, 100, signature);
        batch = abi.encodeCall(IChannelEscrow.settleMany, (address(token), rows));
        calls[0] = abi.encodeCall(IChannelEscrow.settle, (id, 100, signature));
        calls[1] = batch;
        calls[2] = abi.encodeWithSignature("close(bytes32,uint128,bytes)", id, uint128(100), signature);
        calls[3] =
            abi.encodeWithSignature("close(bytes32,uint128,uint128,bytes)", id, uint128(100), uint128(100), signature);
    }
}
