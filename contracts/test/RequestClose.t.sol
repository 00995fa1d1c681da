// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

contract RequestCloseTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_StartsTheChallengePeriod() public {
        bytes32 id = open(DEPOSIT);
        vm.warp(1_800_000_000);
        requestClose(id);

        assertEq(escrow.getChannel(id).closeRequestedAt, 1_800_000_000);
        assertFalse(escrow.getChannel(id).finalized);
    }

    function test_TellsWhenThePeriodEnds() public {
        bytes32 id = open(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit CloseRequested(id, sender, receiver, block.timestamp + GRACE);

        requestClose(id);
    }

    function test_MovesNothing() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        requestClose(id);

        assertEq(token.balanceOf(address(escrow)), DEPOSIT - 100);
        assertEq(deposited(id), DEPOSIT);
        assertEq(settled(id), 100);
    }

    function test_KeepsTheSeparateSigner() public {
        bytes32 id = open(DEPOSIT, SALT, stranger);
        requestClose(id);

        assertEq(escrow.getChannel(id).signer, stranger);
    }

    function test_TheFirstRequestStands() public {
        bytes32 id = open(DEPOSIT);
        vm.warp(1_800_000_000);
        requestClose(id);
        skip(GRACE - 1);
        vm.recordLogs();
        requestClose(id);

        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(escrow.getChannel(id).closeRequestedAt, 1_800_000_000);
        skip(1);
        vm.prank(sender);
        escrow.withdraw(id);
    }

    function testFuzz_TellsAnyTimeBackForTheNext68Years(uint256 time, uint256 later) public {
        time = bound(time, 1, 2 ** 63);
        later = bound(later, 0, 2 ** 31 - 3);
        bytes32 id = open(DEPOSIT, SALT, stranger);
        vm.warp(time);
        requestClose(id);
        skip(later);

        assertEq(escrow.getChannel(id).closeRequestedAt, time);
        assertEq(escrow.getChannel(id).signer, stranger);
        assertFalse(escrow.getChannel(id).finalized);
    }

    function test_LooksNewAfter68YearsAndIsOverAPeriodLater() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(2 ** 31 - 2);
        assertEq(escrow.getChannel(id).closeRequestedAt, block.timestamp);

        vm.startPrank(sender);
        vm.expectRevert(CloseNotReady.selector);
        escrow.withdraw(id);
        skip(GRACE);
        escrow.withdraw(id);
        assertEq(token.balanceOf(sender), FORTUNE);
    }

    function test_RevertsForAnyoneButTheSender() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        escrow.requestClose(id);
    }

    function test_RevertsForTheSeparateSigner() public {
        bytes32 id = open(DEPOSIT, SALT, stranger);

        vm.prank(stranger);
        vm.expectRevert(NotSender.selector);
        escrow.requestClose(id);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        requestClose("unknown");
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        close(id, 0);

        vm.expectRevert(ChannelFinalized.selector);
        requestClose(id);
    }
}
