// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PermitTest} from "./OpenWithPermit.t.sol";

contract TopUpWithPermitTest is PermitTest {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        vm.prank(sender);
        demo.approve(address(escrow), DEPOSIT);
        id = open(address(demo), DEPOSIT, SALT, address(0));
    }

    function test_AddsToTheDepositWithoutAnApproval() public {
        topUpWithPermit(senderKey, 5);

        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(demo.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_TakesARequestToCloseBack() public {
        requestClose(id);
        vm.expectEmit(address(escrow));
        emit CloseRequestCancelled(id, sender, receiver);
        topUpWithPermit(senderKey, 5);

        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    function test_APermitThatWasSentByAnotherFirstDoesNoHarm() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(senderKey, 5);
        vm.prank(stranger);
        demo.permit(sender, address(escrow), 5, deadline, v, r, s);

        vm.prank(sender);
        escrow.topUpWithPermit(id, 5, deadline, v, r, s);
        assertEq(deposited(id), DEPOSIT + 5);
    }

    function test_RevertsForABadPermitWithoutAnApproval() public {
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        topUpWithPermit(senderKey ^ 1, 5);
    }

    function test_RevertsForAnyoneButTheSender() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(senderKey, 5);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        escrow.topUpWithPermit(id, 5, deadline, v, r, s);
    }

    function test_RevertsWithoutAnAddition() public {
        vm.expectRevert(ZeroDeposit.selector);
        topUpWithPermit(senderKey, 0);
    }

    function test_RevertsWhenTheChannelWouldHoldMoreThanItCan() public {
        vm.expectRevert(DepositOverflow.selector);
        topUpWithPermit(senderKey, type(uint128).max - DEPOSIT + 1);
    }

    function test_RevertsForAnUnknownChannel() public {
        id = "unknown";

        vm.expectRevert(ChannelNotFound.selector);
        topUpWithPermit(senderKey, 5);
    }

    function test_RevertsAfterTheEnd() public {
        close(id, 0);

        vm.expectRevert(ChannelFinalized.selector);
        topUpWithPermit(senderKey, 5);
    }

    function topUpWithPermit(uint256 key, uint128 amount) private {
        (uint8 v, bytes32 r, bytes32 s) = permit(key, amount);
        vm.prank(sender);
        escrow.topUpWithPermit(id, amount, deadline, v, r, s);
    }
}
