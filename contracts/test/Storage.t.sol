// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

/// @dev Where a channel is kept. Whoever proves storage to another chain reads it there.
contract StorageTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    uint256 private constant FINALIZED = 2 ** 31 - 1;

    function test_AChannelIsThreeWords() public {
        bytes32 id = open(DEPOSIT);
        uint256 token160 = uint160(address(token));

        assertEq(word(id, 0), ((token160 >> 64) << 160) | uint160(sender));
        assertEq(word(id, 1), (uint256(uint64(token160)) << 160) | uint160(receiver));
        assertEq(word(id, 2), DEPOSIT);
        assertEq(uint256(vm.load(address(escrow), keccak256(abi.encode(id, 1)))), 0);
    }

    function test_ASeparateSignerIsAFourth() public {
        bytes32 id = open(DEPOSIT, SALT, stranger);

        assertEq(word(id, 1) >> 224, 1 << 31);
        assertEq(uint256(vm.load(address(escrow), keccak256(abi.encode(id, 1)))), uint160(stranger));
    }

    function test_SettledIsAboveTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 250);

        assertEq(word(id, 2), (uint256(250) << 128) | DEPOSIT);
    }

    function test_TheEndIsTheComplementOfWhatWasSettled() public {
        bytes32 id = open(DEPOSIT);
        close(id, 250);

        assertEq(word(id, 2), (uint256(~uint128(250)) << 128) | DEPOSIT);
        assertEq(word(id, 1) >> 224, 0);
    }

    function test_TheEndOfAHugeDepositIsInTheStatus() public {
        deal(address(token), sender, 2 ** 127);
        bytes32 id = open(2 ** 127, SALT, stranger);
        withdraw(id);

        assertEq(word(id, 2), 2 ** 127);
        assertEq(word(id, 1) >> 224, (1 << 31) | FINALIZED);
    }

    function test_TheLargestDepositWithoutThat() public {
        deal(address(token), sender, 2 ** 127 - 1);
        bytes32 id = open(2 ** 127 - 1);
        close(id, 2 ** 127 - 1);

        assertEq(word(id, 2), (2 ** 127 << 128) | (2 ** 127 - 1));
        assertEq(word(id, 1) >> 224, 0);
    }

    function test_ARequestIsItsTime() public {
        bytes32 id = open(DEPOSIT);
        vm.warp(1_800_000_000);
        requestClose(id);
        assertEq(word(id, 1) >> 224, 1_800_000_001);
    }

    function test_ARequestIsItsTimeModulo68Years() public {
        bytes32 id = open(DEPOSIT);
        vm.warp(2 ** 31 - 3);
        requestClose(id);
        assertEq(word(id, 1) >> 224, FINALIZED - 1);

        bytes32 other = open(DEPOSIT, "other");
        vm.warp(2 ** 31 - 2);
        requestClose(other);
        assertEq(word(other, 1) >> 224, 1);
    }

    function test_EachFunctionWritesOnlyWhatItMust() public {
        assertEq(writesOf(abi.encodeCall(escrow.open, (receiver, address(token), DEPOSIT, SALT, address(0)))), 3);
        bytes32 id = escrow.computeChannelId(sender, receiver, address(token), SALT, address(0));
        assertEq(writesOf(abi.encodeCall(escrow.topUp, (id, 1))), 1);
        assertEq(writesOf(abi.encodeWithSignature("requestClose(bytes32)", id)), 1);
        skip(GRACE);
        assertEq(writesOf(abi.encodeCall(escrow.withdraw, (id))), 1);
        assertEq(writesOf(abi.encodeCall(escrow.open, (receiver, address(token), DEPOSIT, "other", stranger))), 4);
    }

    function word(bytes32 id, uint256 index) private view returns (uint256) {
        uint256 slot = uint256(keccak256(abi.encode(id, 0))) + index;
        return uint256(vm.load(address(escrow), bytes32(slot)));
    }

    function writesOf(bytes memory call) private returns (uint256) {
        vm.record();
        vm.prank(sender);
        (bool done,) = address(escrow).call(call);
        assertTrue(done);
        (, bytes32[] memory writes) = vm.accesses(address(escrow));
        return writes.length;
    }
}
