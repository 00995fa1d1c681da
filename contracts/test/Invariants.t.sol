// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {Handler} from "./Handler.sol";
import {RelayHandler} from "./RelayHandler.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What is true after any sequence of calls by several people, in several tokens, to any channel.
contract InvariantsTest is EscrowTest {
    RelayHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new RelayHandler(escrow, [deployDemo(), deployDemo()]);
        targetContract(address(handler));
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = Handler.open.selector;
        selectors[1] = Handler.topUp.selector;
        selectors[2] = Handler.settle.selector;
        selectors[3] = Handler.settleMany.selector;
        selectors[4] = Handler.close.selector;
        selectors[5] = Handler.requestClose.selector;
        selectors[6] = Handler.withdraw.selector;
        selectors[7] = Handler.pass.selector;
        selectors[8] = RelayHandler.openFor.selector;
        selectors[9] = RelayHandler.topUpWithPermit2.selector;
        selectors[10] = RelayHandler.setOperator.selector;
        selectors[11] = RelayHandler.settleManyFor.selector;
        selectors[12] = RelayHandler.relay.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
    }

    /// @dev So no call moves a channel but the one it is for, and none ends or pays but as the model allows.
    function invariant_EveryChannelIsWhatTheModelSays() public view {
        for (uint256 i; i < handler.channels(); ++i) {
            bytes32 id = handler.ids(i);
            (
                address from,,
                address to,
                IDemoToken inToken,
                uint128 deposit,
                uint128 paid,
                uint256 requestedAt,
                bool finalized
            ) = handler.entries(id);
            IChannelEscrow.Channel memory channel = escrow.getChannel(id);
            IChannelEscrow.Channel memory expected = IChannelEscrow.Channel(
                finalized, uint64(requestedAt), from, to, address(inToken), channel.signer, deposit, paid
            );
            assertEq(abi.encode(channel), abi.encode(expected));
        }
    }

    /// @dev To the unit, in each token, since nobody gives the escrow anything for nothing.
    function invariant_TheEscrowHoldsWhatItsLiveChannelsHold() public view {
        for (uint256 t; t < 2; ++t) {
            IDemoToken inToken = handler.tokens(t);
            uint256 held;
            for (uint256 i; i < handler.channels(); ++i) {
                IChannelEscrow.Channel memory channel = escrow.getChannel(handler.ids(i));
                if (channel.token != address(inToken) || channel.finalized) continue;
                assertLe(channel.settled, channel.deposit);
                held += channel.deposit - channel.settled;
            }
            assertEq(inToken.balanceOf(address(escrow)), held);
        }
    }

    function invariant_EverybodyHasWhatTheModelSays() public view {
        address[] memory people = handler.everybody();
        for (uint256 t; t < 2; ++t) {
            IDemoToken inToken = handler.tokens(t);
            for (uint256 i; i < people.length; ++i) {
                assertEq(inToken.balanceOf(people[i]), handler.owned(people[i], inToken));
            }
        }
    }

    /// @dev An invariant holds of a handler that does nothing, too.
    function test_TheHandlerGetsAroundToEverything() public {
        for (uint256 i; i < 400; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            (uint256 a, uint256 b, uint128 c) = (seed >> 8, seed >> 16, uint128(seed >> 24));
            if (i % 8 == 0) handler.open(a, b, seed >> 32, c, seed & 1 == 0, seed & 2 == 0);
            if (i % 8 == 1) handler.topUp(a, b, c, seed);
            if (i % 8 == 2) handler.settle(a, b, c, seed & 7 == 0);
            if (i % 8 == 3) handler.settleMany(a, b, c, seed >> 32);
            if (i % 32 == 4) handler.close(a, b, c, uint128(seed >> 64), seed & 1 == 0, seed & 6 == 0);
            if (i % 8 == 5) handler.requestClose(a, b, c, seed & 1 == 0);
            if (i % 8 == 6) handler.withdraw(a, b);
            if (i % 8 == 7) handler.pass(a);
            if (i % 8 == 1) handler.openFor(a, b, seed >> 32, seed >> 40, c);
            if (i % 8 == 2) handler.topUpWithPermit2(a, b, seed >> 32, c);
            if (i % 8 == 3) handler.setOperator(a, b, seed & 7 == 0);
            if (i % 8 == 4) handler.settleManyFor(a, b, seed >> 32, c, seed >> 40);
            if (i % 4 == 1) handler.relay(a, b, c, seed >> 32, seed & 7 == 0, uint8(seed >> 40));
        }
        string[13] memory names = [
            "open",
            "topUp",
            "settle",
            "settleMany",
            "close",
            "requestClose",
            "withdraw",
            "openFor",
            "topUpWithPermit2",
            "setOperator",
            "settleManyFor",
            "settleWithAuthorization",
            "closeWithAuthorization"
        ];
        for (uint256 i; i < names.length; ++i) {
            assertGt(handler.done(names[i]), 2, names[i]);
        }
        invariant_EveryChannelIsWhatTheModelSays();
        invariant_TheEscrowHoldsWhatItsLiveChannelsHold();
        invariant_EverybodyHasWhatTheModelSays();
    }
}
