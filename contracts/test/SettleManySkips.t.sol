// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchTest} from "./BatchTest.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev A row that cannot be honoured is left out, says why, and holds up no other.
contract SettleManySkipsTest is BatchTest {
    function test_SkipsASecondRowThatPaysNoMore() public {
        bytes32 id = open(DEPOSIT);
        add(id, 100);
        add(id, 100);
        expectSkip(id, AmountNotIncreasing.selector);

        assertEq(settleMany(), 100);
    }

    function test_PaysASecondRowThatPaysMore() public {
        bytes32 id = open(DEPOSIT);
        add(id, 100);
        add(id, 250);

        assertEq(settleMany(), 250);
    }

    function test_SkipsAnUnknownChannel() public {
        add(open(DEPOSIT), 100);
        add("unknown", 100);
        expectSkip("unknown", ChannelNotFound.selector);

        assertEq(settleMany(), 100);
    }

    function test_SkipsAChannelThatHasEnded() public {
        bytes32 closed = open(DEPOSIT, "closed");
        bytes32 withdrawn = open(DEPOSIT, "withdrawn");
        close(closed, 0);
        withdraw(withdrawn);
        add(closed, 100);
        add(withdrawn, 100);
        add(open(DEPOSIT), 100);
        expectSkip(closed, ChannelFinalized.selector);
        expectSkip(withdrawn, ChannelFinalized.selector);

        assertEq(settleMany(), 100);
    }

    function test_SkipsTheChannelOfAnotherReceiver() public {
        vm.prank(sender);
        bytes32 theirs = escrow.open(stranger, address(token), DEPOSIT, SALT, address(0));
        add(theirs, 100);
        add(open(DEPOSIT), 100);
        expectSkip(theirs, NotReceiver.selector);

        assertEq(settleMany(), 100);
        assertEq(settled(theirs), 0);
    }

    function test_SkipsAChannelInAnotherToken() public {
        PlainToken dear = new PlainToken(18);
        dear.mint(sender, DEPOSIT);
        vm.prank(sender);
        dear.approve(address(escrow), DEPOSIT);
        bytes32 id = open(address(dear), DEPOSIT, SALT, address(0));
        add(id, 100);
        add(open(DEPOSIT), 20);
        expectSkip(id, InvalidToken.selector);

        assertEq(settleMany(), 20);
        assertEq(dear.balanceOf(receiver), 0);
        assertEq(settled(id), 0);
    }

    function test_SkipsTokensThatShareAllButAFewBits() public {
        address near = address(uint160(address(token)) ^ 1);
        address far = address(uint160(address(token)) ^ (1 << 159));
        for (uint256 i; i < 2; ++i) {
            address twin = i == 0 ? near : far;
            vm.etch(twin, address(token).code);
            deal(twin, sender, DEPOSIT);
            vm.prank(sender);
            PlainToken(twin).approve(address(escrow), DEPOSIT);
            add(open(twin, DEPOSIT, SALT, address(0)), 100);
        }
        expectSkip(rows[0].channelId, InvalidToken.selector);
        expectSkip(rows[1].channelId, InvalidToken.selector);

        assertEq(settleMany(), 0);
    }

    function test_SkipsAVoucherOfNothing() public {
        bytes32 id = open(DEPOSIT);
        add(id, 0);
        expectSkip(id, AmountNotIncreasing.selector);

        assertEq(settleMany(), 0);
    }

    function test_SkipsAVoucherOverTheDeposit() public {
        bytes32 id = open(DEPOSIT);
        add(id, DEPOSIT + 1);
        add(open(DEPOSIT, "other"), 100);
        expectSkip(id, AmountExceedsDeposit.selector);

        assertEq(settleMany(), 100);
        assertEq(settled(id), 0);
    }

    function test_SkipsAVoucherOverTheDepositAfterAnEarlierSettlement() public {
        bytes32 id = open(DEPOSIT);
        settle(id, 100);
        add(id, DEPOSIT + 1);
        expectSkip(id, AmountExceedsDeposit.selector);

        assertEq(settleMany(), 0);
    }

    function test_SkipsABadSignature() public {
        bytes32 id = open(DEPOSIT);
        add(id, 100, sign(id, 101));
        add(open(DEPOSIT, "other"), 20);
        expectSkip(id, InvalidSignature.selector);

        assertEq(settleMany(), 20);
    }

    function test_MovesNothingWhenNothingIsPayable() public {
        bytes32 id = open(DEPOSIT);
        add(id, 0);
        add("unknown", 100);
        vm.recordLogs();

        assertEq(settleMany(), 0);
        assertEq(vm.getRecordedLogs().length, 2, "two SettlementSkipped");
        assertEq(token.balanceOf(receiver), 0);
    }

    function test_MovesNothingWithoutRows() public {
        vm.recordLogs();

        assertEq(settleMany(), 0);
        assertEq(vm.getRecordedLogs().length, 0);
    }
}
