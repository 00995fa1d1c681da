// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

/// @dev A batch in the making.
abstract contract BatchTest is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;
    IChannelEscrow.Settlement[] internal rows;

    function add(bytes32 id, uint128 amount) internal {
        add(id, amount, sign(id, amount));
    }

    function add(bytes32 id, uint128 amount, bytes memory signature) internal {
        rows.push(IChannelEscrow.Settlement(id, amount, signature));
    }

    function settleMany() internal returns (uint256) {
        vm.prank(receiver);
        return escrow.settleMany(address(token), rows);
    }

    function expectSkip(bytes32 id, bytes4 reason) internal {
        vm.expectEmit(address(escrow));
        emit SettlementSkipped(id, reason);
    }
}
