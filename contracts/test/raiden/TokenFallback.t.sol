// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC223Token, OldERC223Token} from "../tokens/ERC223Token.sol";
import {IDemoToken} from "../tokens/IDemoToken.sol";
import {PlainToken} from "../tokens/PlainToken.sol";
import {RaidenTest} from "./RaidenTest.sol";

contract TokenFallbackTest is RaidenTest {
    address private delegate = makeAddr("delegate");

    function setUp() public virtual override {
        super.setUp();
        useToken(new OldERC223Token());
        trust(delegate);
        token.mint(delegate, FORTUNE);
    }

    function test_OpensAChannel() public {
        vm.expectEmit(address(escrow));
        emit ChannelCreated(sender, receiver, DEPOSIT);
        give(sender, DEPOSIT, terms());

        assertOpen(1_000, DEPOSIT, 0);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_TopsUp() public {
        give(sender, DEPOSIT, terms());
        vm.expectEmit(address(escrow));
        emit ChannelToppedUp(sender, receiver, 1_000, 5);
        give(sender, 5, name(1_000));

        assertOpen(1_000, DEPOSIT + 5, 0);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_OpensWithoutADeposit() public {
        give(sender, 0, terms());
        assertOpen(1_000, 0, 0);
    }

    function test_OpensTheSameChannelAsACall() public {
        vm.prank(sender);
        escrow.createChannel(receiver, DEPOSIT);
        assertRefused(sender, DEPOSIT, terms(), ChannelAlreadyExists.selector);
    }

    function test_PaysOutLikeAnyChannel() public {
        give(sender, DEPOSIT, terms());
        withdraw(1_000, 100);
        close(1_000, 250);
        assertEq(token.balanceOf(receiver), 250);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_ATrustedContractFundsTheChannelOfAnother() public {
        vm.expectEmit(address(escrow));
        emit ChannelCreated(sender, receiver, DEPOSIT);
        give(delegate, DEPOSIT, terms());
        vm.expectEmit(address(escrow));
        emit ChannelToppedUp(sender, receiver, 1_000, 5);
        give(delegate, 5, name(1_000));

        assertOpen(1_000, DEPOSIT + 5, 0);
        assertEq(token.balanceOf(sender), FORTUNE);
        assertEq(token.balanceOf(delegate), FORTUNE - DEPOSIT - 5);
    }

    function test_ATrustedContractHasChannelsOfItsOwn() public {
        give(delegate, DEPOSIT, abi.encodePacked(delegate, receiver));
        (uint192 deposit,) = escrow.channels(keyOf(delegate, receiver, 1_000));
        assertEq(deposit, DEPOSIT);
    }

    function testFuzz_KeepsAnyTerms(address from, address to, uint32 openBlock, uint192 deposit, uint192 added) public {
        vm.assume(isParty(from) && isParty(to));
        (sender, receiver) = (from, to);
        openBlock = uint32(bound(openBlock, 1, type(uint32).max));
        deposit = uint192(bound(deposit, 0, MOST - 1));
        added = uint192(bound(added, 1, MOST - deposit));
        vm.roll(openBlock);
        vm.startPrank(address(token));
        escrow.tokenFallback(sender, deposit, terms());
        escrow.tokenFallback(sender, added, name(openBlock));
        vm.stopPrank();

        assertOpen(openBlock, deposit + added, 0);
    }

    function test_RevertsForAnyoneButTheToken() public {
        PlainToken other = new OldERC223Token();
        other.mint(sender, DEPOSIT);
        vm.prank(sender);
        vm.expectRevert(NotToken.selector);
        OldERC223Token(address(other)).transfer(address(escrow), DEPOSIT, terms());
        vm.prank(sender);
        vm.expectRevert(NotToken.selector);
        escrow.tokenFallback(sender, DEPOSIT, terms());
        vm.prank(delegate);
        vm.expectRevert(NotToken.selector);
        escrow.tokenFallback(sender, DEPOSIT, terms());
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RevertsForDataOfAnyOtherLength(uint256 length) public {
        length = bound(length, 0, 128);
        vm.assume(length != 40 && length != 44);
        bytes memory padded = abi.encodePacked(name(1_000), new bytes(84));
        bytes memory data = new bytes(length);
        for (uint256 i; i < length; ++i) {
            data[i] = padded[i];
        }
        assertRefused(sender, DEPOSIT, data, InvalidTransferData.selector);
    }

    function test_RevertsForMoreThanTheMost() public {
        deal(address(token), sender, 2 ** 200);
        assertRefused(sender, uint256(MOST) + 1, terms(), DepositOverflow.selector);
        assertRefused(sender, 2 ** 192, terms(), DepositOverflow.selector);
        assertRefused(sender, 2 ** 192 + 5, terms(), DepositOverflow.selector);
        give(sender, MOST - 5, terms());
        assertRefused(sender, 6, name(1_000), DepositOverflow.selector);
        assertRefused(sender, 2 ** 192 + 5, name(1_000), DepositOverflow.selector);
        give(sender, 5, name(1_000));
        assertOpen(1_000, MOST, 0);
    }

    function test_RevertsWhenSomeoneElsePays() public {
        token.mint(stranger, DEPOSIT);
        assertRefused(stranger, DEPOSIT, terms(), NotTrusted.selector);
        give(sender, DEPOSIT, terms());
        assertRefused(stranger, 5, name(1_000), NotTrusted.selector);
    }

    function test_RevertsWhenTheContractIsTrustedNoLonger() public {
        give(delegate, DEPOSIT, terms());
        address[] memory accounts = new address[](1);
        accounts[0] = delegate;
        escrow.removeTrustedContracts(accounts);
        assertRefused(delegate, 5, name(1_000), NotTrusted.selector);
        pass(1);
        assertRefused(delegate, DEPOSIT, terms(), NotTrusted.selector);
    }

    function test_RevertsForAReceiverThatCannotBePaid() public {
        address[3] memory nobody = [address(0), address(token), address(escrow)];
        for (uint256 i; i < 3; ++i) {
            assertRefused(sender, DEPOSIT, abi.encodePacked(sender, nobody[i]), InvalidReceiver.selector);
        }
    }

    function test_RevertsForASenderThatCannotBePaid() public {
        address[3] memory nobody = [address(0), address(token), address(escrow)];
        for (uint256 i; i < 3; ++i) {
            assertRefused(delegate, DEPOSIT, abi.encodePacked(nobody[i], receiver), InvalidSender.selector);
        }
    }

    function test_RevertsWhenNobodyPaid() public {
        vm.prank(address(token));
        vm.expectRevert(InvalidSender.selector);
        escrow.tokenFallback(address(0), DEPOSIT, abi.encodePacked(address(0), receiver));
    }

    function test_RevertsForATopUpOfNothing() public {
        give(sender, DEPOSIT, terms());
        assertRefused(sender, 0, name(1_000), ZeroDeposit.selector);
    }

    function test_RevertsForATopUpOfAnUnknownChannel() public {
        give(sender, DEPOSIT, terms());
        assertRefused(sender, 5, name(999), ChannelNotFound.selector);
        assertRefused(sender, 5, name(0), ChannelNotFound.selector);
    }

    function test_RevertsForATopUpWhileClosing() public {
        give(sender, DEPOSIT, terms());
        requestClose(1_000, 0);
        assertRefused(sender, 5, name(1_000), ChannelClosing.selector);
    }

    function terms() private view returns (bytes memory) {
        return abi.encodePacked(sender, receiver);
    }

    function name(uint32 openBlock) private view returns (bytes memory) {
        return abi.encodePacked(sender, receiver, openBlock);
    }

    function isParty(address account) private view returns (bool) {
        return account != address(0) && account != address(token) && account != address(escrow);
    }

    function give(address from, uint256 value, bytes memory data) internal virtual {
        vm.prank(from);
        OldERC223Token(address(token)).transfer(address(escrow), value, data);
    }

    function assertRefused(address from, uint256 value, bytes memory data, bytes4 reason) private {
        uint256 before = token.balanceOf(from);
        vm.expectRevert(reason);
        this.giveFromOutside(from, value, data);
        assertEq(token.balanceOf(from), before);
    }

    function giveFromOutside(address from, uint256 value, bytes memory data) external {
        give(from, value, data);
    }
}

/// @dev A token that knows the newer hook only, and wants the right answer.
contract TokenReceivedTest is TokenFallbackTest {
    function setUp() public override {
        super.setUp();
        vm.etch(address(token), address(new ERC223Token()).code);
    }

    function test_RevertsForAnyoneButTheTokenAgain() public {
        vm.prank(sender);
        vm.expectRevert(NotToken.selector);
        escrow.tokenReceived(sender, DEPOSIT, abi.encodePacked(sender, receiver));
    }
}

/// @dev The demo token, which calls the newer hook first.
contract DemoTokenFallbackTest is TokenFallbackTest {
    function setUp() public override {
        super.setUp();
        bytes memory demo = deployCode("DemoToken.sol", abi.encode("Demo", "DEMO", uint8(18), uint256(0))).code;
        vm.etch(address(token), demo);
    }

    function give(address from, uint256 value, bytes memory data) internal override {
        vm.prank(from);
        IDemoToken(address(token)).transfer(address(escrow), value, data);
    }
}
