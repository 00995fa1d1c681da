// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

contract TopUpTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    uint128 private constant MORE = 3 * 10 ** 6;

    function test_AddsToTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        topUp(id, MORE);

        assertEq(deposited(id), DEPOSIT + MORE);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT + MORE);
    }

    function test_AddsToTheDepositWhateverWasSettled() public {
        bytes32 id = open(DEPOSIT);
        settle(id, DEPOSIT);
        topUp(id, MORE);

        assertEq(deposited(id), DEPOSIT + MORE);
        assertEq(settled(id), DEPOSIT);
    }

    function test_MakesALargerVoucherGood() public {
        bytes32 id = open(DEPOSIT);
        topUp(id, MORE);
        settle(id, DEPOSIT + MORE);

        assertEq(token.balanceOf(receiver), DEPOSIT + MORE);
    }

    function test_TellsTheAdditionAndTheSum() public {
        bytes32 id = open(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit TopUp(id, sender, receiver, MORE, DEPOSIT + MORE);

        topUp(id, MORE);
    }

    function test_TakesARequestToCloseBack() public {
        bytes32 id = open(DEPOSIT, SALT, stranger);
        requestClose(id);
        vm.expectEmit(address(escrow));
        emit CloseRequestCancelled(id, sender, receiver);
        topUp(id, 1);

        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
        assertEq(escrow.getChannel(id).signer, stranger);
        skip(GRACE);
        vm.prank(sender);
        vm.expectRevert(CloseNotReady.selector);
        escrow.withdraw(id);
    }

    function test_KeepsTheSeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        bytes32 id = open(DEPOSIT, SALT, signer);
        requestClose(id);
        topUp(id, 1);
        vm.prank(receiver);
        escrow.settle(id, 100, sign(key, id, 100));

        assertEq(settled(id), 100);
    }

    function test_TellsOfNoCancellationWhenNothingWasRequested() public {
        bytes32 id = open(DEPOSIT);
        vm.recordLogs();
        topUp(id, MORE);

        assertEq(vm.getRecordedLogs().length, 2, "TopUp, and the token's Transfer");
    }

    function test_ARequestAfterATopUpStartsAnew() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(GRACE - 1);
        topUp(id, 1);
        requestClose(id);
        skip(GRACE - 1);

        vm.prank(sender);
        vm.expectRevert(CloseNotReady.selector);
        escrow.withdraw(id);
    }

    function testFuzz_AddsUpToTheMostThatAChannelHolds(uint128 deposit, uint128 more) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max - 1));
        more = uint128(bound(more, 1, type(uint128).max - deposit));
        token.mint(sender, type(uint128).max);
        bytes32 id = open(deposit);
        topUp(id, more);

        assertEq(deposited(id), deposit + more);
        assertEq(settled(id), 0);
        assertEq(token.balanceOf(address(escrow)), uint256(deposit) + more);
    }

    function test_RevertsWhenTheChannelWouldHoldMoreThanItCan() public {
        token.mint(sender, type(uint128).max);
        bytes32 id = open(type(uint128).max - 5);

        vm.expectRevert(DepositOverflow.selector);
        topUp(id, 6);
    }

    function test_RevertsWithoutAnAddition() public {
        bytes32 id = open(DEPOSIT);

        vm.expectRevert(ZeroDeposit.selector);
        topUp(id, 0);
    }

    function test_RevertsForAnyoneButTheSender() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        escrow.topUp(id, MORE);
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        topUp("unknown", MORE);
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        close(id, DEPOSIT);

        vm.expectRevert(ChannelFinalized.selector);
        topUp(id, MORE);
    }

    function topUp(bytes32 id, uint128 amount) private {
        vm.prank(sender);
        escrow.topUp(id, amount);
    }
}
