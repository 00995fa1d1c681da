// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenTest} from "./RaidenTest.sol";

/// @dev Who is trusted, and what the trusted can do.
contract DelegatesTest is RaidenTest {
    address private delegate = makeAddr("delegate");

    function setUp() public override {
        super.setUp();
        trust(delegate);
        token.mint(delegate, FORTUNE);
        vm.prank(delegate);
        token.approve(address(escrow), type(uint256).max);
    }

    function test_OpensForAnother() public {
        vm.expectEmit(address(escrow));
        emit ChannelCreated(sender, receiver, DEPOSIT);
        createFor(sender, receiver, DEPOSIT);

        assertOpen(1_000, DEPOSIT, 0);
        assertEq(token.balanceOf(sender), FORTUNE);
        assertEq(token.balanceOf(delegate), FORTUNE - DEPOSIT);
    }

    function test_TopsUpForAnother() public {
        uint32 openBlock = create(DEPOSIT);
        vm.expectEmit(address(escrow));
        emit ChannelToppedUp(sender, receiver, openBlock, 5);
        vm.prank(delegate);
        escrow.topUpDelegate(sender, receiver, openBlock, 5);

        assertOpen(openBlock, DEPOSIT + 5, 0);
        assertEq(token.balanceOf(delegate), FORTUNE - 5);
    }

    function test_TheChannelIsTheSenders() public {
        createFor(sender, receiver, DEPOSIT);
        requestClose(1_000, 100);
        pass(PERIOD + 1);
        vm.prank(delegate);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.settle(receiver, 1_000);
        settle(1_000);
        assertEq(token.balanceOf(sender), FORTUNE + DEPOSIT - 100);
    }

    function test_RevertsForWhoIsNotTrusted() public {
        vm.startPrank(stranger);
        vm.expectRevert(NotTrusted.selector);
        escrow.createChannelDelegate(stranger, receiver, 0);
        vm.expectRevert(NotTrusted.selector);
        escrow.topUpDelegate(stranger, receiver, 1_000, 5);
    }

    function test_TheOwnerIsNotTrustedForThat() public {
        vm.expectRevert(NotTrusted.selector);
        escrow.createChannelDelegate(sender, receiver, 0);
    }

    function test_RevertsForASenderThatCannotBePaid() public {
        address[3] memory nobody = [address(0), address(token), address(escrow)];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(InvalidSender.selector);
            createFor(nobody[i], receiver, DEPOSIT);
        }
    }

    function test_RevertsForAReceiverThatCannotBePaid() public {
        address[3] memory nobody = [address(0), address(token), address(escrow)];
        for (uint256 i; i < 3; ++i) {
            vm.expectRevert(InvalidReceiver.selector);
            createFor(sender, nobody[i], DEPOSIT);
        }
    }

    function test_RevertsAsTheSendersOwnCallsDo() public {
        vm.expectRevert(DepositOverflow.selector);
        createFor(sender, receiver, MOST + 1);
        createFor(sender, receiver, DEPOSIT);
        vm.expectRevert(ChannelAlreadyExists.selector);
        createFor(sender, receiver, DEPOSIT);
        vm.startPrank(delegate);
        vm.expectRevert(ZeroDeposit.selector);
        escrow.topUpDelegate(sender, receiver, 1_000, 0);
        vm.expectRevert(ChannelNotFound.selector);
        escrow.topUpDelegate(sender, receiver, 999, 5);
        vm.expectRevert(DepositOverflow.selector);
        escrow.topUpDelegate(sender, receiver, 1_000, MOST);
        vm.stopPrank();
        requestClose(1_000, 0);
        vm.prank(delegate);
        vm.expectRevert(ChannelClosing.selector);
        escrow.topUpDelegate(sender, receiver, 1_000, 5);
    }

    function test_TellsWhoIsTrusted() public {
        address[] memory accounts = contracts(3);
        for (uint256 i; i < 3; ++i) {
            vm.expectEmit(address(escrow));
            emit TrustedContract(accounts[i], true);
        }
        escrow.addTrustedContracts(accounts);
        for (uint256 i; i < 3; ++i) {
            assertTrue(escrow.trusted_contracts(accounts[i]));
            vm.expectEmit(address(escrow));
            emit TrustedContract(accounts[i], false);
        }
        escrow.removeTrustedContracts(accounts);
        for (uint256 i; i < 3; ++i) {
            assertFalse(escrow.trusted_contracts(accounts[i]));
        }
        assertTrue(escrow.trusted_contracts(delegate));
    }

    function test_LeavesOutWhatIsNoContract() public {
        address[] memory accounts = contracts(3);
        accounts[0] = address(0);
        accounts[2] = stranger;
        vm.recordLogs();
        escrow.addTrustedContracts(accounts);

        assertEq(vm.getRecordedLogs().length, 1);
        assertFalse(escrow.trusted_contracts(address(0)));
        assertTrue(escrow.trusted_contracts(accounts[1]));
        assertFalse(escrow.trusted_contracts(stranger));
    }

    function test_TellsAgainWhoIsTrustedAlready() public {
        address[] memory accounts = new address[](1);
        accounts[0] = delegate;
        vm.expectEmit(address(escrow));
        emit TrustedContract(delegate, true);
        escrow.addTrustedContracts(accounts);
    }

    function test_SaysNothingOfWhoWasNotTrusted() public {
        address[] memory accounts = contracts(2);
        accounts[1] = delegate;
        vm.recordLogs();
        escrow.removeTrustedContracts(accounts);

        assertEq(vm.getRecordedLogs().length, 1);
        assertFalse(escrow.trusted_contracts(delegate));
        vm.expectRevert(NotTrusted.selector);
        createFor(sender, receiver, DEPOSIT);
    }

    function test_RevertsForAnyoneButTheOwner() public {
        address[] memory accounts = contracts(1);
        assertEq(escrow.owner_address(), address(this));
        vm.startPrank(delegate);
        vm.expectRevert(NotOwner.selector);
        escrow.addTrustedContracts(accounts);
        vm.expectRevert(NotOwner.selector);
        escrow.removeTrustedContracts(accounts);
        vm.expectRevert(NotOwner.selector);
        escrow.addTrustedContracts(new address[](0));
    }

    function createFor(address from, address to, uint192 deposit) private {
        vm.prank(delegate);
        escrow.createChannelDelegate(from, to, deposit);
    }

    function contracts(uint256 count) private returns (address[] memory accounts) {
        accounts = new address[](count);
        for (uint256 i; i < count; ++i) {
            accounts[i] = makeAddr(vm.toString(i));
            vm.etch(accounts[i], hex"00");
        }
    }
}
