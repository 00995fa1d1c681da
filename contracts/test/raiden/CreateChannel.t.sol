// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

contract CreateChannelTest is RaidenTest {
    function test_TakesTheDeposit() public {
        create(DEPOSIT);

        assertEq(token.balanceOf(sender), FORTUNE - DEPOSIT);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_KeepsTheDepositUnderTheBlock() public {
        assertOpen(create(DEPOSIT), DEPOSIT, 0);
    }

    function test_TellsThePartiesAndTheDeposit() public {
        vm.expectEmit(address(escrow));
        emit ChannelCreated(sender, receiver, DEPOSIT);
        create(DEPOSIT);
    }

    function test_TellsBeforeItTakes() public {
        vm.expectEmit(address(escrow));
        emit ChannelCreated(sender, receiver, DEPOSIT);
        vm.expectEmit(address(token));
        emit Transfer(sender, address(escrow), DEPOSIT);
        create(DEPOSIT);
    }

    function test_OpensWithoutADeposit() public {
        vm.prank(sender);
        token.approve(address(escrow), 0);
        uint32 openBlock = create(0);

        assertOpen(openBlock, 0, 0);
    }

    function test_OpensMoreThanAHundredTokens() public {
        assertOpen(create(101 ether), 101 ether, 0);
    }

    function test_OpensOneChannelInEachBlock() public {
        uint32 first = create(DEPOSIT);
        uint32 second = create(2 * DEPOSIT);

        assertOpen(first, DEPOSIT, 0);
        assertOpen(second, 2 * DEPOSIT, 0);
    }

    function test_OpensChannelsToSeveralReceiversInOneBlock() public {
        vm.startPrank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        escrow.createChannel(stranger, DEPOSIT);
        escrow.createChannel(sender, DEPOSIT);

        assertEq(token.balanceOf(address(escrow)), 3 * DEPOSIT);
    }

    function testFuzz_KeepsAnyTerms(address to, uint192 deposit, uint32 openBlock) public {
        vm.assume(to != address(0) && to != address(token) && to != address(escrow));
        receiver = to;
        deposit = uint192(bound(deposit, 0, MOST));
        vm.roll(bound(openBlock, 1, type(uint32).max));
        deal(address(token), sender, deposit);
        openBlock = create(deposit);

        assertOpen(openBlock, deposit, 0);
        assertEq(token.balanceOf(address(escrow)), deposit);
    }

    function test_OpensInTheLastBlock() public {
        vm.roll(type(uint32).max);
        assertOpen(create(DEPOSIT), DEPOSIT, 0);
    }

    function test_RevertsAfterTheLastBlock() public {
        vm.roll(uint256(type(uint32).max) + 1);
        vm.expectRevert(BlockOverflow.selector);
        create(DEPOSIT);
    }

    function test_RevertsInTheSameBlock() public {
        vm.startPrank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        vm.expectRevert(ChannelAlreadyExists.selector);
        escrow.createChannel(receiver, 1);
    }

    function test_RevertsInTheSameBlockAlsoWithoutDeposits() public {
        vm.startPrank(sender);
        escrow.createChannel(receiver, 0);
        vm.expectRevert(ChannelAlreadyExists.selector);
        escrow.createChannel(receiver, 0);
    }

    function test_HoldsTheMost() public {
        deal(address(token), sender, MOST);
        assertOpen(create(MOST), MOST, 0);
    }

    function test_RevertsForMoreThanTheMost() public {
        deal(address(token), sender, uint256(MOST) + 1);
        vm.expectRevert(DepositOverflow.selector);
        create(MOST + 1);
        vm.expectRevert(DepositOverflow.selector);
        create(type(uint192).max);
    }

    function test_RevertsWithoutAReceiver() public {
        receiver = address(0);
        vm.expectRevert(InvalidReceiver.selector);
        create(DEPOSIT);
    }

    function test_RevertsWhenTheTokenIsTheReceiver() public {
        receiver = address(token);
        vm.expectRevert(InvalidReceiver.selector);
        create(DEPOSIT);
    }

    function test_RevertsWhenTheEscrowIsTheReceiver() public {
        receiver = address(escrow);
        vm.expectRevert(InvalidReceiver.selector);
        create(DEPOSIT);
    }

    function test_RevertsWithoutAnApproval() public {
        vm.prank(sender);
        token.approve(address(escrow), DEPOSIT - 1);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        create(DEPOSIT);
    }

    event Transfer(address indexed from, address indexed to, uint256 value);
}
