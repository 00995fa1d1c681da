// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDemoToken} from "../tokens/IDemoToken.sol";
import {RaidenHandler} from "./RaidenHandler.sol";
import {RaidenModel} from "./RaidenModel.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev What is true after any sequence of calls by several people to any channel.
contract RaidenInvariantsTest is RaidenTest {
    RaidenHandler private handler;
    IDemoToken private demo;

    function setUp() public override {
        super.setUp();
        demo = IDemoToken(deployCode("DemoToken.sol", abi.encode("Demo", "DEMO", uint8(18), uint256(1))));
        escrow = deploy(address(demo), PERIOD, new address[](0));
        handler = new RaidenHandler(escrow, demo);
        trust(makeAddr("delegate"));
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = RaidenHandler.create.selector;
        selectors[1] = RaidenHandler.topUp.selector;
        selectors[2] = RaidenHandler.withdraw.selector;
        selectors[3] = RaidenHandler.close.selector;
        selectors[4] = RaidenHandler.requestClose.selector;
        selectors[5] = RaidenHandler.settle.selector;
        selectors[6] = RaidenHandler.pass.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    function invariant_NothingMovesButWhatShould() public {
        assertEveryChannelIsWhatTheModelSays();
        assertAllTheMoneyIsWhereItBelongs();
    }

    /// @dev So no call moves a channel but the one it is for, none ends or pays but as the model allows, and none lives
    ///      twice.
    function assertEveryChannelIsWhatTheModelSays() private {
        for (uint256 i; i < handler.channels(); ++i) {
            RaidenModel.Entry memory entry = entryOf(i);
            (sender, receiver) = (entry.sender, entry.receiver);
            if (entry.live) {
                assertChannel(entry.openBlock, entry.deposit, entry.withdrawn, entry.closingBalance, entry.settleBlock);
            } else {
                assertGone(sender, receiver, entry.openBlock);
            }
        }
    }

    /// @dev To the unit, since nobody gives the escrow anything for nothing, and nobody else has more or less than the
    ///      model says.
    function assertAllTheMoneyIsWhereItBelongs() private view {
        uint256 held;
        for (uint256 i; i < handler.channels(); ++i) {
            bytes32 id = handler.ids(i);
            (uint192 deposit,) = escrow.channels(id);
            uint192 withdrawn = escrow.withdrawn_balances(id);
            (uint192 closingBalance, uint32 settleBlock) = escrow.closing_requests(id);
            assertLe(withdrawn, deposit);
            assertLe(closingBalance, deposit);
            if (settleBlock != 0) assertLe(withdrawn, closingBalance, "it could never be settled");
            held += deposit - withdrawn;
        }
        assertEq(demo.balanceOf(address(escrow)), held);

        address[] memory people = handler.everybody();
        for (uint256 i; i < people.length; ++i) {
            assertEq(demo.balanceOf(people[i]), handler.owned(people[i]));
        }
    }

    /// @dev An invariant holds of a handler that does nothing, too.
    function test_TheHandlerGetsAroundToEverything() public {
        for (uint256 i; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            (uint256 a, uint256 b, uint192 c) = (seed >> 8, seed >> 16, uint192(seed >> 24));
            if (i % 8 == 0) handler.create(a, b, c, seed);
            if (i % 8 == 1) handler.topUp(a, b, c, seed);
            if (i % 8 == 2) handler.withdraw(a, b, c, seed & 7 == 0);
            if (i % 32 == 3) handler.close(a, b, c, seed);
            if (i % 8 == 4) handler.requestClose(a, b, c);
            if (i % 8 == 5) handler.settle(a, b);
            if (i % 8 >= 6) handler.pass(seed);
        }
        string[6] memory names = ["create", "topUp", "withdraw", "close", "requestClose", "settle"];
        for (uint256 i; i < names.length; ++i) {
            assertGt(handler.done(names[i]), 2, names[i]);
        }
        invariant_NothingMovesButWhatShould();
    }

    function entryOf(uint256 i) private view returns (RaidenModel.Entry memory) {
        (bool found, bytes memory entry) =
            address(handler).staticcall(abi.encodeCall(handler.entries, (handler.ids(i))));
        assertTrue(found);
        return abi.decode(entry, (RaidenModel.Entry));
    }
}
