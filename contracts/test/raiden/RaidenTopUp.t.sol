// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract RaidenTopUpTest is RaidenTest {
    function test_AddsToTheDeposit() public {
        uint32 openBlock = create(DEPOSIT);
        topUp(openBlock, 5);

        assertOpen(openBlock, DEPOSIT + 5, 0);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_TellsWhatWasAdded() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit ChannelToppedUp(sender, receiver, openBlock, 5);
        topUp(openBlock, 5);
    }

    function test_AddsToNothing() public {
        uint32 openBlock = create(0);
        topUp(openBlock, 5);
        assertOpen(openBlock, 5, 0);
    }

    function test_WorksInTheBlockOfTheOpening() public {
        vm.startPrank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        escrow.topUp(receiver, 1_000, 5);
        assertOpen(1_000, DEPOSIT + 5, 0);
    }

    function test_LeavesWhatWasWithdrawnAndOtherChannelsAlone() public {
        uint32 openBlock = create(DEPOSIT);
        uint32 other = create(DEPOSIT);
        withdraw(openBlock, 3);
        topUp(openBlock, 5);

        assertOpen(openBlock, DEPOSIT + 5, 3);
        assertOpen(other, DEPOSIT, 0);
    }

    function testFuzz_AddsAnyAmount(uint192 deposit, uint192 withdrawn, uint192 added) public {
        deposit = uint192(bound(deposit, 1, MOST - 1));
        withdrawn = uint192(bound(withdrawn, 1, deposit));
        added = uint192(bound(added, 1, MOST - deposit));
        deal(address(token), sender, MOST);
        uint32 openBlock = create(deposit);
        withdraw(openBlock, withdrawn);
        topUp(openBlock, added);

        assertOpen(openBlock, deposit + added, withdrawn);
        assertEq(token.balanceOf(address(escrow)), deposit + added - withdrawn);
    }

    function test_RevertsForNothing() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(ZeroDeposit.selector);
        topUp(openBlock, 0);
    }

    function test_RevertsForAnUnknownChannel() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(ChannelNotFound.selector);
        topUp(openBlock + 1, 5);
        vm.expectRevert(ChannelNotFound.selector);
        topUp(0, 5);
    }

    function test_RevertsForTheChannelOfAnother() public {
        uint32 openBlock = create(DEPOSIT);
        token.mint(stranger, 5);
        vm.startPrank(stranger);
        token.approve(address(escrow), 5);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.topUp(receiver, openBlock, 5);
    }

    function test_RevertsWhileClosing() public {
        uint32 openBlock = create(DEPOSIT);
        requestClose(openBlock, 0);
        vm.expectRevert(ChannelClosing.selector);
        topUp(openBlock, 5);
        pass(PERIOD + 1);
        vm.expectRevert(ChannelClosing.selector);
        topUp(openBlock, 5);
    }

    function test_RevertsAfterTheEnd() public {
        uint32 openBlock = create(DEPOSIT);
        close(openBlock, 0);
        vm.expectRevert(ChannelNotFound.selector);
        topUp(openBlock, 5);
    }

    function test_HoldsTheMost() public {
        deal(address(token), sender, uint256(MOST) + 1);
        uint32 openBlock = create(DEPOSIT);
        vm.expectRevert(DepositOverflow.selector);
        topUp(openBlock, MOST - DEPOSIT + 1);
        vm.expectRevert(DepositOverflow.selector);
        topUp(openBlock, type(uint192).max);
        topUp(openBlock, MOST - DEPOSIT);
        assertOpen(openBlock, MOST, 0);
    }

    function test_RevertsWithoutAnApproval() public {
        uint32 openBlock = create(DEPOSIT);
        vm.prank(sender);
        token.approve(address(escrow), 4);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        topUp(openBlock, 5);
    }
}
