// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {Signing} from "./Signing.sol";
import {ChangingWallet} from "./Wallets.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev Some people, of whom two are contracts that change their mind, two tokens, and what must come of what they do to
///      their channels.
abstract contract Model is Signing {
    /// @dev What is known of a channel. `signer` is the sender where it has no other.
    struct Entry {
        address sender;
        address signer;
        address receiver;
        IDemoToken token;
        uint128 deposit;
        uint128 settled;
        uint256 requestedAt;
        bool finalized;
    }

    uint256 private constant FORTUNE = 10 ** 15;
    uint256 internal constant NEVER = type(uint256).max;
    bytes32 internal constant SALT = "salt";

    /// @dev No block has more gas than that.
    uint256 internal constant GAS = 30_000_000;

    address[] internal people;
    mapping(address person => uint256) private keys;
    ChangingWallet[] internal wallets;
    IDemoToken[2] public tokens;
    bytes32[] public ids;
    mapping(bytes32 => Entry) public entries;
    mapping(bytes32 => IChannelEscrow.Channel) private seen;
    mapping(address => mapping(IDemoToken => uint256)) public owned;

    mapping(address receiver => address) internal operators;

    /// @dev How often each function did its work, so that a test can tell a run from an idle one.
    mapping(string => uint256) public done;

    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) {
        escrow = escrow_;
        tokens = tokens_;
        for (uint256 i; i < 6; ++i) {
            (address person, uint256 key) = makeAddrAndKey(string.concat("person ", vm.toString(i)));
            if (i >= 4) {
                wallets.push(new ChangingWallet(person));
                person = address(wallets[i - 4]);
            }
            people.push(person);
            keys[person] = key;
            for (uint256 t; t < 2; ++t) {
                tokens[t].mint(person, FORTUNE);
                owned[person][tokens[t]] = FORTUNE;
                vm.prank(person);
                tokens[t].approve(address(escrow), type(uint256).max);
            }
        }
    }

    /// @dev Deposits and settled amounts never fall, and an end is an end, whatever was called.
    modifier watched() {
        _;
        for (uint256 i; i < ids.length; ++i) {
            IChannelEscrow.Channel memory channel = escrow.getChannel(ids[i]);
            IChannelEscrow.Channel storage before = seen[ids[i]];
            assertGe(channel.deposit, before.deposit);
            assertGe(channel.settled, before.settled);
            assertTrue(channel.finalized || !before.finalized);
            seen[ids[i]] = channel;
        }
    }

    function channels() external view returns (uint256) {
        return ids.length;
    }

    function everybody() external view returns (address[] memory) {
        return people;
    }

    function attempt(address caller, bytes memory call, bool allowed) internal {
        vm.prank(caller);
        (bool happened,) = address(escrow).call{gas: GAS}(call);
        assertEq(happened, allowed, "the escrow and the model disagree");
    }

    function attempt(address caller, IDemoToken token, uint256 value, bytes memory data, bool allowed) internal {
        vm.prank(caller);
        try token.transferAndCall(address(escrow), value, data) {
            assertTrue(allowed, "the escrow took a transfer that the model refuses");
        } catch {
            assertFalse(allowed, "the escrow refused a transfer that the model takes");
        }
    }

    function pay(Entry storage entry, uint128 total) internal {
        owned[entry.receiver][entry.token] += total - entry.settled;
        entry.settled = total;
    }

    function end(Entry storage entry) internal {
        owned[entry.sender][entry.token] += entry.deposit - entry.settled;
        entry.finalized = true;
        entry.requestedAt = 0;
    }

    function isPayable(Entry storage entry, uint128 amount, bool forged) internal view returns (bool) {
        return !entry.finalized && amount > entry.settled && amount <= entry.deposit && takes(entry.signer, forged);
    }

    /// @dev Whether it counts as this person's what its key has signed, or, if forged, another's.
    function takes(address person, bool forged) internal view returns (bool) {
        for (uint256 i; i < wallets.length; ++i) {
            if (person == address(wallets[i])) return wallets[i].takes(forged);
        }
        return !forged;
    }

    function mayAct(address caller, address receiver) internal view returns (bool) {
        return caller == receiver || caller == operators[receiver];
    }

    function voucher(bytes32 id, uint128 amount, bool forged) internal view returns (bytes memory) {
        return sign(keyOf(entries[id].signer, forged), id, amount);
    }

    function signBy(address person, bool forged, bytes32 separator, bytes32 structHash)
        internal
        view
        returns (bytes memory)
    {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator, structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(person, forged), digest);
        return abi.encodePacked(r, s, v);
    }

    function keyOf(address person, bool forged) private view returns (uint256) {
        return forged || keys[person] == 0 ? uint256(keccak256("nobody")) : keys[person];
    }

    /// @dev A channel, or one time in sixteen one that does not exist.
    function pick(uint256 seed) internal view returns (bytes32 id, Entry storage entry) {
        if (ids.length != 0 && seed % 16 != 0) id = ids[(seed / 16) % ids.length];
        entry = entries[id];
    }

    /// @dev Three times in four who may do it, so that much is done; else anyone.
    function pickCaller(uint256 seed, address rightful) internal view returns (address) {
        if (rightful != address(0) && seed % 4 != 0) return rightful;
        return people[(seed / 4) % people.length];
    }

    /// @dev From a little under what was settled to a little over the deposit, where everything happens.
    function near(Entry storage entry, uint128 seed) internal view returns (uint128) {
        uint256 slack = entry.deposit / 8 + 1;
        uint256 low = entry.settled > slack ? entry.settled - slack : 0;
        return uint128(bound(seed, low, entry.deposit + slack));
    }
}
