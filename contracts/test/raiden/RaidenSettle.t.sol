// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract RaidenSettleTest is RaidenTest {
    function test_PaysWhatTheSenderAskedFor() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 4 ether);
        pass(PERIOD + 1);
        settle(openBlock);

        assertEq(token.balanceOf(receiver), 4 ether);
        assertEq(token.balanceOf(sender), FORTUNE - 4 ether);
        assertEq(token.balanceOf(address(escrow)), 0);
        assertGone(openBlock);
    }

    function test_PaysOnlyTheDifferenceAfterAWithdrawal() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 250);
        pass(PERIOD + 1);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 250, 150);
        settle(openBlock);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(token.balanceOf(sender), FORTUNE - 250);
        assertGone(openBlock);
    }

    function test_TellsTheTotal() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 100, 100);
        settle(openBlock);
    }

    function test_PaysNothingToTheReceiver() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        vm.expectCall(address(token), abi.encodeCall(token.transfer, (receiver, 0)), 0);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 100, 0);
        settle(openBlock);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
    }

    function test_EndsAChannelThatHoldsNothing() public {
        uint32 openBlock = create(0);
        requestClose(openBlock, 0);
        pass(PERIOD + 1);
        settle(openBlock);
        assertGone(openBlock);
    }

    function test_LeavesOtherChannelsAlone() public {
        uint32 openBlock = create(DEPOSIT);
        uint32 other = create(DEPOSIT);
        requestClose(other, 100);
        uint256 otherSettles = vm.getBlockNumber() + PERIOD;
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        settle(openBlock);
        assertChannel(other, DEPOSIT, 0, 100, otherSettles);
    }

    /// @dev A channel may settle in the very block in which its parties open the next one.
    function test_AnotherChannelOpensInTheBlockOfTheEnd() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        settle(openBlock);
        uint32 next = create(DEPOSIT);
        assertGone(openBlock);
        assertOpen(next, DEPOSIT, 0);
    }

    function testFuzz_PaysAnySplit(uint192 deposit, uint192 withdrawn, uint192 balance, uint256 late) public {
        deposit = uint192(bound(deposit, 0, MOST));
        withdrawn = uint192(bound(withdrawn, 0, deposit));
        balance = uint192(bound(balance, withdrawn, deposit));
        late = bound(late, 1, 10_000_000);
        deal(address(token), sender, deposit);
        uint32 openBlock = create(deposit);
        if (withdrawn > 0) withdraw(openBlock, withdrawn);
        requestClose(openBlock, balance);
        pass(PERIOD + late);
        settle(openBlock);

        assertEq(token.balanceOf(receiver), balance);
        assertEq(token.balanceOf(sender), deposit - balance);
        assertGone(openBlock);
    }

    function testFuzz_RevertsBeforeThePeriodIsOver(uint256 early, bool withdrawn) public {
        early = bound(early, 0, PERIOD);
        uint32 openBlock = create(DEPOSIT);
        if (withdrawn) withdraw(openBlock, 100);
        requestClose(openBlock, 200);
        pass(PERIOD - early);
        vm.expectRevert(ChallengePeriodNotOver.selector);
        settle(openBlock);
    }

    function test_WorksInTheFirstBlockAfterThePeriod() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        pass(PERIOD);
        vm.expectRevert(ChallengePeriodNotOver.selector);
        settle(openBlock);
        pass(1);
        settle(openBlock);
        assertGone(openBlock);
    }

    function test_RevertsWithoutARequest() public {
        uint32 openBlock = create(DEPOSIT);
        pass(10 * PERIOD);
        vm.expectRevert(CloseNotRequested.selector);
        settle(openBlock);
        withdraw(openBlock, 100);
        vm.expectRevert(CloseNotRequested.selector);
        settle(openBlock);
    }

    function test_RevertsForAnyoneButTheSender() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.settle(receiver, openBlock);
        vm.prank(stranger);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.settle(receiver, openBlock);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        settle(1);
    }

    function test_RevertsTheSecondTime() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        pass(PERIOD + 1);
        settle(openBlock);
        vm.expectRevert(ChannelNotFound.selector);
        settle(openBlock);
        vm.expectRevert(ChannelNotFound.selector);
        close(openBlock, 200);
    }

    function test_RevertsAfterACooperativeEnd() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        close(openBlock, 200);
        pass(PERIOD + 1);
        vm.expectRevert(ChannelNotFound.selector);
        settle(openBlock);
    }
}
