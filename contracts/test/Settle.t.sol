// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";

contract SettleTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_PaysTheReceiverWhatTheVoucherSays() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 4 * 10 ** 6);

        assertEq(token.balanceOf(receiver), 4 * 10 ** 6);
        assertEq(token.balanceOf(address(escrow)), 6 * 10 ** 6);
        assertEq(settled(id), 4 * 10 ** 6);
        assertEq(deposited(id), DEPOSIT);
    }

    function test_PaysOnlyTheDifferenceAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        settle(id, 250);

        assertEq(token.balanceOf(receiver), 250);
    }

    function test_PaysAllOfTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        settle(id, DEPOSIT);

        assertEq(token.balanceOf(receiver), DEPOSIT);
        assertFalse(escrow.getChannel(id).finalized);
    }

    function test_TellsTheTotalAndTheDifference() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        vm.expectEmit(address(escrow));
        emit Settled(id, sender, receiver, 250, 150, 250);

        settle(id, 250);
    }

    function test_TakesTheVoucherOfASeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        bytes32 id = open(DEPOSIT, SALT, signer);
        vm.prank(receiver);
        escrow.settle(id, 100, sign(key, id, 100));

        assertEq(token.balanceOf(receiver), 100);
    }

    function test_WorksWhileTheChannelIsClosing() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        uint64 requestedAt = escrow.getChannel(id).closeRequestedAt;
        skip(2 * GRACE);
        settle(id, 100);

        assertEq(token.balanceOf(receiver), 100);
        assertEq(escrow.getChannel(id).closeRequestedAt, requestedAt);
    }

    function test_LeavesOtherChannelsAlone() public {
        bytes32 other = open(DEPOSIT, "other");
        settle(open(DEPOSIT), 100);

        assertEq(settled(other), 0);
        assertEq(deposited(other), DEPOSIT);
    }

    function testFuzz_PaysTheDifferences(uint128 deposit, uint128 first, uint128 second) public {
        deposit = uint128(bound(deposit, 2, type(uint128).max));
        first = uint128(bound(first, 1, deposit - 1));
        second = uint128(bound(second, first + 1, deposit));
        token.mint(sender, type(uint128).max);
        bytes32 id = open(deposit);

        settle(id, first);
        assertEq(token.balanceOf(receiver), first);
        settle(id, second);
        assertEq(token.balanceOf(receiver), second);
        assertEq(settled(id), second);
        assertEq(deposited(id), deposit);
        assertFalse(escrow.getChannel(id).finalized);
    }

    function testFuzz_RefusesAnotherAmountThanTheOneSigned(uint128 signedAmount, uint128 claimed) public {
        bytes32 id = open(DEPOSIT);
        claimed = uint128(bound(claimed, 1, DEPOSIT));
        vm.assume(signedAmount != claimed);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.settle(id, claimed, sign(id, signedAmount));
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RefusesEveryOtherKey(uint256 key) public {
        key = boundPrivateKey(key);
        vm.assume(key != senderKey);
        bytes32 id = open(DEPOSIT);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.settle(id, 100, sign(key, id, 100));
    }

    function test_RevertsForAnyoneButTheReceiver() public {
        bytes32 id = open(DEPOSIT);

        vm.prank(stranger);
        vm.expectRevert(NotReceiver.selector);
        escrow.settle(id, 100, sign(id, 100));
    }

    function test_RevertsForAnUnknownChannel() public {
        vm.expectRevert(ChannelNotFound.selector);
        settle("unknown", 100);
    }

    function test_RevertsAfterTheEnd() public {
        bytes32 id = open(DEPOSIT);
        close(id, 100);

        vm.expectRevert(ChannelFinalized.selector);
        settle(id, 200);
    }

    function test_RevertsForTheSameVoucherAgain() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);

        vm.expectRevert(AmountNotIncreasing.selector);
        settle(id, 100);
    }

    function test_RevertsForASmallerVoucher() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);

        vm.expectRevert(AmountNotIncreasing.selector);
        settle(id, 99);
    }

    function test_RevertsForAVoucherOfNothing() public {
        bytes32 id = open(DEPOSIT);

        vm.expectRevert(AmountNotIncreasing.selector);
        settle(id, 0);
    }

    function test_RevertsForMoreThanTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        open(DEPOSIT, "not this one's money");

        vm.expectRevert(AmountExceedsDeposit.selector);
        settle(id, DEPOSIT + 1);
    }

    function test_RevertsForTheVoucherOfAnotherChannel() public {
        bytes32 id = open(DEPOSIT);
        bytes memory signature = sign(open(DEPOSIT, "other"), 100);

        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.settle(id, 100, signature);
    }

    function test_RevertsForTheSendersVoucherWhenAnotherSigns() public {
        bytes32 id = open(DEPOSIT, SALT, makeAddr("signer"));

        vm.expectRevert(InvalidSignature.selector);
        settle(id, 100);
    }
}
