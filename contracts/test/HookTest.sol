// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev The promises that every hook keeps. `FundedByTransfer.t.sol` has one contract for each.
abstract contract HookTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    PlainToken internal coin;

    /// @dev A transfer of `coin` by the caller, with data.
    function give(uint256 value, bytes memory data) internal virtual;

    /// @dev The hook, called by the caller itself.
    function callHook(address from, uint256 value, bytes memory data) internal virtual;

    function test_OpensAChannel() public {
        bytes32 id = openByTransfer(DEPOSIT);

        IChannelEscrow.Channel memory expected =
            IChannelEscrow.Channel(false, 0, sender, receiver, address(coin), stranger, DEPOSIT, 0);
        assertEq(abi.encode(escrow.getChannel(id)), abi.encode(expected));
        assertEq(coin.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_TellsTheTermsAndTheDeposit() public {
        bytes32 id = escrow.computeChannelId(sender, receiver, address(coin), SALT, stranger);
        vm.expectEmit(address(escrow));
        emit ChannelOpened(id, sender, receiver, address(coin), stranger, SALT, DEPOSIT);

        openByTransfer(DEPOSIT);
    }

    function test_OpensTheSameChannelAsOpen() public {
        vm.startPrank(sender);
        coin.approve(address(escrow), DEPOSIT);
        bytes32 id = escrow.open(receiver, address(coin), DEPOSIT, SALT, stranger);

        vm.expectRevert(ChannelAlreadyExists.selector);
        give(DEPOSIT, terms());
        assertEq(id, escrow.computeChannelId(sender, receiver, address(coin), SALT, stranger));
    }

    function test_TopsUp() public {
        bytes32 id = openByTransfer(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit TopUp(id, sender, receiver, 5, DEPOSIT + 5);
        vm.prank(sender);
        give(5, abi.encode(id));

        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(coin.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_ATopUpTakesARequestToCloseBack() public {
        bytes32 id = openByTransfer(DEPOSIT);
        requestClose(id);
        vm.expectEmit(address(escrow));
        emit CloseRequestCancelled(id, sender, receiver);
        vm.prank(sender);
        give(1, abi.encode(id));

        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    function test_PaysOutLikeAnyChannel() public {
        vm.prank(sender);
        give(DEPOSIT, abi.encode(receiver, SALT, address(0)));
        close(escrow.computeChannelId(sender, receiver, address(coin), SALT, address(0)), 100);

        assertEq(coin.balanceOf(receiver), 100);
        assertEq(coin.balanceOf(address(escrow)), 0);
    }

    function testFuzz_HoldsAnyDeposit(uint128 deposit, uint128 more) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max - 1));
        more = uint128(bound(more, 1, type(uint128).max - deposit));
        deal(address(coin), sender, type(uint128).max);
        bytes32 id = openByTransfer(deposit);
        vm.prank(sender);
        give(more, abi.encode(id));

        assertEq(deposited(id), deposit + more);
        assertEq(coin.balanceOf(address(escrow)), uint256(deposit) + more);
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RevertsForDataOfAnyOtherLength(bytes calldata data) public {
        vm.assume(data.length != 32 && data.length != 96);

        vm.prank(sender);
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, data);
    }

    function test_RevertsForTermsWithAByteMore() public {
        vm.startPrank(sender);
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, abi.encodePacked(terms(), uint8(0)));
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, abi.encodePacked(terms(), uint256(0)));
    }

    function test_RevertsWithoutData() public {
        vm.prank(sender);
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, "");
    }

    function test_RevertsWhenAnAddressHasMoreThan160Bits() public {
        vm.startPrank(sender);
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, abi.encode((1 << 160) | uint256(uint160(receiver)), SALT, address(0)));
        vm.expectRevert(InvalidTransferData.selector);
        give(DEPOSIT, abi.encode(receiver, SALT, uint256(1) << 160));
    }

    function test_RevertsWithoutAReceiver() public {
        vm.prank(sender);
        vm.expectRevert(InvalidReceiver.selector);
        give(DEPOSIT, abi.encode(address(0), SALT, address(0)));
    }

    function test_RevertsWhenTheEscrowIsTheReceiver() public {
        vm.prank(sender);
        vm.expectRevert(InvalidReceiver.selector);
        give(DEPOSIT, abi.encode(address(escrow), SALT, address(0)));
    }

    function test_RevertsWhenTheChannelExists() public {
        openByTransfer(DEPOSIT);

        vm.prank(sender);
        vm.expectRevert(ChannelAlreadyExists.selector);
        give(DEPOSIT, terms());
    }

    function test_RevertsWithoutADeposit() public {
        vm.prank(sender);
        vm.expectRevert(ZeroDeposit.selector);
        give(0, terms());
    }

    function test_RevertsWithoutAnAddition() public {
        bytes32 id = openByTransfer(DEPOSIT);

        vm.prank(sender);
        vm.expectRevert(ZeroDeposit.selector);
        give(0, abi.encode(id));
    }

    function test_RevertsForMoreThanAChannelHolds() public {
        deal(address(coin), sender, 2 ** 128);

        vm.prank(sender);
        vm.expectRevert(DepositOverflow.selector);
        give(2 ** 128, terms());
    }

    function test_RevertsForAnAdditionOfMoreThanAChannelHolds() public {
        deal(address(coin), sender, 2 ** 128);
        bytes32 id = openByTransfer(1);

        vm.prank(sender);
        vm.expectRevert(DepositOverflow.selector);
        give(2 ** 128 - 1, abi.encode(id));
    }

    function test_RevertsForATopUpByAnyoneButTheSender() public {
        bytes32 id = openByTransfer(DEPOSIT);
        coin.mint(receiver, 1);

        vm.prank(receiver);
        vm.expectRevert(NotSender.selector);
        give(1, abi.encode(id));
    }

    function test_RevertsForATopUpInAnotherToken() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(sender);
        vm.expectRevert(InvalidToken.selector);
        give(1, abi.encode(id));
    }

    function test_RevertsForATopUpOfAnUnknownChannel() public {
        vm.prank(sender);
        vm.expectRevert(ChannelNotFound.selector);
        give(1, abi.encode(bytes32("unknown")));
    }

    function test_RevertsForATopUpAfterTheEnd() public {
        bytes32 id = openByTransfer(DEPOSIT);
        withdraw(id);

        vm.prank(sender);
        vm.expectRevert(ChannelFinalized.selector);
        give(1, abi.encode(id));
    }

    function test_RevertsWhenAnAccountPlaysTheToken() public {
        vm.prank(stranger);
        vm.expectRevert(InvalidToken.selector);
        callHook(sender, DEPOSIT, terms());
    }

    function test_RevertsWhenTheTokenHasNotBroughtWhatItSays() public {
        vm.prank(sender);
        give(DEPOSIT, terms());

        vm.prank(address(coin));
        vm.expectRevert(InexactTransfer.selector);
        callHook(sender, DEPOSIT + 1, abi.encode(receiver, keccak256("other"), address(0)));
    }

    function test_RevertsWhenNobodyPaid() public {
        vm.prank(address(coin));
        vm.expectRevert(InvalidSender.selector);
        callHook(address(0), DEPOSIT, terms());
    }

    function terms() private view returns (bytes memory) {
        return abi.encode(receiver, SALT, stranger);
    }

    function openByTransfer(uint128 deposit) private returns (bytes32) {
        vm.prank(sender);
        give(deposit, terms());
        return escrow.computeChannelId(sender, receiver, address(coin), SALT, stranger);
    }
}
