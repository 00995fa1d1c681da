// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HookToken} from "../tokens/HookToken.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev There is no guard, so everything is tried from within everything that calls the token. Whatever happens, the
///      escrow holds to the unit what its channels hold.
contract RaidenReentrancyTest is RaidenTest {
    struct Act {
        address by;
        address on;
        bytes call;
    }

    HookToken private hook;
    uint32 private running;
    uint32 private closing;
    uint32 private bystander;
    uint32 private present;
    Act[] private outer;
    Act[] private inner;

    function setUp() public override {
        super.setUp();
        hook = new HookToken();
        useToken(hook);
        running = create(DEPOSIT);
        closing = create(DEPOSIT);
        bystander = create(DEPOSIT);
        withdraw(running, 1 ether);
        withdraw(closing, 1 ether);
        requestClose(closing, 2 ether);
        pass(PERIOD + 1);
        present = uint32(vm.getBlockNumber());

        outer.push(Act(sender, address(escrow), abi.encodeCall(escrow.createChannel, (receiver, DEPOSIT))));
        outer.push(Act(sender, address(escrow), abi.encodeCall(escrow.topUp, (receiver, running, DEPOSIT))));
        outer.push(withdrawal(running, 3 ether));
        outer.push(end(running, 3 ether));
        outer.push(Act(sender, address(escrow), abi.encodeCall(escrow.settle, (receiver, closing))));

        for (uint256 i; i < outer.length; ++i) {
            inner.push(outer[i]);
        }
        inner.push(Act(sender, address(escrow), abi.encodeCall(escrow.createChannel, (stranger, DEPOSIT))));
        inner.push(withdrawal(running, 4 ether));
        inner.push(end(running, 4 ether));
        inner.push(end(closing, 4 ether));
        inner.push(withdrawal(present, 4 ether));
        inner.push(end(present, 4 ether));
        inner.push(end(present, DEPOSIT));
        inner.push(
            Act(sender, address(escrow), abi.encodeCall(escrow.uncooperativeClose, (receiver, running, 3 ether)))
        );
        inner.push(gift(abi.encodePacked(sender, receiver)));
        inner.push(gift(abi.encodePacked(sender, stranger)));
        inner.push(gift(abi.encodePacked(sender, receiver, running)));
        inner.push(gift(abi.encodePacked(sender, receiver, present)));
    }

    function test_NothingIsGainedFromWithin() public {
        uint256 worked;
        for (uint256 o; o < outer.length; ++o) {
            for (uint256 i; i < inner.length; ++i) {
                for (uint256 early; early < 2; ++early) {
                    uint256 snapshot = vm.snapshotState();
                    hook.plan(early == 1, inner[i].by, inner[i].on, inner[i].call);
                    bool done = perform(outer[o]);
                    assertTrue(!done || hook.acted(), "nothing was tried");
                    if (done && hook.succeeded()) ++worked;
                    assertSolvent();
                    assertOpen(bystander, DEPOSIT, 0);
                    vm.revertToState(snapshot);
                }
            }
        }
        assertGt(worked, 50, "what fails anyway shows nothing");
    }

    function test_EveryActWorksWhenItIsNotFromWithin() public {
        for (uint256 i; i < inner.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (!perform(inner[i])) {
                perform(outer[0]);
                assertTrue(perform(inner[i]), "an act that fails anyway shows nothing");
            }
            assertSolvent();
            vm.revertToState(snapshot);
        }
    }

    function test_ADepositIsNotPaidOutBeforeItIsThere() public {
        Act memory theft = end(present, DEPOSIT);
        hook.plan(true, theft.by, theft.on, theft.call);
        vm.prank(sender);
        vm.expectRevert(InexactTransfer.selector);
        escrow.createChannel(receiver, DEPOSIT);
    }

    function test_APaymentIsNotMadeTwice() public {
        Act memory again = withdrawal(running, 3 ether);
        hook.plan(true, again.by, again.on, again.call);
        withdraw(running, 3 ether);

        assertFalse(hook.succeeded());
        assertEq(token.balanceOf(receiver), 4 ether, "of which another channel paid one");
    }

    function perform(Act memory act) private returns (bool done) {
        vm.prank(act.by);
        (done,) = act.on.call(act.call);
    }

    function withdrawal(uint32 openBlock, uint192 balance) private view returns (Act memory) {
        bytes memory signature = voucher(receiver, openBlock, balance);
        return Act(receiver, address(escrow), abi.encodeCall(escrow.withdraw, (openBlock, balance, signature)));
    }

    function end(uint32 openBlock, uint192 balance) private view returns (Act memory) {
        bytes memory mine = voucher(receiver, openBlock, balance);
        bytes memory theirs = consent(sender, openBlock, balance);
        return Act(
            stranger,
            address(escrow),
            abi.encodeCall(escrow.cooperativeClose, (receiver, openBlock, balance, mine, theirs))
        );
    }

    function gift(bytes memory data) private view returns (Act memory) {
        return Act(
            sender,
            address(hook),
            abi.encodeWithSignature("transfer(address,uint256,bytes)", address(escrow), 5 ether, data)
        );
    }

    function assertSolvent() private view {
        uint256 held = heldBy(receiver, running) + heldBy(receiver, closing) + heldBy(receiver, bystander)
            + heldBy(receiver, present) + heldBy(stranger, present);
        assertEq(token.balanceOf(address(escrow)), held);
    }

    function heldBy(address to, uint32 openBlock) private view returns (uint256) {
        bytes32 key = keyOf(sender, to, openBlock);
        (uint192 deposit,) = escrow.channels(key);
        return deposit - escrow.withdrawn_balances(key);
    }
}
