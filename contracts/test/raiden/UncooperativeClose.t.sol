// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract UncooperativeCloseTest is RaidenTest {
    function test_StartsTheChallengePeriod() public {
        uint32 openBlock = create(DEPOSIT);
        vm.roll(2_000);
        requestClose(openBlock, 100);

        assertChannel(openBlock, DEPOSIT, 0, 100, 2_000 + PERIOD);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_TellsTheBalance() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit ChannelCloseRequested(sender, receiver, openBlock, 100);
        requestClose(openBlock, 100);
    }

    function test_KeepsWhatWasWithdrawn() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.roll(2_000);
        requestClose(openBlock, 250);
        assertChannel(openBlock, DEPOSIT, 100, 250, 2_000 + PERIOD);
    }

    function test_AsksForWhatWasWithdrawn() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.roll(2_000);
        requestClose(openBlock, 100);
        assertChannel(openBlock, DEPOSIT, 100, 100, 2_000 + PERIOD);
    }

    function test_AsksForNothingAndForAll() public {
        uint32 first = create(DEPOSIT);
        uint32 second = create(DEPOSIT);
        uint32 empty = create(0);
        vm.roll(2_000);
        requestClose(first, 0);
        requestClose(second, DEPOSIT);
        requestClose(empty, 0);

        assertChannel(first, DEPOSIT, 0, 0, 2_000 + PERIOD);
        assertChannel(second, DEPOSIT, 0, DEPOSIT, 2_000 + PERIOD);
        assertChannel(empty, 0, 0, 0, 2_000 + PERIOD);
    }

    function test_WorksInTheBlockOfTheOpening() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        requestClose(1_000, 100);
        assertChannel(1_000, DEPOSIT, 0, 100, 1_000 + PERIOD);
    }

    function testFuzz_KeepsAnyBalances(
        uint192 deposit,
        uint192 withdrawn,
        uint192 balance,
        uint32 opened,
        uint32 requested
    ) public {
        deposit = uint192(bound(deposit, 0, MOST));
        withdrawn = uint192(bound(withdrawn, 0, deposit));
        balance = uint192(bound(balance, withdrawn, deposit));
        opened = uint32(bound(opened, 1, type(uint32).max - PERIOD - 1));
        requested = uint32(bound(requested, opened + 1, type(uint32).max - PERIOD));
        deal(address(token), sender, deposit);
        vm.roll(opened);
        create(deposit);
        if (withdrawn > 0) withdraw(opened, withdrawn);
        vm.roll(requested);
        requestClose(opened, balance);

        assertChannel(opened, deposit, withdrawn, balance, requested + PERIOD);
    }

    function test_RevertsTheSecondTime() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        vm.expectRevert(ChannelClosing.selector);
        requestClose(openBlock, 200);
        pass(PERIOD + 1);
        vm.expectRevert(ChannelClosing.selector);
        requestClose(openBlock, 100);
    }

    function test_RevertsForMoreThanTheDeposit() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        requestClose(openBlock, DEPOSIT + 1);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        requestClose(openBlock, type(uint192).max);
    }

    /// @dev The original took this, and then nobody could settle.
    function test_RevertsForLessThanWasWithdrawn() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.expectRevert(BalanceBelowWithdrawn.selector);
        requestClose(openBlock, 99);
        vm.expectRevert(BalanceBelowWithdrawn.selector);
        requestClose(openBlock, 0);
    }

    function test_RevertsForAnyoneButTheSender() public {
        uint32 openBlock = create(DEPOSIT);
        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.uncooperativeClose(receiver, openBlock, 0);
        vm.prank(stranger);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.uncooperativeClose(receiver, openBlock, 0);
    }

    function test_RevertsForAnUnknownChannel() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(ChannelNotFound.selector);
        requestClose(openBlock + 1, 0);
    }

    function test_RevertsAfterTheEnd() public {
        uint32 openBlock = create(DEPOSIT);
        close(openBlock, 0);
        vm.expectRevert(ChannelNotFound.selector);
        requestClose(openBlock, 0);
    }

    function test_WorksWhenTheLastBlockEndsThePeriod() public {
        uint32 openBlock = create(DEPOSIT);
        vm.roll(type(uint32).max - PERIOD);
        requestClose(openBlock, 100);
        assertChannel(openBlock, DEPOSIT, 0, 100, type(uint32).max);
    }

    function test_RevertsWhenThePeriodGoesBeyondTheLastBlock() public {
        uint32 openBlock = create(DEPOSIT);
        vm.roll(type(uint32).max - PERIOD + 1);
        vm.expectRevert(BlockOverflow.selector);
        requestClose(openBlock, 100);
        close(openBlock, 100);
        assertGone(openBlock);
    }

    function test_RevertsWhenThePeriodIsTheLongest() public {
        escrow = deploy(address(token), type(uint32).max, new address[](0));
        vm.prank(sender);
        token.approve(address(escrow), type(uint256).max);
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(BlockOverflow.selector);
        requestClose(openBlock, 0);
    }
}
