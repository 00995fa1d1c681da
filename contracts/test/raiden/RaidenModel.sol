// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {IDemoToken} from "../tokens/IDemoToken.sol";
import {RaidenSigning} from "./RaidenSigning.sol";

/// @dev Some people, a trusted contract, and what must come of what they do to channels.
abstract contract RaidenModel is RaidenSigning {
    /// @dev What is known of a channel. One that has ended is not live and keeps its place.
    struct Entry {
        address sender;
        address receiver;
        uint256 senderKey;
        uint256 receiverKey;
        uint32 openBlock;
        uint192 deposit;
        uint192 withdrawn;
        uint192 closingBalance;
        uint256 settleBlock;
        bool live;
    }

    uint256 private constant FORTUNE = 10 ** 15;

    IDemoToken public token;
    address[] internal people;
    uint256[] internal keys;
    address internal delegate = makeAddr("delegate");
    bytes32[] public ids;
    mapping(bytes32 => Entry) public entries;
    mapping(bytes32 => uint192) private seen;
    mapping(address => uint256) public owned;

    /// @dev How often each function did its work, so that a test can tell a run from an idle one.
    mapping(string => uint256) public done;

    constructor(IRaidenChannels escrow_, IDemoToken token_) {
        (escrow, token) = (escrow_, token_);
        for (uint256 i; i < 4; ++i) {
            (address person, uint256 key) = makeAddrAndKey(string.concat("person of 2018 ", vm.toString(i)));
            people.push(person);
            keys.push(key);
            fund(person);
        }
        vm.etch(delegate, hex"00");
        fund(delegate);
    }

    /// @dev What was withdrawn never falls while a channel lives, whatever was called.
    modifier watched() {
        _;
        for (uint256 i; i < ids.length; ++i) {
            uint192 withdrawn = escrow.withdrawn_balances(ids[i]);
            if (entries[ids[i]].live) assertGe(withdrawn, seen[ids[i]]);
            seen[ids[i]] = withdrawn;
        }
    }

    function channels() external view returns (uint256) {
        return ids.length;
    }

    function everybody() external view returns (address[] memory all) {
        all = new address[](people.length + 1);
        for (uint256 i; i < people.length; ++i) {
            all[i] = people[i];
        }
        all[people.length] = delegate;
    }

    function attempt(address caller, bytes memory call, bool allowed) internal {
        vm.prank(caller);
        (bool happened,) = address(escrow).call(call);
        assertEq(happened, allowed, "the escrow and the model disagree");
    }

    function attempt(address caller, uint256 value, bytes memory data, bool allowed) internal {
        vm.prank(caller);
        try token.transfer(address(escrow), value, data) {
            assertTrue(allowed, "the escrow took a transfer that the model refuses");
        } catch {
            assertFalse(allowed, "the escrow refused a transfer that the model takes");
        }
    }

    function end(Entry storage entry, uint192 balance) internal {
        owned[entry.receiver] += balance - entry.withdrawn;
        owned[entry.sender] += entry.deposit - balance;
        entry.live = false;
    }

    function isInRange(Entry storage entry, uint192 balance) internal view returns (bool) {
        return balance >= entry.withdrawn && balance <= entry.deposit;
    }

    function signedBySender(Entry storage entry, uint192 balance, bool forged) internal view returns (bytes memory) {
        return sign(keyOr(entry.senderKey, forged), voucherDigest(entry.receiver, entry.openBlock, balance));
    }

    function signedByReceiver(Entry storage entry, uint192 balance, bool forged) internal view returns (bytes memory) {
        return sign(keyOr(entry.receiverKey, forged), consentDigest(entry.sender, entry.openBlock, balance));
    }

    /// @dev A channel, or one time in sixteen one that does not exist.
    function pick(uint256 seed) internal view returns (Entry storage entry) {
        bytes32 id;
        if (ids.length != 0 && seed % 16 != 0) id = ids[(seed / 16) % ids.length];
        return entries[id];
    }

    /// @dev Three times in four who may do it, so that much is done; else anyone.
    function pickCaller(uint256 seed, address rightful) internal view returns (address) {
        if (rightful != address(0) && seed % 4 != 0) return rightful;
        return people[(seed / 4) % people.length];
    }

    /// @dev A caller, and the channel that it would mean with these terms: its own, if it has one.
    function pickOwn(uint256 which, uint256 who)
        internal
        view
        returns (Entry storage entry, address caller, address to, uint32 openBlock)
    {
        entry = pick(which);
        (to, openBlock) = (entry.receiver, entry.openBlock);
        caller = pickCaller(who, entry.sender);
        entry = entries[keyOf(caller, to, openBlock)];
    }

    /// @dev From a little under what was withdrawn to a little over the deposit, where everything happens.
    function near(Entry storage entry, uint192 seed) internal view returns (uint192) {
        uint256 slack = entry.deposit / 8 + 1;
        uint256 low = entry.withdrawn > slack ? entry.withdrawn - slack : 0;
        return uint192(bound(seed, low, entry.deposit + slack));
    }

    function fund(address account) private {
        token.mint(account, FORTUNE);
        owned[account] = FORTUNE;
        vm.prank(account);
        token.approve(address(escrow), type(uint256).max);
    }

    function keyOr(uint256 key, bool forged) private pure returns (uint256) {
        return forged || key == 0 ? uint256(keccak256("nobody")) : key;
    }
}
