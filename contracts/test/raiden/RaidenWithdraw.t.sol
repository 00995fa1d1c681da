// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract RaidenWithdrawTest is RaidenTest {
    function test_PaysTheReceiverWhatWasPromised() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 4 ether);

        assertEq(token.balanceOf(receiver), 4 ether);
        assertEq(token.balanceOf(address(escrow)), 6 ether);
        assertOpen(openBlock, DEPOSIT, 4 ether);
    }

    function test_PaysOnlyTheDifferenceTheNextTime() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        withdraw(openBlock, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertOpen(openBlock, DEPOSIT, 250);
    }

    function test_TellsTheDifference() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.expectEmit(address(escrow));
        emit ChannelWithdraw(sender, receiver, openBlock, 150);
        withdraw(openBlock, 250);
    }

    function test_LeavesOtherChannelsAlone() public {
        uint32 other = create(DEPOSIT);
        withdraw(create(DEPOSIT), 100);
        assertOpen(other, DEPOSIT, 0);
    }

    function testFuzz_PaysTheDifferences(uint192 deposit, uint192 first, uint192 second) public {
        deposit = uint192(bound(deposit, 2, MOST));
        first = uint192(bound(first, 1, deposit - 1));
        second = uint192(bound(second, first + 1, deposit));
        deal(address(token), sender, deposit);
        uint32 openBlock = create(deposit);

        withdraw(openBlock, first);
        assertEq(token.balanceOf(receiver), first);
        withdraw(openBlock, second);
        assertEq(token.balanceOf(receiver), second);
        assertOpen(openBlock, deposit, second);
    }

    function test_RevertsForNothing() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(BalanceNotIncreasing.selector);
        withdraw(openBlock, 0);
    }

    function test_RevertsForTheSameOrLess() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        vm.expectRevert(BalanceNotIncreasing.selector);
        withdraw(openBlock, 100);
        vm.expectRevert(BalanceNotIncreasing.selector);
        withdraw(openBlock, 99);
    }

    function test_RevertsForMoreThanTheDeposit() public {
        uint32 openBlock = create(DEPOSIT);
        create(DEPOSIT);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        withdraw(openBlock, DEPOSIT + 1);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        withdraw(openBlock, (uint192(1) << 96) + 1);
        vm.expectRevert(BalanceExceedsDeposit.selector);
        withdraw(openBlock, type(uint192).max);
    }

    function test_RevertsWhileClosing() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 100);
        vm.expectRevert(ChannelClosing.selector);
        withdraw(openBlock, 200);
    }

    function test_RevertsWhileClosingAfterAWithdrawal() public {
        uint32 openBlock = create(DEPOSIT);
        withdraw(openBlock, 100);
        requestClose(openBlock, 100);
        vm.expectRevert(ChannelClosing.selector);
        withdraw(openBlock, 200);
    }

    function test_RevertsAfterTheEnd() public {
        uint32 openBlock = create(DEPOSIT);
        close(openBlock, 100);
        vm.expectRevert(ChannelNotFound.selector);
        withdraw(openBlock, 200);
    }

    function test_RevertsForAnyoneButTheReceiver() public {
        uint32 openBlock = create(DEPOSIT);
        bytes memory signature = voucher(receiver, openBlock, 100);
        vm.prank(stranger);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, 100, signature);
        vm.prank(sender);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, 100, signature);
    }

    function test_RevertsForTheSignatureOfAnother() public {
        uint32 openBlock = create(DEPOSIT);
        bytes memory signature = sign(receiverKey, voucherDigest(receiver, openBlock, 100));
        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, 100, signature);
    }

    function testFuzz_RevertsForAnotherBalanceThanTheOneSigned(uint192 signed, uint192 claimed) public {
        uint32 openBlock = create(DEPOSIT);
        claimed = uint192(bound(claimed, 1, DEPOSIT));
        vm.assume(signed != claimed);
        bytes memory signature = voucher(receiver, openBlock, signed);

        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, claimed, signature);
    }

    function test_RevertsForTheVoucherOfAnotherChannel() public {
        uint32 openBlock = create(DEPOSIT);
        uint32 other = create(DEPOSIT);
        bytes memory signature = voucher(receiver, other, 100);
        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, 100, signature);
    }

    function test_RevertsForAConsent() public {
        uint32 openBlock = create(DEPOSIT);
        bytes memory signature = sign(senderKey, consentDigest(receiver, openBlock, 100));
        vm.prank(receiver);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw(openBlock, 100, signature);
    }
}
