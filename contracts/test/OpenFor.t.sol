// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract OpenForTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    address private funder = makeAddr("funder");

    function setUp() public override {
        super.setUp();
        token.mint(funder, FORTUNE);
        vm.prank(funder);
        token.approve(address(escrow), type(uint256).max);
    }

    function test_TheCallerPaysAndTheChannelIsTheSenders() public {
        bytes32 id = openFor(sender);

        IChannelEscrow.Channel memory expected =
            IChannelEscrow.Channel(false, 0, sender, receiver, address(token), stranger, DEPOSIT, 0);
        assertEq(abi.encode(escrow.getChannel(id)), abi.encode(expected));
        assertEq(token.balanceOf(funder), FORTUNE - DEPOSIT);
        assertEq(token.balanceOf(sender), FORTUNE);
    }

    function test_TheSaltIsTheCallersOwn() public {
        bytes32 salt = keccak256(abi.encode(funder, SALT));
        bytes32 id = escrow.computeChannelId(sender, receiver, address(token), salt, stranger);
        vm.expectEmit(address(escrow));
        emit ChannelOpened(id, sender, receiver, address(token), stranger, salt, DEPOSIT);
        assertEq(openFor(sender), id);
    }

    function test_NobodyTakesTheIdThatASenderIsAboutToOpen() public {
        openFor(sender);
        bytes32 id = open(DEPOSIT, SALT, stranger);
        assertEq(deposited(id), DEPOSIT);
    }

    function test_TwoWhoPayDoNotMeet() public {
        bytes32 first = openFor(sender);
        vm.prank(sender);
        bytes32 second = escrow.openFor(sender, receiver, address(token), DEPOSIT, SALT, stranger);
        assertNotEq(first, second);
    }

    function test_TheRestGoesToTheSender() public {
        withdraw(openFor(sender));
        assertEq(token.balanceOf(sender), FORTUNE + DEPOSIT);
        assertEq(token.balanceOf(funder), FORTUNE - DEPOSIT);
    }

    function test_TheFunderHasNoSay() public {
        bytes32 id = openFor(sender);
        vm.startPrank(funder);
        vm.expectRevert(NotSender.selector);
        escrow.requestClose(id);
        vm.expectRevert(NotSender.selector);
        escrow.topUp(id, 1);
    }

    function test_RevertsForTheSameSaltAgain() public {
        openFor(sender);
        vm.expectRevert(ChannelAlreadyExists.selector);
        openFor(sender);
    }

    function test_RevertsWithoutASender() public {
        vm.expectRevert(InvalidSender.selector);
        openFor(address(0));
        vm.expectRevert(InvalidSender.selector);
        openFor(address(escrow));
    }

    function test_SpendsNothingOfASenderWhoApprovedTheEscrow() public {
        vm.prank(makeAddr("poor"));
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        escrow.openFor(sender, receiver, address(token), DEPOSIT, SALT, stranger);
    }

    function test_RevertsWithoutADepositOrAReceiver() public {
        vm.startPrank(funder);
        vm.expectRevert(ZeroDeposit.selector);
        escrow.openFor(sender, receiver, address(token), 0, SALT, stranger);
        vm.expectRevert(InvalidReceiver.selector);
        escrow.openFor(sender, address(0), address(token), DEPOSIT, SALT, stranger);
    }

    function openFor(address whom) private returns (bytes32) {
        vm.prank(funder);
        return escrow.openFor(whom, receiver, address(token), DEPOSIT, SALT, stranger);
    }
}
