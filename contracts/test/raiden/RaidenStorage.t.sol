// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

/// @dev Where a channel is kept. Whoever proves storage to another chain reads it there.
contract RaidenStorageTest is RaidenTest {
    function test_AChannelIsOneWordAtItsKey() public {
        uint32 openBlock = create(DEPOSIT);
        assertWord(openBlock, 0, openBlock, 0, DEPOSIT);
        assertEq(owed(openBlock), 0);
    }

    function test_WhatWasWithdrawnIsAboveTheDeposit() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 250);
        assertWord(openBlock, 0, openBlock, 250, DEPOSIT);
    }

    function test_WhatTheSenderAskedForTakesItsPlace() public {
        uint32 openBlock = create(DEPOSIT);
        vm.roll(2_000);
        requestClose(openBlock, 250);
        assertWord(openBlock, openBlock, 2_000 + PERIOD, 250, DEPOSIT);
        assertEq(owed(openBlock), 0);
    }

    function test_OnlyAfterAWithdrawalThereIsASecondWord() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.roll(2_000);
        requestClose(openBlock, 250);
        assertWord(openBlock, 2_000 + PERIOD, openBlock, 100, DEPOSIT);
        assertEq(owed(openBlock), 150);
    }

    function test_AndNotWhenNothingIsOwed() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.roll(2_000);
        requestClose(openBlock, 100);
        assertWord(openBlock, 2_000 + PERIOD, openBlock, 100, DEPOSIT);
        assertEq(owed(openBlock), 0);
    }

    function test_TheEndLeavesNothing() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 250);
        close(openBlock, 300);
        assertWord(openBlock, 0, 0, 0, 0);
        assertEq(owed(openBlock), 0);

        openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 250);
        pass(PERIOD + 1);
        settle(openBlock);
        assertWord(openBlock, 0, 0, 0, 0);
        assertEq(owed(openBlock), 0);
    }

    function test_TheEndInTheFirstBlockLeavesAMark() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        withdraw(1_000, 100);
        requestClose(1_000, 250);
        close(1_000, 300);
        assertWord(1_000, 0, 0, 0, 1);
        assertEq(owed(1_000), 0);
    }

    function test_WhoIsTrustedIsInTheMappingOfSlot0() public {
        trust(stranger);
        assertEq(uint256(vm.load(address(escrow), keccak256(abi.encode(stranger, 0)))), 1);
    }

    function test_EachFunctionWritesOnlyWhatItMust() public {
        assertEq(writesOf(sender, abi.encodeCall(escrow.createChannel, (receiver, DEPOSIT))), 1);
        assertEq(writesOf(sender, abi.encodeCall(escrow.topUp, (receiver, 1_000, 1))), 1);
        bytes memory signature = voucher(receiver, 1_000, 100);
        assertEq(writesOf(receiver, abi.encodeCall(escrow.withdraw, (1_000, 100, signature))), 1);
        assertEq(writesOf(sender, abi.encodeCall(escrow.uncooperativeClose, (receiver, 1_000, 100))), 1);

        pass(1);
        uint32 openBlock = create(DEPOSIT);
        assertEq(writesOf(sender, abi.encodeCall(escrow.uncooperativeClose, (receiver, openBlock, 100))), 1);
        pass(PERIOD + 1);
        assertEq(writesOf(sender, abi.encodeCall(escrow.settle, (receiver, openBlock))), 1);
    }

    function assertWord(uint32 openBlock, uint256 second, uint256 first, uint256 amount, uint256 deposit) private view {
        uint256 word = uint256(vm.load(address(escrow), idOf(openBlock)));
        assertEq(word >> 224, second);
        assertEq(uint32(word >> 192), first);
        assertEq(uint96(word >> 96), amount);
        assertEq(uint96(word), deposit);
    }

    function owed(uint32 openBlock) private view returns (uint256) {
        return uint256(vm.load(address(escrow), bytes32(uint256(idOf(openBlock)) + 1)));
    }

    function writesOf(address caller, bytes memory call) private returns (uint256) {
        vm.record();
        vm.prank(caller);
        (bool done,) = address(escrow).call(call);
        assertTrue(done);
        (, bytes32[] memory writes) = vm.accesses(address(escrow));
        return writes.length;
    }
}
