// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

/// @dev `requestClose(channelId, owed)`.
contract RequestCloseOwedTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_PaysWhatIsOwedAndStartsTheChallengePeriod() public {
        bytes32 id = open(DEPOSIT);
        requestCloseOwing(id, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(settled(id), 250);
        assertEq(escrow.getChannel(id).closeRequestedAt, block.timestamp);
    }

    function test_PaysOnlyTheDifferenceAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        requestCloseOwing(id, 250);

        assertEq(token.balanceOf(receiver), 250);
    }

    function test_TellsThePaymentAndTheRequest() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        vm.expectEmit(address(escrow));
        emit Settled(id, sender, receiver, 250, 150, 250);
        vm.expectEmit(address(escrow));
        emit CloseRequested(id, sender, receiver, block.timestamp + GRACE);

        requestCloseOwing(id, 250);
    }

    function test_OwingWhatWasSettledPaysNothing() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        vm.recordLogs();
        requestCloseOwing(id, 100);

        assertEq(vm.getRecordedLogs().length, 1, "CloseRequested");
        assertEq(token.balanceOf(receiver), 100);
    }

    function test_LeavesTheReceiverItsBetterVoucher() public {
        bytes32 id = open(DEPOSIT);
        requestCloseOwing(id, 250);
        settle(id, 400);

        assertEq(token.balanceOf(receiver), 400);
    }

    function test_PaysMoreTheSecondTimeWhileTheFirstRequestStands() public {
        bytes32 id = open(DEPOSIT);
        uint256 start = block.timestamp;
        requestCloseOwing(id, 100);
        skip(GRACE - 1);
        requestCloseOwing(id, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(escrow.getChannel(id).closeRequestedAt, start);
    }

    function test_TheRestIsTheSendersAfterThePeriod() public {
        bytes32 id = open(DEPOSIT);
        requestCloseOwing(id, 250);
        skip(GRACE);
        vm.prank(sender);
        escrow.withdraw(id);

        assertEq(token.balanceOf(sender), FORTUNE - 250);
        assertEq(token.balanceOf(receiver), 250);
    }

    function testFuzz_PaysAnyAmountInRange(uint128 deposit, uint128 first, uint128 owed) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        first = uint128(bound(first, 0, deposit));
        owed = uint128(bound(owed, first, deposit));
        deal(address(token), sender, deposit);
        bytes32 id = open(deposit);
        if (first > 0) settle(id, first);
        requestCloseOwing(id, owed);

        assertEq(token.balanceOf(receiver), owed);
        assertEq(settled(id), owed);
        assertEq(deposited(id), deposit);
        assertFalse(escrow.getChannel(id).finalized);
    }

    function test_RevertsUnderWhatWasSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);

        vm.expectRevert(AmountOutOfRange.selector);
        requestCloseOwing(id, 99);
    }

    function test_RevertsOverTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        open(DEPOSIT, "not this one's money");

        vm.expectRevert(AmountOutOfRange.selector);
        requestCloseOwing(id, DEPOSIT + 1);
    }

    function test_RevertsForAnyoneButTheSender() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        escrow.requestClose(id, DEPOSIT);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        requestCloseOwing("unknown", 0);
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        close(id, 0);

        vm.expectRevert(ChannelFinalized.selector);
        requestCloseOwing(id, 100);
    }

    function requestCloseOwing(bytes32 id, uint128 owed) private {
        vm.prank(sender);
        escrow.requestClose(id, owed);
    }
}
