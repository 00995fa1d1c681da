// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {BatchTest} from "./BatchTest.sol";

contract OperatorsTest is BatchTest {
    address private operator = makeAddr("operator");
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        id = open(DEPOSIT);
        vm.prank(receiver);
        escrow.setOperator(operator);
    }

    function test_AReceiverNamesItsOperator() public {
        vm.expectEmit(address(escrow));
        emit OperatorChanged(stranger, operator);
        vm.prank(stranger);
        escrow.setOperator(operator);

        assertEq(escrow.operatorOf(stranger), operator);
        assertEq(escrow.operatorOf(receiver), operator);
        assertEq(escrow.operatorOf(operator), address(0));
    }

    function test_SettlesForTheReceiver() public {
        bytes memory signature = sign(id, 100);
        vm.expectEmit(address(escrow));
        emit Settled(id, sender, receiver, 100, 100, 100);
        vm.prank(operator);
        escrow.settle(id, 100, signature);
        assertPaid(100);
    }

    function test_ClosesForTheReceiver() public {
        bytes memory signature = sign(id, 100);
        vm.expectEmit(address(escrow));
        emit ChannelClosed(id, sender, receiver, 100, DEPOSIT - 100);
        vm.prank(operator);
        escrow.close(id, 100, signature);
        assertPaid(100);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
    }

    function test_ClosesAtLessForTheReceiver() public {
        bytes memory signature = sign(id, 100);
        vm.prank(operator);
        escrow.close(id, 60, 100, signature);
        assertPaid(60);
        assertEq(token.balanceOf(sender), FORTUNE - 60);
    }

    function test_SettlesManyForTheReceiver() public {
        add(id, 100);
        add(open(DEPOSIT, "second"), 20);
        vm.prank(operator);
        assertEq(escrow.settleManyFor(receiver, address(token), rows), 120);
        assertPaid(120);
    }

    function test_TheReceiverMayUseThatToo() public {
        add(id, 100);
        vm.prank(receiver);
        assertEq(escrow.settleManyFor(receiver, address(token), rows), 100);
        assertPaid(100);
    }

    /// @dev In `settleMany` the caller is the receiver, and this one has no channels.
    function test_SettleManyIsForReceiversAlone() public {
        add(id, 100);
        expectSkip(id, NotReceiver.selector);
        vm.prank(operator);
        assertEq(escrow.settleMany(address(token), rows), 0);
        assertPaid(0);
    }

    /// @dev The rows of one receiver never pay another, also if one operator acts for both.
    function test_ABatchIsOfOneReceiver() public {
        bytes32 mine = id;
        address other = makeAddr("other receiver");
        vm.prank(other);
        escrow.setOperator(operator);
        vm.prank(sender);
        bytes32 theirs = escrow.open(other, address(token), DEPOSIT, SALT, address(0));
        add(mine, 100);
        add(theirs, 20);

        expectSkip(theirs, NotReceiver.selector);
        vm.prank(operator);
        assertEq(escrow.settleManyFor(receiver, address(token), rows), 100);
        expectSkip(mine, NotReceiver.selector);
        vm.prank(operator);
        assertEq(escrow.settleManyFor(other, address(token), rows), 20);
        assertEq(token.balanceOf(other), 20);
        assertPaid(100);
    }

    function test_SettlesAChannelWithASeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        id = open(DEPOSIT, "signed", signer);
        add(id, 100, sign(key, id, 100));
        vm.prank(operator);
        assertEq(escrow.settleManyFor(receiver, address(token), rows), 100);
        assertPaid(100);
    }

    function test_AnOperatorForfeitsAtWhatWasSettled() public {
        settle(id, 100);
        vm.prank(operator);
        escrow.close(id, 0, NO_SIGNATURE);
        assertPaid(100);
    }

    function test_ARemovedOperatorCanDoNothing() public {
        vm.prank(receiver);
        escrow.setOperator(address(0));
        assertEq(escrow.operatorOf(receiver), address(0));
        assertRefusedAs(operator);
    }

    function test_AReplacedOperatorCanDoNothing() public {
        vm.prank(receiver);
        escrow.setOperator(stranger);
        assertRefusedAs(operator);
        bytes memory signature = sign(id, 100);
        vm.prank(stranger);
        escrow.settle(id, 100, signature);
    }

    function test_NobodyElseCanDoAnything() public {
        assertRefusedAs(stranger);
        assertRefusedAs(sender);
        vm.prank(operator);
        escrow.setOperator(stranger);
        assertRefusedAs(stranger);
    }

    function test_TheOperatorOfTheSenderHasNoSay() public {
        vm.prank(sender);
        escrow.setOperator(stranger);
        assertRefusedAs(stranger);
        vm.startPrank(stranger);
        vm.expectRevert(NotSender.selector);
        escrow.requestClose(id);
        vm.expectRevert(NotSender.selector);
        escrow.topUp(id, 1);
        vm.expectRevert(NotSender.selector);
        escrow.withdraw(id);
    }

    /// @dev The receiver pays nothing for the operator that it may have: its slot is not looked at.
    function test_TheReceiversOwnPathDoesNotLookAtTheOperator() public {
        bytes32 slot = keccak256(abi.encode(receiver, 2));
        assertEq(vm.load(address(escrow), slot), bytes32(uint256(uint160(operator))));
        bytes32 second = open(DEPOSIT, "second");
        add(second, 100);
        vm.record();
        settle(id, 100);
        close(id, 200);
        settleMany();
        (bytes32[] memory reads,) = vm.accesses(address(escrow));
        for (uint256 i; i < reads.length; ++i) {
            assertNotEq(reads[i], slot);
        }
    }

    function assertRefusedAs(address caller) private {
        bytes memory signature = sign(id, 100);
        delete rows;
        add(id, 100);
        vm.startPrank(caller);
        vm.expectRevert(NotReceiver.selector);
        escrow.settle(id, 100, signature);
        vm.expectRevert(NotReceiver.selector);
        escrow.close(id, 100, signature);
        vm.expectRevert(NotReceiver.selector);
        escrow.close(id, 60, 100, signature);
        vm.expectRevert(NotReceiver.selector);
        escrow.settleManyFor(receiver, address(token), rows);
        vm.stopPrank();
    }

    function assertPaid(uint256 amount) private view {
        assertEq(token.balanceOf(receiver), amount);
        assertEq(token.balanceOf(operator), 0);
    }
}
