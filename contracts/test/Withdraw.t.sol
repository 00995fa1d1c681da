// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

contract WithdrawTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_ReturnsTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        withdraw(id);

        assertEq(token.balanceOf(sender), FORTUNE);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_ReturnsWhatWasNotSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        requestClose(id);
        settle(id, 250);
        skip(GRACE);
        vm.prank(sender);
        escrow.withdraw(id);

        assertEq(token.balanceOf(sender), FORTUNE - 250);
        assertEq(token.balanceOf(receiver), 250);
    }

    function test_KeepsTheRecord() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        withdraw(id);

        assertTrue(escrow.getChannel(id).finalized);
        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
        assertEq(deposited(id), DEPOSIT);
        assertEq(settled(id), 100);
    }

    function test_TellsTheEndAndThatThePeriodPassed() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        requestClose(id);
        skip(GRACE);
        vm.expectEmit(address(escrow));
        emit ChannelExpired(id, sender, receiver);
        vm.expectEmit(address(escrow));
        emit ChannelClosed(id, sender, receiver, 100, DEPOSIT - 100);

        vm.prank(sender);
        escrow.withdraw(id);
    }

    function test_EndsAChannelThatWasSettledInFull() public {
        bytes32 id = open(DEPOSIT);
        settle(id, DEPOSIT);
        withdraw(id);

        assertTrue(escrow.getChannel(id).finalized);
        assertEq(token.balanceOf(sender), FORTUNE - DEPOSIT);
    }

    function testFuzz_ReturnsTheRest(uint128 deposit, uint128 amount, uint256 late) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        amount = uint128(bound(amount, 0, deposit));
        late = bound(late, 0, 365 days);
        deal(address(token), sender, deposit);
        bytes32 id = open(deposit);
        if (amount > 0) settle(id, amount);
        requestClose(id);
        skip(GRACE + late);
        vm.prank(sender);
        escrow.withdraw(id);

        assertEq(token.balanceOf(sender), deposit - amount);
        assertEq(settled(id), amount);
        assertEq(deposited(id), deposit);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function testFuzz_RevertsBeforeThePeriodIsOver(uint256 early) public {
        early = bound(early, 1, GRACE);
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(GRACE - early);

        vm.prank(sender);
        vm.expectRevert(CloseNotReady.selector);
        escrow.withdraw(id);
    }

    function test_WorksAtTheVerySecondThatThePeriodIsOver() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(GRACE);
        vm.prank(sender);
        escrow.withdraw(id);

        assertTrue(escrow.getChannel(id).finalized);
    }

    function test_RevertsWithoutARequest() public {
        bytes32 id = open(DEPOSIT);
        skip(365 days);

        vm.prank(sender);
        vm.expectRevert(CloseNotReady.selector);
        escrow.withdraw(id);
    }

    function test_RevertsForAnyoneButTheSender() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(GRACE);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        escrow.withdraw(id);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.prank(sender);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.withdraw("unknown");
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        withdraw(id);

        vm.prank(sender);
        vm.expectRevert(ChannelFinalized.selector);
        escrow.withdraw(id);
    }
}
