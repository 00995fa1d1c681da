// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import "../tokens/OddTokens.sol" as Odd;
import {PlainToken} from "../tokens/PlainToken.sol";
import {RaidenTest} from "./RaidenTest.sol";

contract RaidenOddTokensTest is RaidenTest {
    bytes4 private constant FAILED = bytes4(keccak256("SafeERC20FailedOperation(address)"));

    function test_AnyNumberOfDecimalsWillDo() public {
        uint8[4] memory decimals = [0, 6, 18, 24];
        for (uint256 i; i < decimals.length; ++i) {
            useToken(new PlainToken(decimals[i]));
            uint32 openBlock = create(3);
            close(openBlock, 2);
            assertEq(token.balanceOf(receiver), 2);
            assertEq(token.balanceOf(sender), FORTUNE - 2);
        }
    }

    function test_ATokenThatReturnsNothingWillDo() public {
        useToken(PlainToken(address(new SuppliedSilentToken())));
        uint32 openBlock = create(DEPOSIT);
        topUp(openBlock, 5);
        withdraw(openBlock, 100);
        requestClose(openBlock, 200);
        pass(PERIOD + 1);
        settle(openBlock);

        assertEq(token.balanceOf(receiver), 200);
        assertEq(token.balanceOf(sender), FORTUNE - 200);
    }

    function test_AFeeOnTransferIsRefused() public {
        useToken(new Odd.FeeToken());
        vm.expectRevert(InexactTransfer.selector);
        create(DEPOSIT);
    }

    function test_AFeeOnTopUpIsRefused() public {
        uint32 openBlock = create(DEPOSIT);
        vm.etch(address(token), address(new Odd.FeeToken()).code);
        vm.expectRevert(InexactTransfer.selector);
        topUp(openBlock, DEPOSIT);
    }

    function test_MoreThanWasSentIsRefused() public {
        useToken(new Odd.GenerousToken());
        vm.expectRevert(InexactTransfer.selector);
        create(DEPOSIT);
    }

    function test_ATransferThatMovesNothingIsRefused() public {
        useToken(new Odd.LazyToken());
        vm.expectRevert(InexactTransfer.selector);
        create(DEPOSIT);
    }

    function test_ATransferThatReturnsFalseIsRefused() public {
        Odd.FalseToken unsure = new Odd.FalseToken();
        useToken(unsure);
        uint32 openBlock = create(DEPOSIT);
        unsure.setBroken(true);

        vm.expectPartialRevert(FAILED);
        create(DEPOSIT);
        vm.expectPartialRevert(FAILED);
        topUp(openBlock, 5);
        vm.expectPartialRevert(FAILED);
        withdraw(openBlock, 100);
        vm.expectPartialRevert(FAILED);
        close(openBlock, 0);
        vm.expectPartialRevert(FAILED);
        close(openBlock, DEPOSIT);
        assertOpen(openBlock, DEPOSIT, 0);
    }

    function test_ATokenThatCannotTellABalanceIsRefused() public {
        Odd.BlindToken blind = new Odd.BlindToken();
        useToken(blind);
        blind.setBroken(true);
        vm.expectRevert(InexactTransfer.selector);
        create(DEPOSIT);
    }

    function test_ATokenThatGoesBlindStillPaysOut() public {
        Odd.BlindToken blind = new Odd.BlindToken();
        useToken(blind);
        uint32 openBlock = create(DEPOSIT);
        blind.setBroken(true);
        withdraw(openBlock, 100);
        close(openBlock, 250);
        blind.setBroken(false);
        assertEq(token.balanceOf(receiver), 250);
    }

    function test_ATokenThatLosesItsCodePaysNobody() public {
        uint32 openBlock = create(DEPOSIT);
        vm.etch(address(token), "");
        vm.expectPartialRevert(FAILED);
        withdraw(openBlock, 100);
        vm.expectPartialRevert(FAILED);
        create(DEPOSIT);
        assertOpen(openBlock, DEPOSIT, 0);
    }

    /// @dev As the original did: what tells of a pull as well has to say what it is for.
    function test_ATokenThatTellsUsOfOurOwnPullIsRefused() public {
        useToken(new Odd.TellingToken());
        vm.expectRevert();
        create(DEPOSIT);
    }

    function test_ABlockedSenderDoesNotTrapTheReceiver() public {
        Odd.BlockListToken listed = new Odd.BlockListToken();
        useToken(listed);
        uint32 openBlock = create(DEPOSIT);
        listed.setBlocked(sender, true);

        vm.expectRevert("blocked");
        close(openBlock, 100);
        withdraw(openBlock, 100);
        close(openBlock, DEPOSIT);
        assertEq(token.balanceOf(receiver), DEPOSIT);
    }

    function test_ABlockedReceiverDoesNotTrapTheSender() public {
        Odd.BlockListToken listed = new Odd.BlockListToken();
        useToken(listed);
        uint32 openBlock = create(DEPOSIT);
        listed.setBlocked(receiver, true);

        vm.expectRevert("blocked");
        close(openBlock, 100);
        requestClose(openBlock, 0);
        pass(PERIOD + 1);
        settle(openBlock);
        assertEq(token.balanceOf(sender), FORTUNE);
    }
}

contract SuppliedSilentToken is Odd.SilentToken {
    uint256 public constant totalSupply = 1;
}
