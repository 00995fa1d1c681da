// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EscrowTest} from "./EscrowTest.sol";
import "./tokens/OddTokens.sol" as Odd;
import {PlainToken} from "./tokens/PlainToken.sol";

contract OddTokensTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;

    function test_AnyNumberOfDecimalsWillDo() public {
        uint8[4] memory decimals = [0, 6, 18, 24];
        for (uint256 i; i < decimals.length; ++i) {
            PlainToken any = new PlainToken(decimals[i]);
            uint128 unit = uint128(10 ** decimals[i]);
            bytes32 id = openIn(any, 3 * unit);
            close(id, 2 * unit);

            assertEq(any.balanceOf(receiver), 2 * unit);
            assertEq(any.balanceOf(sender), unit);
        }
    }

    function test_ATokenThatReturnsNothingWillDo() public {
        PlainToken silent = PlainToken(address(new Odd.SilentToken()));
        bytes32 id = openIn(silent, DEPOSIT);
        settle(id, 100);
        close(id, 250);

        assertEq(silent.balanceOf(receiver), 250);
        assertEq(silent.balanceOf(sender), DEPOSIT - 250);
    }

    function test_AFeeOnTransferIsRefused() public {
        PlainToken fee = new Odd.FeeToken();
        prepare(fee, DEPOSIT);

        vm.expectRevert(InexactTransfer.selector);
        open(address(fee), DEPOSIT, SALT, address(0));
    }

    function test_AFeeOnTopUpIsRefused() public {
        PlainToken plain = new PlainToken(6);
        bytes32 id = openIn(plain, DEPOSIT);
        plain.mint(sender, DEPOSIT);
        vm.etch(address(plain), address(new Odd.FeeToken()).code);

        vm.startPrank(sender);
        plain.approve(address(escrow), DEPOSIT);
        vm.expectRevert(InexactTransfer.selector);
        escrow.topUp(id, DEPOSIT);
    }

    function test_AFeeThatTheHookIsNotToldOfIsRefused() public {
        Odd.FeeToken fee = new Odd.FeeToken();
        fee.mint(sender, DEPOSIT);

        vm.prank(sender);
        vm.expectRevert(InexactTransfer.selector);
        fee.transferAndCall(address(escrow), DEPOSIT, abi.encode(receiver, SALT, address(0)));
    }

    function test_MoreThanWasSentIsRefused() public {
        PlainToken generous = new Odd.GenerousToken();
        prepare(generous, DEPOSIT);

        vm.expectRevert(InexactTransfer.selector);
        open(address(generous), DEPOSIT, SALT, address(0));
    }

    function test_ATransferThatMovesNothingIsRefused() public {
        PlainToken lazy = new Odd.LazyToken();
        prepare(lazy, DEPOSIT);

        vm.expectRevert(InexactTransfer.selector);
        open(address(lazy), DEPOSIT, SALT, address(0));
    }

    function test_ATransferThatReturnsFalseIsRefused() public {
        Odd.FalseToken unsure = new Odd.FalseToken();
        bytes32 id = openIn(unsure, DEPOSIT);
        prepare(unsure, DEPOSIT);
        unsure.setBroken(true);

        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        open(address(unsure), DEPOSIT, "other", address(0));
        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        settle(id, 100);
        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        close(id, 0);
        assertEq(settled(id), 0);
    }

    function test_ATokenThatCannotTellABalanceIsRefused() public {
        Odd.BlindToken blind = new Odd.BlindToken();
        prepare(blind, DEPOSIT);
        blind.setBroken(true);

        vm.expectRevert(InvalidToken.selector);
        open(address(blind), DEPOSIT, SALT, address(0));
    }

    function test_ATokenThatGoesBlindStillPaysOut() public {
        Odd.BlindToken blind = new Odd.BlindToken();
        bytes32 id = openIn(blind, DEPOSIT);
        blind.setBroken(true);
        settle(id, 100);
        close(id, 250);
        blind.setBroken(false);

        assertEq(blind.balanceOf(receiver), 250);
    }

    function test_ATokenThatLosesItsCodePaysNobody() public {
        PlainToken doomed = new PlainToken(6);
        bytes32 id = openIn(doomed, DEPOSIT);
        vm.etch(address(doomed), "");

        vm.expectPartialRevert(bytes4(keccak256("SafeERC20FailedOperation(address)")));
        settle(id, 100);
        assertEq(settled(id), 0);
    }

    function test_ATokenMayTellUsOfOurOwnPull() public {
        Odd.TellingToken telling = new Odd.TellingToken();
        bytes32 id = openIn(telling, DEPOSIT);
        telling.mint(sender, 5);
        vm.startPrank(sender);
        telling.approve(address(escrow), 5);
        escrow.topUp(id, 5);

        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(telling.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_ATokenMayTellUsOfOurOwnPullAfterAPermit() public {
        Odd.TellingToken telling = new Odd.TellingToken();
        telling.mint(sender, DEPOSIT + 5);
        vm.startPrank(sender);
        telling.approve(address(escrow), DEPOSIT + 5);
        bytes32 id = escrow.openWithPermit(receiver, address(telling), DEPOSIT, SALT, address(0), 0, 27, 0, 0);
        escrow.topUpWithPermit(id, 5, 0, 27, 0, 0);

        assertEq(deposited(id), DEPOSIT + 5);
    }

    function test_ATokenMayNotTurnOurPullIntoSomethingElse() public {
        Odd.TellingToken telling = new Odd.TellingToken();
        telling.setTold(abi.encode(receiver, keccak256("other"), address(0)));
        prepare(telling, DEPOSIT);

        vm.expectRevert(Reentrancy.selector);
        open(address(telling), DEPOSIT, SALT, address(0));
    }

    function test_ABlockedSenderDoesNotTrapTheReceiver() public {
        Odd.BlockListToken listed = new Odd.BlockListToken();
        bytes32 id = openIn(listed, DEPOSIT);
        listed.setBlocked(sender, true);

        vm.expectRevert("blocked");
        close(id, 100);
        settle(id, 100);
        assertEq(listed.balanceOf(receiver), 100);
    }

    function test_ABlockedReceiverDoesNotTrapTheSender() public {
        Odd.BlockListToken listed = new Odd.BlockListToken();
        bytes32 id = openIn(listed, DEPOSIT);
        listed.setBlocked(receiver, true);

        vm.expectRevert("blocked");
        close(id, 100);
        vm.prank(sender);
        vm.expectRevert("blocked");
        escrow.requestClose(id, 100);
        withdraw(id);
        assertEq(listed.balanceOf(sender), DEPOSIT);
    }

    function prepare(PlainToken any, uint128 amount) private {
        any.mint(sender, amount);
        vm.prank(sender);
        // The token of Tether returns nothing here, which the type does not allow.
        (bool done,) = address(any).call(abi.encodeCall(IERC20.approve, (address(escrow), amount)));
        assertTrue(done);
    }

    function openIn(PlainToken any, uint128 deposit) private returns (bytes32) {
        prepare(any, deposit);
        return open(address(any), deposit, SALT, address(0));
    }
}
