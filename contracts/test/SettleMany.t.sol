// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {BatchTest} from "./BatchTest.sol";

contract SettleManyTest is BatchTest {
    function test_PaysAllRowsWithOneTransfer() public {
        bytes32 first = open(DEPOSIT, "first");
        bytes32 second = open(DEPOSIT, "second");
        bytes32 third = open(DEPOSIT, "third");
        add(first, 100);
        add(second, 20);
        add(third, 3);
        vm.recordLogs();

        assertEq(settleMany(), 123);
        assertEq(vm.getRecordedLogs().length, 4, "three Settled, and one Transfer");
        assertEq(token.balanceOf(receiver), 123);
        assertEq(settled(first), 100);
        assertEq(settled(second), 20);
        assertEq(settled(third), 3);
        assertEq(deposited(third), DEPOSIT);
    }

    function test_TellsOfEachRowWhatSettleWould() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        add(id, 250);
        vm.expectEmit(address(escrow));
        emit Settled(id, sender, receiver, 250, 150, 250);

        settleMany();
    }

    function test_PaysOnlyTheDifferenceAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        add(id, 250);

        assertEq(settleMany(), 150);
        assertEq(token.balanceOf(receiver), 250);
    }

    function test_PaysChannelsOfSeveralSenders() public {
        (address other, uint256 otherKey) = makeAddrAndKey("other sender");
        token.mint(other, DEPOSIT);
        vm.startPrank(other);
        token.approve(address(escrow), DEPOSIT);
        bytes32 theirs = escrow.open(receiver, address(token), DEPOSIT, SALT, address(0));
        vm.stopPrank();
        add(open(DEPOSIT), 100);
        add(theirs, 20, sign(otherKey, theirs, 20));

        assertEq(settleMany(), 120);
    }

    function test_PaysAChannelWithASeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        bytes32 id = open(DEPOSIT, SALT, signer);
        add(id, 100, sign(key, id, 100));

        assertEq(settleMany(), 100);
        assertEq(settled(id), 100);
    }

    function test_PaysAChannelThatIsClosing() public {
        bytes32 id = open(DEPOSIT);
        requestClose(id);
        skip(2 * GRACE);
        add(id, 100);

        assertEq(settleMany(), 100);
        assertNotEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    function test_PaysAChannelThatWasSettledForMoreThanAnyOtherHolds() public {
        deal(address(token), sender, type(uint128).max);
        bytes32 id = open(type(uint128).max);
        settle(id, 2 ** 127);
        add(id, type(uint128).max);

        assertEq(settleMany(), 2 ** 127 - 1);
        assertEq(token.balanceOf(receiver), type(uint128).max);
    }

    function test_NeverSkipsAGoodRowForLackOfGas() public {
        bytes32 id = open(DEPOSIT);
        add(id, 100);
        bytes memory batch = abi.encodeCall(IChannelEscrow.settleMany, (address(token), rows));
        bool done;
        for (uint256 gasLimit = 10_000; !done; gasLimit += 13) {
            vm.prank(receiver);
            (done,) = address(escrow).call{gas: gasLimit}(batch);
        }
        assertEq(settled(id), 100);
    }

    /// @dev Batches have a road of their own through the code; it has to lead where `settle` leads.
    function testFuzz_AgreesWithSettle(uint128 deposit, uint128 before, uint128 amount, uint8 state, uint8 flaw)
        public
    {
        deposit = uint128(bound(deposit, 2, type(uint128).max));
        before = uint128(bound(before, 0, deposit));
        deal(address(token), sender, deposit);
        (address signer, uint256 key) = state & 1 == 0 ? (address(0), senderKey) : makeAddrAndKey("signer");
        bytes32 id = open(deposit, SALT, signer);
        vm.startPrank(receiver);
        if (before > 0) escrow.settle(id, before, sign(key, id, before));
        vm.stopPrank();
        if (state & 2 != 0) requestClose(id);
        if (state & 12 == 12) close(id, 0);
        bytes memory signature = sign(flaw & 7 == 0 ? key ^ 1 : key, id, amount);
        if (flaw & 24 == 24) signature = malleate(signature);
        add(id, amount, signature);

        uint256 snapshot = vm.snapshotState();
        vm.prank(receiver);
        (bool paid, bytes memory reason) =
            address(escrow).call(abi.encodeCall(IChannelEscrow.settle, (id, amount, signature)));
        bytes memory channel = abi.encode(escrow.getChannel(id));
        uint256 balance = token.balanceOf(receiver);
        vm.revertToState(snapshot);

        if (!paid) expectSkip(id, bytes4(reason));
        assertEq(settleMany(), balance - before);
        assertEq(abi.encode(escrow.getChannel(id)), channel);
        assertEq(token.balanceOf(receiver), balance);
    }
}
