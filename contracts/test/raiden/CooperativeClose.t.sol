// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract CooperativeCloseTest is RaidenTest {
    function test_PaysBothParties() public {
        uint32 openBlock = create(DEPOSIT);
        close(openBlock, 4 ether);

        assertEq(token.balanceOf(receiver), 4 ether);
        assertEq(token.balanceOf(sender), FORTUNE - 4 ether);
        assertEq(token.balanceOf(address(escrow)), 0);
        assertGone(openBlock);
    }

    function test_PaysOnlyTheDifferenceAfterAWithdrawal() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 250, 150);
        close(openBlock, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(token.balanceOf(sender), FORTUNE - 250);
        assertGone(openBlock);
    }

    function test_AnyoneBringsIt() public {
        address[3] memory everybody = [sender, receiver, stranger];
        for (uint256 i; i < 3; ++i) {
            uint32 openBlock = create(DEPOSIT);
            vm.prank(everybody[i]);
            escrow.cooperativeClose(
                receiver, openBlock, 100, voucher(receiver, openBlock, 100), consent(sender, openBlock, 100)
            );
            assertGone(openBlock);
        }
    }

    function test_PaysNothingToTheReceiver() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectCall(address(token), abi.encodeCall(token.transfer, (receiver, 0)), 0);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 0, 0);
        close(openBlock, 0);
        assertEq(token.balanceOf(sender), FORTUNE);
    }

    function test_PaysNothingToTheSender() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectCall(address(token), abi.encodeCall(token.transfer, (sender, 0)), 0);
        close(openBlock, DEPOSIT);
        assertEq(token.balanceOf(receiver), DEPOSIT);
    }

    function test_EndsAChannelThatHoldsNothing() public {
        uint32 openBlock = create(0);
        close(openBlock, 0);
        assertGone(openBlock);
    }

    function test_EndsWithWhatWasWithdrawn() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        close(openBlock, 100);
        assertEq(token.balanceOf(receiver), 100);
        assertGone(openBlock);
    }

    function test_WorksWhileClosing() public {
        uint192[3] memory balances = [uint192(99), 100, 101];
        for (uint256 i; i < 3; ++i) {
            uint32 openBlock = create(DEPOSIT);
            requestClose(openBlock, 100);
            uint256 before = token.balanceOf(receiver);
            close(openBlock, balances[i]);
            assertEq(token.balanceOf(receiver) - before, balances[i]);
            assertGone(openBlock);
        }
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_WorksAfterTheChallengePeriod() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 0);
        pass(10 * PERIOD);
        close(openBlock, 100);
        assertEq(token.balanceOf(receiver), 100);
        assertGone(openBlock);
    }

    function test_WorksWhileClosingAfterAWithdrawal() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 150);
        vm.expectEmit(address(escrow));
        emit ChannelSettled(sender, receiver, openBlock, 250, 150);
        close(openBlock, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(token.balanceOf(sender), FORTUNE - 250);
        assertGone(openBlock);
    }

    function testFuzz_PaysAnySplitInAnyState(
        uint192 deposit,
        uint192 withdrawn,
        uint192 requested,
        uint192 balance,
        bool closing
    ) public {
        deposit = uint192(bound(deposit, 0, MOST));
        withdrawn = uint192(bound(withdrawn, 0, deposit));
        requested = uint192(bound(requested, withdrawn, deposit));
        balance = uint192(bound(balance, withdrawn, deposit));
        deal(address(token), sender, deposit);
        uint32 openBlock = create(deposit);
        if (withdrawn > 0) withdraw(openBlock, withdrawn);
        if (closing) requestClose(openBlock, requested);
        close(openBlock, balance);

        assertEq(token.balanceOf(receiver), balance);
        assertEq(token.balanceOf(sender), deposit - balance);
        assertGone(openBlock);
    }

    /// @dev The two signatures would be as good for the next channel as for this one.
    function test_NoChannelFollowsInTheSameBlock() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        close(1_000, 4 ether);
        assertGone(1_000);

        vm.prank(sender);
        vm.expectRevert(ChannelAlreadyExists.selector);
        escrow.createChannel(receiver, DEPOSIT);
        vm.expectRevert(ChannelNotFound.selector);
        close(1_000, 4 ether);
        vm.expectRevert(ChannelNotFound.selector);
        withdraw(1_000, 5 ether);
        vm.expectRevert(ChannelNotFound.selector);
        topUp(1_000, 1);
        vm.expectRevert(ChannelNotFound.selector);
        requestClose(1_000, 0);
        vm.expectRevert(ChannelNotFound.selector);
        settle(1_000);
        assertEq(token.balanceOf(receiver), 4 ether);
    }

    function test_NoChannelFollowsInTheSameBlockAfterAWithdrawal() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        withdraw(1_000, 100);
        requestClose(1_000, 200);
        close(1_000, 300);
        assertGone(1_000);

        vm.prank(sender);
        vm.expectRevert(ChannelAlreadyExists.selector);
        escrow.createChannel(receiver, 0);
    }

    function test_AChannelFollowsInTheNextBlock() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        close(1_000, 4 ether);
        pass(1);
        uint32 next = create(DEPOSIT);

        assertEq(next, 1_001);
        assertOpen(next, DEPOSIT, 0);
        assertGone(1_000);
    }

    function test_RevertsTheSecondTime() public {
        uint32 openBlock = create(DEPOSIT);
        close(openBlock, 100);
        vm.expectRevert(ChannelNotFound.selector);
        close(openBlock, 100);
    }

    function test_RevertsForMoreThanTheDeposit() public {
        uint32 openBlock = create(DEPOSIT);
        create(DEPOSIT);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        close(openBlock, DEPOSIT + 1);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        close(openBlock, type(uint192).max);
    }

    function test_RevertsForLessThanWasWithdrawn() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.expectRevert(BalanceBelowWithdrawn.selector);
        close(openBlock, 99);
        requestClose(openBlock, 200);
        vm.expectRevert(BalanceBelowWithdrawn.selector);
        close(openBlock, 99);
    }

    function test_RevertsForTheVoucherOfAnother() public {
        uint32 openBlock = create(DEPOSIT);
        bytes memory signature = sign(receiverKey, voucherDigest(receiver, openBlock, 100));
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(receiver, openBlock, 100, signature, consent(sender, openBlock, 100));
        vm.expectRevert(ChannelNotFound.selector);
        escrow.cooperativeClose(receiver, openBlock, 100, signature, consent(receiver, openBlock, 100));
    }

    function test_RevertsForTheConsentOfAnother() public {
        uint32 openBlock = create(DEPOSIT);
        bytes memory signature = sign(senderKey, consentDigest(sender, openBlock, 100));
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(receiver, openBlock, 100, voucher(receiver, openBlock, 100), signature);
    }

    function test_RevertsForAnotherBalance() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(
            receiver, openBlock, 100, voucher(receiver, openBlock, 101), consent(sender, openBlock, 100)
        );
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(
            receiver, openBlock, 100, voucher(receiver, openBlock, 100), consent(sender, openBlock, 101)
        );
    }

    function test_RevertsForAnotherReceiver() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(
            stranger, openBlock, 100, voucher(stranger, openBlock, 100), consent(sender, openBlock, 100)
        );
    }

    function test_RevertsForAnotherBlock() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(ChannelNotFound.selector);
        close(openBlock + 1, 100);
    }

    function test_RevertsWhenTheSignaturesAreSwapped() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(NotSignedByReceiver.selector);
        escrow.cooperativeClose(
            receiver, openBlock, 100, consent(sender, openBlock, 100), voucher(receiver, openBlock, 100)
        );
    }
}
