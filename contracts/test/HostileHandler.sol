// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IFundedByTransfer} from "../src/interfaces/IFundedByTransfer.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {RelayHandler} from "./RelayHandler.sol";
import {ChangingToken} from "./tokens/ChangingToken.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev The same people in a token that cannot be relied on. What comes of that is not foretold; but whatever it is, it is
///      no other channel's matter, nothing paid comes back, nothing that has ended goes on, and nobody leaves early.
contract HostileHandler is RelayHandler {
    uint256 private constant LEAVING = 0;
    uint256 private constant CLOSING = 4;
    uint256 private constant NO_END = 7;

    ChangingToken public immutable CHANGING = new ChangingToken();
    bytes32[] public odd;
    mapping(bytes32 => IChannelEscrow.Channel) private seen;

    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) RelayHandler(escrow_, tokens_) {
        for (uint256 i; i < people.length; ++i) {
            CHANGING.mint(people[i], 10 ** 12);
            vm.prank(people[i]);
            CHANGING.approve(address(escrow), NEVER);
        }
    }

    function oddChannels() external view returns (uint256) {
        return odd.length;
    }

    function changeToken(uint256 mood) external {
        CHANGING.change(ChangingToken.Mood(mood % 16 < 8 ? 0 : mood % 7));
        ++done["changeToken"];
    }

    /// @dev Makes the token call the escrow back, with something that would be all right from outside.
    function planAttack(uint256 which, uint256 who, uint128 amount, uint256 how) external {
        (bytes32 id, Entry storage entry) = pick(which);
        if (how % 2 == 0 && odd.length != 0) id = odd[(which / 16) % odd.length];
        IChannelEscrow.Channel memory channel = escrow.getChannel(id);
        address caller = pickCaller(who, how % 3 == 0 ? channel.sender : channel.receiver);
        if (how % 5 == 4) {
            bytes memory data = how % 2 == 0 ? abi.encode(id) : abi.encode(caller, SALT, address(0));
            CHANGING.plan(
                address(how % 3 == 0 ? CHANGING : ChangingToken(address(entry.token))),
                address(escrow),
                abi.encodeCall(IFundedByTransfer.tokenReceived, (caller, amount, data))
            );
        } else {
            amount = uint128(bound(amount, channel.settled, channel.deposit));
            CHANGING.plan(caller, address(escrow), oddCall(id, channel, amount, how % 7, how));
        }
        ++done["planAttack"];
    }

    function oddOpen(uint256 who, uint256 whom, uint128 amount, uint256 how) external oddly(NO_END) {
        (address from, address receiver) = (people[who % people.length], people[whom % people.length]);
        amount = uint128(bound(amount, 1, 10 ** 6));
        bytes32 salt = bytes32(how % 4);
        bytes32 id = escrow.computeChannelId(from, receiver, address(CHANGING), salt, address(0));
        bool known = escrow.getChannel(id).sender != address(0);
        vm.prank(from);
        if (how % 3 == 0) {
            try CHANGING.tell{gas: GAS}(address(escrow), from, amount, abi.encode(receiver, salt, address(0))) {}
                catch {}
        } else if (how % 3 == 1) {
            bytes32 nonce = keccak256(abi.encode(from, receiver, address(CHANGING), salt, address(0)));
            try escrow.openWithAuthorization{gas: GAS}(
                receiver, address(CHANGING), amount, salt, address(0), from, 0, NEVER, nonce, ""
            ) {}
                catch {}
        } else {
            try escrow.open{gas: GAS}(receiver, address(CHANGING), amount, salt, address(0)) {} catch {}
        }
        if (known || escrow.getChannel(id).sender == address(0)) return;
        odd.push(id);
        ++done["oddOpen"];
    }

    /// @dev Anything to one of the youngest channels in the odd token.
    function oddDo(uint256 which, uint256 who, uint128 amount, uint256 what, uint256 how) external oddly(what % 7) {
        if (odd.length == 0) return;
        bytes32 id = young(which);
        IChannelEscrow.Channel memory channel = escrow.getChannel(id);
        bool bySender = what % 7 == 0 || what % 7 == 1 || what % 7 == 2;
        address caller = pickCaller(who, bySender ? channel.sender : channel.receiver);
        amount = uint128(bound(amount, channel.settled, channel.deposit));
        vm.prank(caller);
        (bool happened,) = address(escrow).call{gas: GAS}(oddCall(id, channel, amount, what % 7, how));
        if (happened) ++done[string.concat("odd ", vm.toString(what % 7))];
    }

    /// @dev Asks for the end of one, and waits for it.
    function oddWait(uint256 which) external oddly(NO_END) {
        if (odd.length == 0) return;
        bytes32 id = young(which);
        vm.prank(escrow.getChannel(id).sender);
        (bool happened,) = address(escrow).call(abi.encodeWithSignature("requestClose(bytes32)", id));
        if (happened) skip(escrow.CLOSE_GRACE_PERIOD());
    }

    /// @dev The token says that it was transferred to any channel, and was not.
    function lie(uint256 which, uint256 who, uint128 amount) external watched oddly(NO_END) {
        (bytes32 id, Entry storage entry) = pick(which);
        vm.prank(address(CHANGING));
        (bool happened,) = address(escrow)
            .call(
                abi.encodeCall(
                    IFundedByTransfer.onTransferReceived,
                    (people[who % people.length], entry.sender, amount, abi.encode(id))
                )
            );
        assertFalse(happened, "a token moved a channel in another");
        ++done["lie"];
    }

    /// @dev Any channel, in any batch of the odd token.
    function oddMany(uint256 who, uint128 amount) external oddly(NO_END) {
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](odd.length + ids.length);
        for (uint256 i; i < rows.length; ++i) {
            bytes32 id = i < odd.length ? odd[i] : ids[i - odd.length];
            IChannelEscrow.Channel memory channel = escrow.getChannel(id);
            uint128 claimed = uint128(bound(amount, channel.settled, channel.deposit));
            rows[i] = IChannelEscrow.Settlement(id, claimed, signOf(channel.sender, id, claimed));
        }
        vm.prank(people[who % people.length]);
        try escrow.settleMany{gas: GAS}(address(CHANGING), rows) returns (uint256 total) {
            if (total != 0) ++done["oddMany"];
        } catch {}
    }

    /// @dev Nothing of a channel in the odd token falls or comes back; none ends before its time; and a request to close
    ///      is a real one.
    modifier oddly(uint256 what) {
        _;
        for (uint256 i; i < odd.length; ++i) {
            IChannelEscrow.Channel memory channel = escrow.getChannel(odd[i]);
            IChannelEscrow.Channel storage before = seen[odd[i]];
            assertGe(channel.deposit, before.deposit);
            assertGe(channel.settled, before.settled);
            assertLe(channel.settled, channel.deposit);
            assertTrue(channel.finalized || !before.finalized);
            assertEq(channel.token, address(CHANGING));
            if (before.sender != address(0)) assertEq(channel.sender, before.sender);
            if (channel.finalized && !before.finalized) assertEnded(before, what);
            seen[odd[i]] = channel;
        }
    }

    function young(uint256 which) private view returns (bytes32) {
        return odd[odd.length - 1 - which % (odd.length < 3 ? odd.length : 3)];
    }

    function assertEnded(IChannelEscrow.Channel storage before, uint256 what) private view {
        if (what == CLOSING) return;
        assertEq(what, LEAVING, "what ends no channel ended one");
        assertNotEq(before.closeRequestedAt, 0);
        assertGe(block.timestamp, before.closeRequestedAt + escrow.CLOSE_GRACE_PERIOD());
    }

    function oddCall(bytes32 id, IChannelEscrow.Channel memory channel, uint128 amount, uint256 what, uint256 how)
        private
        returns (bytes memory)
    {
        if (what == LEAVING) return abi.encodeCall(IChannelEscrow.withdraw, (id));
        if (what == 1) return abi.encodeCall(IChannelEscrow.topUp, (id, 5));
        if (what == 2) return abi.encodeWithSignature("requestClose(bytes32,uint128)", id, amount);
        bytes memory signature = signOf(channel.sender, id, amount);
        if (what == 3) return abi.encodeCall(IChannelEscrow.settle, (id, amount, signature));
        if (what == CLOSING) return abi.encodeWithSignature("close(bytes32,uint128,bytes)", id, amount, signature);
        if (what == 5) {
            bytes32 nonce = keccak256(abi.encode(id, uint128(5), channel.sender, bytes32(how)));
            return
                abi.encodeCall(
                    IRelayed.topUpWithAuthorization, (id, 5, channel.sender, bytes32(how), 0, NEVER, nonce, "")
                );
        }
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](1);
        rows[0] = IChannelEscrow.Settlement(id, amount, signature);
        return abi.encodeCall(IChannelEscrow.settleMany, (channel.token, rows));
    }

    function signOf(address person, bytes32 id, uint128 amount) private view returns (bytes memory) {
        bytes32 typehash = keccak256("Voucher(bytes32 channelId,uint128 cumulativeAmount)");
        return signBy(person, false, domain(), keccak256(abi.encode(typehash, id, amount)));
    }
}
