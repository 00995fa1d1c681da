// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

contract CloseTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_PaysBothParties() public {
        bytes32 id = open(DEPOSIT);
        close(id, 4 * 10 ** 6);

        assertEq(token.balanceOf(receiver), 4 * 10 ** 6);
        assertEq(token.balanceOf(sender), FORTUNE - 4 * 10 ** 6);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_PaysOnlyTheDifferenceAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        close(id, 250);

        assertEq(token.balanceOf(receiver), 250);
        assertEq(token.balanceOf(sender), FORTUNE - 250);
    }

    function test_KeepsTheRecord() public {
        bytes32 id = open(DEPOSIT);
        close(id, 100);

        assertTrue(escrow.getChannel(id).finalized);
        assertEq(deposited(id), DEPOSIT);
        assertEq(settled(id), 100);
        assertEq(escrow.getChannel(id).sender, sender);
        assertEq(escrow.getChannel(id).receiver, receiver);
        assertEq(escrow.getChannel(id).token, address(token));
    }

    function test_TellsWhatEachPartyHasInTheEnd() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        vm.expectEmit(address(escrow));
        emit ChannelClosed(id, sender, receiver, 250, DEPOSIT - 250);

        close(id, 250);
    }

    function test_TellsItInOneEvent() public {
        bytes32 id = open(DEPOSIT);
        vm.recordLogs();
        close(id, 250);

        assertEq(vm.getRecordedLogs().length, 3, "ChannelClosed, and two of the token's Transfers");
    }

    function test_SendsNoTransferOfNothing() public {
        bytes32 id = open(DEPOSIT);
        vm.recordLogs();
        close(id, DEPOSIT);

        assertEq(vm.getRecordedLogs().length, 2, "ChannelClosed, and the Transfer to the receiver");
    }

    function test_ForfeitsWithoutASignature() public {
        bytes32 id = open(DEPOSIT);
        vm.prank(receiver);
        escrow.close(id, 0, NO_SIGNATURE);

        assertEq(token.balanceOf(sender), FORTUNE);
        assertEq(token.balanceOf(receiver), 0);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function test_ForfeitsWhatCameAfterTheLastSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        vm.prank(receiver);
        escrow.close(id, 60, NO_SIGNATURE);

        assertEq(token.balanceOf(receiver), 100);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
        assertEq(settled(id), 100);
    }

    function test_WorksWhileTheChannelIsClosing() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(2 * GRACE);
        close(id, 100);

        assertEq(token.balanceOf(receiver), 100);
        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    function test_WorksInAChannelWithASeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        bytes32 id = open(DEPOSIT, SALT, signer);
        vm.prank(receiver);
        escrow.close(id, 100, sign(key, id, 100));

        assertTrue(escrow.getChannel(id).finalized);
        assertEq(escrow.getChannel(id).signer, signer);
    }

    function testFuzz_SharesTheDepositOut(uint128 deposit, uint128 first, uint128 last) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        first = uint128(bound(first, 0, deposit));
        last = uint128(bound(last, 0, deposit));
        deal(address(token), sender, deposit);
        bytes32 id = open(deposit);
        if (first > 0) settle(id, first);
        close(id, last);

        uint128 paid = last > first ? last : first;
        assertEq(token.balanceOf(receiver), paid);
        assertEq(token.balanceOf(sender), deposit - paid);
        assertEq(token.balanceOf(address(escrow)), 0);
        assertEq(deposited(id), deposit);
        assertEq(settled(id), paid);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function testFuzz_NothingWorksAfterTheEnd(uint128 deposit, uint128 last) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max - 1));
        last = uint128(bound(last, 0, deposit));
        deal(address(token), sender, deposit);
        bytes32 id = open(deposit);
        close(id, last);

        vm.expectRevert(ChannelFinalized.selector);
        close(id, deposit);
        vm.expectRevert(ChannelFinalized.selector);
        settle(id, deposit);
        vm.startPrank(sender);
        vm.expectRevert(ChannelFinalized.selector);
        escrow.topUp(id, 1);
        vm.expectRevert(ChannelFinalized.selector);
        escrow.requestClose(id);
        vm.expectRevert(ChannelFinalized.selector);
        escrow.withdraw(id);
    }

    function test_RevertsForAnyoneButTheReceiver() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(sender);
        vm.expectRevert(NotReceiver.selector);
        escrow.close(id, 0, NO_SIGNATURE);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        close("unknown", 0);
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        close(id, 100);

        vm.expectRevert(ChannelFinalized.selector);
        close(id, 200);
    }

    function test_RevertsForMoreThanTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        open(DEPOSIT, "not this one's money");

        vm.expectRevert(AmountExceedsDeposit.selector);
        close(id, DEPOSIT + 1);
    }

    function test_RevertsForABadSignature() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.close(id, 100, sign(id, 101));
    }

    function test_RevertsForMoreThanWasSettledWithoutASignature() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.close(id, 101, NO_SIGNATURE);
    }
}
