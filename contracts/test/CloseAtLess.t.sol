// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

/// @dev `close(channelId, amount, cumulativeAmount, signature)`.
contract CloseAtLessTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_PaysWhatWasChargedAndNotWhatWasAuthorized() public {
        bytes32 id = open(DEPOSIT);
        closeAt(id, 100, 250);

        assertEq(token.balanceOf(receiver), 100);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
        assertEq(settled(id), 100);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function test_PaysOnlyTheDifferenceAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 60);
        closeAt(id, 100, 250);

        assertEq(token.balanceOf(receiver), 100);
    }

    function test_PaysAllThatTheVoucherAllows() public {
        bytes32 id = open(DEPOSIT);
        closeAt(id, 250, 250);

        assertEq(token.balanceOf(receiver), 250);
    }

    function test_PaysNothingMoreAtWhatWasSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 60);
        closeAt(id, 60, 250);

        assertEq(token.balanceOf(receiver), 60);
        assertEq(token.balanceOf(sender), FORTUNE - 60);
    }

    function test_NeedsNoSignatureForNothing() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 60);
        vm.prank(receiver);
        escrow.close(id, 60, 60, NO_SIGNATURE);

        assertEq(token.balanceOf(sender), FORTUNE - 60);
    }

    function test_TellsTheSmallerAmount() public {
        bytes32 id = open(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit ChannelClosed(id, sender, receiver, 100, DEPOSIT - 100);

        closeAt(id, 100, 250);
    }

    function testFuzz_PaysTheAmountInRange(uint128 deposit, uint128 first, uint128 amount, uint128 cumulativeAmount)
        public
    {
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        cumulativeAmount = uint128(bound(cumulativeAmount, 1, deposit));
        amount = uint128(bound(amount, 0, cumulativeAmount));
        first = uint128(bound(first, 0, amount));
        deal(address(token), sender, deposit);
        bytes32 id = open(deposit);
        if (first > 0) settle(id, first);
        closeAt(id, amount, cumulativeAmount);

        assertEq(token.balanceOf(receiver), amount);
        assertEq(token.balanceOf(sender), deposit - amount);
        assertEq(settled(id), amount);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function test_RevertsUnderWhatWasSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 60);

        vm.expectRevert(AmountOutOfRange.selector);
        closeAt(id, 59, 250);
    }

    function test_RevertsOverTheVoucher() public {
        bytes32 id = open(DEPOSIT);

        vm.expectRevert(AmountOutOfRange.selector);
        closeAt(id, 251, 250);
    }

    function test_RevertsForAVoucherUnderWhatWasSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 60);

        vm.expectRevert(AmountOutOfRange.selector);
        closeAt(id, 60, 59);
    }

    function test_RevertsForAVoucherOverTheDeposit() public {
        bytes32 id = open(DEPOSIT);

        vm.expectRevert(AmountExceedsDeposit.selector);
        closeAt(id, 100, DEPOSIT + 1);
    }

    function test_RevertsForABadSignature() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.close(id, 100, 250, sign(id, 100));
    }

    function test_RevertsForABadSignatureEvenIfNothingMoreIsPaid() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.close(id, 0, 250, NO_SIGNATURE);
    }

    function test_RevertsForAnyoneButTheReceiver() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(stranger);
        vm.expectRevert(NotReceiver.selector);
        escrow.close(id, 100, 250, sign(id, 250));
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        closeAt("unknown", 100, 250);
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        closeAt(id, 100, 250);

        vm.expectRevert(ChannelFinalized.selector);
        closeAt(id, 250, 250);
    }

    function closeAt(bytes32 id, uint128 amount, uint128 cumulativeAmount) private {
        vm.prank(receiver);
        escrow.close(id, amount, cumulativeAmount, sign(id, cumulativeAmount));
    }
}
