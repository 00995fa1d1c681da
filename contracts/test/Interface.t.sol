// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IFundedByTransfer} from "../src/interfaces/IFundedByTransfer.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";

/// @dev Names that others rely on: selectors of the draft and of the token standards, topics of Tempo's stream channel.
contract InterfaceTest is EscrowTest {
    function test_TheMandatoryCoreOfTheDraft() public view {
        string memory json = vm.readFile("test/vectors/payment.json");
        assertVector(json, "open(address,address,uint128,bytes32,address)", IChannelEscrow.open.selector);
        assertVector(json, "settle(bytes32,uint128,bytes)", IChannelEscrow.settle.selector);
        assertVector(json, "topUp(bytes32,uint128)", IChannelEscrow.topUp.selector);
        assertVector(json, "withdraw(bytes32)", IChannelEscrow.withdraw.selector);
        assertVector(json, "getChannel(bytes32)", IChannelEscrow.getChannel.selector);
        assertVector(
            json, "computeChannelId(address,address,address,bytes32,address)", IChannelEscrow.computeChannelId.selector
        );
        assertVector(json, "CLOSE_GRACE_PERIOD()", IChannelEscrow.CLOSE_GRACE_PERIOD.selector);
        // Solidity cannot name one of two overloads.
        assertVector(json, "close(bytes32,uint128,bytes)", 0x0d65c51d);
        assertVector(json, "requestClose(bytes32)", 0x6bf5fe6f);
    }

    function test_TheRelayedProfileOfTheDraft() public view {
        string memory json = vm.readFile("test/vectors/payment.json");
        assertVector(
            json,
            "openWithAuthorization(address,address,uint128,bytes32,address,address,uint256,uint256,bytes32,bytes)",
            IRelayed.openWithAuthorization.selector
        );
        assertVector(
            json,
            "topUpWithAuthorization(bytes32,uint128,address,bytes32,uint256,uint256,bytes32,bytes)",
            IRelayed.topUpWithAuthorization.selector
        );
        assertVector(
            json,
            "openWithPermit2(address,address,uint128,bytes32,address,address,uint256,uint256,bytes)",
            IRelayed.openWithPermit2.selector
        );
        assertVector(
            json, "topUpWithPermit2(bytes32,uint128,address,uint256,uint256,bytes)", IRelayed.topUpWithPermit2.selector
        );
        assertVector(
            json,
            "settleWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)",
            IRelayed.settleWithAuthorization.selector
        );
        assertVector(
            json,
            "closeWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)",
            IRelayed.closeWithAuthorization.selector
        );
    }

    /// @dev EIP-170.
    function test_FitsIntoAContract() public view {
        assertLe(address(escrow).code.length, 24_576);
    }

    function test_TheHooksOfTheTokenStandards() public pure {
        assertEq(IFundedByTransfer.tokenReceived.selector, bytes4(0x8943ec02));
        assertEq(IFundedByTransfer.tokenFallback.selector, bytes4(0xc0ee0b8a));
        assertEq(IFundedByTransfer.onTransferReceived.selector, bytes4(0x88a7ca5c));
        assertEq(IFundedByTransfer.onTokenTransfer.selector, bytes4(0xa4c0ed36));
    }

    function test_BothFormsOfCloseAndRequestClose() public {
        bytes4[4] memory overloads = [
            bytes4(keccak256("close(bytes32,uint128,bytes)")),
            bytes4(keccak256("close(bytes32,uint128,uint128,bytes)")),
            bytes4(keccak256("requestClose(bytes32)")),
            bytes4(keccak256("requestClose(bytes32,uint128)"))
        ];
        for (uint256 i; i < overloads.length; ++i) {
            (bool done, bytes memory reason) =
                address(escrow).call(abi.encodePacked(overloads[i], abi.encode(0, 0, 96, 0, 0)));
            assertFalse(done);
            assertEq(bytes4(reason), ChannelNotFound.selector, "the call did not get that far");
        }
    }

    function test_TheTopicsOfTempo() public pure {
        assertEq(
            ChannelOpened.selector, keccak256("ChannelOpened(bytes32,address,address,address,address,bytes32,uint256)")
        );
        assertEq(TopUp.selector, keccak256("TopUp(bytes32,address,address,uint256,uint256)"));
        assertEq(Settled.selector, keccak256("Settled(bytes32,address,address,uint256,uint256,uint256)"));
        assertEq(CloseRequested.selector, keccak256("CloseRequested(bytes32,address,address,uint256)"));
        assertEq(CloseRequestCancelled.selector, keccak256("CloseRequestCancelled(bytes32,address,address)"));
        assertEq(ChannelClosed.selector, keccak256("ChannelClosed(bytes32,address,address,uint256,uint256)"));
        assertEq(ChannelExpired.selector, keccak256("ChannelExpired(bytes32,address,address)"));
        assertEq(SettlementSkipped.selector, keccak256("SettlementSkipped(bytes32,bytes4)"));
    }

    function test_TakesNoEther() public {
        vm.deal(address(this), 1);
        (bool done,) = address(escrow).call{value: 1}("");
        assertFalse(done);
    }

    function assertVector(string memory json, string memory signature, bytes4 selector) private pure {
        assertEq(bytes4(keccak256(bytes(signature))), selector);
        assertEq(bytes4(vm.parseJsonBytes(json, string.concat(".selectors['", signature, "']"))), selector);
    }
}
