// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

contract OpenTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_TakesTheDeposit() public {
        open(DEPOSIT);

        assertEq(token.balanceOf(sender), FORTUNE - DEPOSIT);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_KeepsTheTerms() public {
        bytes32 id = open(DEPOSIT, SALT, stranger);

        IChannelEscrow.Channel memory channel = escrow.getChannel(id);
        assertEq(channel.sender, sender);
        assertEq(channel.receiver, receiver);
        assertEq(channel.token, address(token));
        assertEq(channel.signer, stranger);
        assertEq(channel.deposit, DEPOSIT);
        assertEq(channel.settled, 0);
        assertEq(channel.closeRequestedAt, 0);
        assertFalse(channel.finalized);
    }

    function test_ReturnsTheIdThatTheTermsGive() public {
        assertEq(open(DEPOSIT), escrow.computeChannelId(sender, receiver, address(token), SALT, address(0)));
    }

    function test_TellsTheTermsAndTheDeposit() public {
        bytes32 id = escrow.computeChannelId(sender, receiver, address(token), SALT, stranger);
        vm.expectEmit(address(escrow));
        emit ChannelOpened(id, sender, receiver, address(token), stranger, SALT, DEPOSIT);

        open(DEPOSIT, SALT, stranger);
    }

    function test_OpensManyChannelsWithTheSameTermsUnderManySalts() public {
        bytes32 first = open(DEPOSIT, "first");
        bytes32 second = open(2 * DEPOSIT, "second");

        assertEq(deposited(first), DEPOSIT);
        assertEq(deposited(second), 2 * DEPOSIT);
    }

    function test_OpensAChannelToOneself() public {
        vm.prank(sender);
        bytes32 id = escrow.open(sender, address(token), DEPOSIT, SALT, address(0));

        assertEq(escrow.getChannel(id).receiver, sender);
    }

    function test_NobodyCanTakeTheIdOfAnother() public {
        token.mint(stranger, DEPOSIT);
        vm.startPrank(stranger);
        token.approve(address(escrow), DEPOSIT);
        bytes32 theirs = escrow.open(receiver, address(token), DEPOSIT, SALT, address(0));
        vm.stopPrank();

        assertNotEq(open(DEPOSIT), theirs);
    }

    function testFuzz_KeepsAnyTerms(address to, uint128 deposit, bytes32 salt, address signer, uint8 decimals) public {
        vm.assume(to != address(0) && to != address(escrow));
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        PlainToken any = new PlainToken(decimals);
        any.mint(sender, deposit);

        vm.startPrank(sender);
        any.approve(address(escrow), deposit);
        bytes32 id = escrow.open(to, address(any), deposit, salt, signer);

        IChannelEscrow.Channel memory expected =
            IChannelEscrow.Channel(false, 0, sender, to, address(any), signer, deposit, 0);
        assertEq(abi.encode(escrow.getChannel(id)), abi.encode(expected));
        assertEq(any.balanceOf(address(escrow)), deposit);
    }

    function test_RevertsWithoutADeposit() public {
        vm.expectRevert(ZeroDeposit.selector);
        open(0);
    }

    function test_RevertsWithoutAReceiver() public {
        vm.prank(sender);
        vm.expectRevert(InvalidReceiver.selector);
        escrow.open(address(0), address(token), DEPOSIT, SALT, address(0));
    }

    function test_RevertsWhenTheEscrowIsTheReceiver() public {
        vm.prank(sender);
        vm.expectRevert(InvalidReceiver.selector);
        escrow.open(address(escrow), address(token), DEPOSIT, SALT, address(0));
    }

    function test_RevertsWhenTheTokenHasNoCode() public {
        vm.expectRevert(InvalidToken.selector);
        open(stranger, DEPOSIT, SALT, address(0));
    }

    function test_RevertsWhenThereIsNoToken() public {
        vm.expectRevert(InvalidToken.selector);
        open(address(0), DEPOSIT, SALT, address(0));
    }

    function test_RevertsWhenTheTokenIsTheEscrow() public {
        vm.expectRevert(InvalidToken.selector);
        open(address(escrow), DEPOSIT, SALT, address(0));
    }

    function test_RevertsWhenTheChannelExists() public {
        open(DEPOSIT);

        vm.expectRevert(ChannelAlreadyExists.selector);
        open(DEPOSIT);
    }

    function test_RevertsWhenTheChannelWasClosed() public {
        close(open(DEPOSIT), DEPOSIT);

        vm.expectRevert(ChannelAlreadyExists.selector);
        open(DEPOSIT);
    }

    function test_RevertsWhenTheChannelWasWithdrawn() public {
        withdraw(open(DEPOSIT));

        vm.expectRevert(ChannelAlreadyExists.selector);
        open(DEPOSIT);
    }

    function test_RevertsWithoutAnApproval() public {
        vm.prank(sender);
        token.approve(address(escrow), DEPOSIT - 1);

        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        open(DEPOSIT);
    }
}
