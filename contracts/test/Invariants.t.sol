// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IRaidenChannels} from "../src/interfaces/IRaidenChannels.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {FundingHandler} from "./FundingHandler.sol";
import {Handler} from "./Handler.sol";
import {HostileHandler} from "./HostileHandler.sol";
import {RelayHandler} from "./RelayHandler.sol";
import {RaidenHandler} from "./raiden/RaidenHandler.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What is true after any sequence of calls by several people, contracts among them, in several tokens, to any channel
///      of either escrow. The second one holds a token that the first one holds too.
contract InvariantsTest is EscrowTest {
    HostileHandler private handler;
    RaidenHandler private old;
    IRaidenChannels private raiden;

    function setUp() public override {
        super.setUp();
        IDemoToken[2] memory demos = [deployDemo(), deployDemo()];
        demos[0].mint(address(this), 1);
        handler = new HostileHandler(escrow, demos);
        address[] memory trusted = new address[](1);
        trusted[0] = makeAddr("delegate");
        vm.etch(trusted[0], hex"00");
        raiden = IRaidenChannels(deployCode("RaidenChannels.sol", abi.encode(demos[0], uint32(500), trusted)));
        old = new RaidenHandler(raiden, demos[0]);
        targetContract(address(handler));
        targetContract(address(old));
        targetSelector(FuzzSelector(address(handler), selectors()));
        targetSelector(FuzzSelector(address(old), selectorsOfOld()));
    }

    function invariant_NothingMovesButWhatShould() public view {
        assertEveryChannelIsWhatTheModelSays();
        assertTheEscrowsHoldWhatTheirLiveChannelsHold();
        assertTheOddTokenIsCovered();
        assertEverybodyHasWhatTheModelSays();
        assertEq(handler.CHANGING().succeeded(), 0, "somebody got in between");
    }

    /// @dev An invariant holds of a handler that does nothing, too.
    function test_TheHandlersGetAroundToEverything() public {
        for (uint256 i; i < 1_500; ++i) {
            this.doAnything(keccak256(abi.encode(i)), i);
            if (i % 100 == 0) this.invariant_NothingMovesButWhatShould();
        }
        string[16] memory names = [
            "open",
            "openFor",
            "openWithAuthorization",
            "openWithPermit2",
            "topUp",
            "topUpWithAuthorization",
            "topUpWithPermit2",
            "settle",
            "settleMany",
            "settleManyFor",
            "settleWithAuthorization",
            "close",
            "closeWithAuthorization",
            "requestClose",
            "withdraw",
            "setOperator"
        ];
        for (uint256 i; i < names.length; ++i) {
            assertGt(handler.done(names[i]), 0, names[i]);
        }
        assertGt(handler.done("oddOpen"), 0);
        assertGt(handler.done("oddMany"), 0);
        for (uint256 i; i < 7; ++i) {
            assertGt(handler.done(string.concat("odd ", vm.toString(i))), 0, vm.toString(i));
        }
        assertGt(handler.CHANGING().called(), 0, "nobody tried to get in between");
        assertGt(old.done("create"), 0);
        assertGt(old.done("settle"), 0);
    }

    /// @dev Calls a function of which only the name is known. One that does not take an argument says nothing: then the last
    ///      ones may be booleans.
    function doAnything(bytes32 seed, uint256 which) external {
        bool toOld = uint256(seed) % 4 == 0;
        bytes4[] memory all = toOld ? selectorsOfOld() : selectors();
        bool done;
        bytes memory answer;
        for (uint256 firstBoolean = 6; !done; --firstBoolean) {
            assertEq(answer.length, 0, string(answer));
            bytes memory call = abi.encodePacked(all[which % all.length]);
            for (uint256 i; i < 6; ++i) {
                uint256 random = uint256(keccak256(abi.encode(seed, i)));
                call = abi.encodePacked(call, i < firstBoolean ? uint256(uint128(random)) : random & 1);
            }
            (done, answer) = (toOld ? address(old) : address(handler)).call(call);
        }
    }

    /// @dev So no call moves a channel but the one it is for, and none ends or pays but as the model allows.
    function assertEveryChannelIsWhatTheModelSays() private view {
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

    /// @dev To the unit, in each token, since nobody gives them anything for nothing.
    function assertTheEscrowsHoldWhatTheirLiveChannelsHold() private view {
        uint256[2] memory held;
        for (uint256 i; i < handler.channels(); ++i) {
            IChannelEscrow.Channel memory channel = escrow.getChannel(handler.ids(i));
            assertLe(channel.settled, channel.deposit);
            if (channel.finalized) continue;
            held[channel.token == address(handler.tokens(0)) ? 0 : 1] += channel.deposit - channel.settled;
        }
        assertEq(handler.tokens(0).balanceOf(address(escrow)), held[0]);
        assertEq(handler.tokens(1).balanceOf(address(escrow)), held[1]);

        uint256 heldByOld;
        for (uint256 i; i < old.channels(); ++i) {
            bytes32 id = old.ids(i);
            (uint192 deposit,) = raiden.channels(id);
            heldByOld += deposit - raiden.withdrawn_balances(id);
        }
        assertEq(old.token().balanceOf(address(raiden)), heldByOld);
    }

    function assertTheOddTokenIsCovered() private view {
        uint256 held;
        for (uint256 i; i < handler.oddChannels(); ++i) {
            IChannelEscrow.Channel memory channel = escrow.getChannel(handler.odd(i));
            if (!channel.finalized) held += channel.deposit - channel.settled;
        }
        assertGe(handler.CHANGING().balanceOf(address(escrow)), held);
    }

    function assertEverybodyHasWhatTheModelSays() private view {
        address[] memory people = handler.everybody();
        for (uint256 i; i < 2 * people.length; ++i) {
            IDemoToken inToken = handler.tokens(i % 2);
            assertEq(inToken.balanceOf(people[i / 2]), handler.owned(people[i / 2], inToken));
        }
        people = old.everybody();
        for (uint256 i; i < people.length; ++i) {
            assertEq(old.token().balanceOf(people[i]), old.owned(people[i]));
        }
    }

    /// @dev What is seldom possible comes more often.
    function selectors() private pure returns (bytes4[] memory all) {
        bytes4[30] memory those = [
            Handler.open.selector,
            Handler.topUp.selector,
            Handler.settle.selector,
            Handler.settleMany.selector,
            Handler.close.selector,
            Handler.requestClose.selector,
            Handler.withdraw.selector,
            Handler.withdraw.selector,
            Handler.withdraw.selector,
            Handler.pass.selector,
            Handler.pass.selector,
            Handler.pass.selector,
            Handler.changeWallet.selector,
            FundingHandler.openFor.selector,
            FundingHandler.openWithAuthorization.selector,
            FundingHandler.openWithPermit2.selector,
            FundingHandler.topUpBySignature.selector,
            RelayHandler.setOperator.selector,
            RelayHandler.settleManyFor.selector,
            RelayHandler.relay.selector,
            HostileHandler.changeToken.selector,
            HostileHandler.planAttack.selector,
            HostileHandler.oddOpen.selector,
            HostileHandler.oddDo.selector,
            HostileHandler.oddDo.selector,
            HostileHandler.oddDo.selector,
            HostileHandler.oddDo.selector,
            HostileHandler.oddWait.selector,
            HostileHandler.oddMany.selector,
            HostileHandler.lie.selector
        ];
        all = new bytes4[](those.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = those[i];
        }
    }

    function selectorsOfOld() private pure returns (bytes4[] memory all) {
        all = new bytes4[](7);
        all[0] = RaidenHandler.create.selector;
        all[1] = RaidenHandler.topUp.selector;
        all[2] = RaidenHandler.withdraw.selector;
        all[3] = RaidenHandler.close.selector;
        all[4] = RaidenHandler.requestClose.selector;
        all[5] = RaidenHandler.settle.selector;
        all[6] = RaidenHandler.pass.selector;
    }
}
