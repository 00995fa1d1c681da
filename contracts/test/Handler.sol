// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {Model} from "./Model.sol";
import {ChangingWallet} from "./Wallets.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev Does anything to any channel, sensible or not. Each call says beforehand, from the model alone, whether the
///      escrow will do it, so that a refusal is checked like a success.
contract Handler is Model {
    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) Model(escrow_, tokens_) {}

    function open(uint256 who, uint256 whom, uint256 what, uint128 amount, bool signer, bool byTransfer)
        external
        watched
    {
        who %= people.length;
        Entry memory made;
        (made.sender, made.receiver, made.token) = (people[who], people[whom % people.length], tokens[what % 2]);
        made.signer = people[signer ? (who + 1) % people.length : who];
        made.deposit = uint128(bound(amount, 0, 10 ** 9));
        address key = signer ? made.signer : address(0);
        bytes32 id = escrow.computeChannelId(made.sender, made.receiver, address(made.token), SALT, key);
        bool allowed = made.deposit > 0 && entries[id].deposit == 0;

        bytes memory call =
            abi.encodeCall(IChannelEscrow.open, (made.receiver, address(made.token), made.deposit, SALT, key));
        if (byTransfer) {
            attempt(made.sender, made.token, made.deposit, abi.encode(made.receiver, SALT, key), allowed);
        } else {
            attempt(made.sender, call, allowed);
        }
        if (allowed) add("open", id, made, made.sender);
    }

    function add(string memory name, bytes32 id, Entry memory made, address giver) internal {
        ids.push(id);
        entries[id] = made;
        owned[giver][made.token] -= made.deposit;
        ++done[name];
    }

    /// @dev By a call, by a transfer, or, which must fail, by a transfer of the other token.
    function topUp(uint256 which, uint256 who, uint128 amount, uint256 how) external watched {
        (bytes32 id, Entry storage entry) = pick(which);
        address caller = pickCaller(who, entry.sender);
        amount = uint128(bound(amount, 0, 10 ** 9));
        bool allowed = caller == entry.sender && !entry.finalized && amount > 0;

        if (how % 4 < 2) {
            attempt(caller, abi.encodeCall(IChannelEscrow.topUp, (id, amount)), allowed);
        } else {
            IDemoToken token = (how % 4 == 2) == (entry.token == tokens[0]) ? tokens[0] : tokens[1];
            allowed = allowed && token == entry.token;
            attempt(caller, token, amount, abi.encode(id), allowed);
        }
        if (!allowed) return;
        entry.deposit += amount;
        entry.requestedAt = 0;
        owned[caller][entry.token] -= amount;
        ++done["topUp"];
    }

    function settle(uint256 which, uint256 who, uint128 amount, bool forged) external watched {
        (bytes32 id, Entry storage entry) = pick(which);
        address caller = pickCaller(who, entry.receiver);
        amount = near(entry, amount);
        bool allowed = mayAct(caller, entry.receiver) && isPayable(entry, amount, forged);

        attempt(caller, abi.encodeCall(IChannelEscrow.settle, (id, amount, voucher(id, amount, forged))), allowed);
        if (!allowed) return;
        pay(entry, amount);
        ++done["settle"];
    }

    function settleMany(uint256 who, uint256 what, uint128 amount, uint256 twice) external watched {
        address caller = people[who % people.length];
        IDemoToken token = tokens[what % 2];
        (IChannelEscrow.Settlement[] memory rows, uint256 expected) = batch("settleMany", caller, token, amount, twice);
        vm.prank(caller);
        assertEq(escrow.settleMany(address(token), rows), expected);
    }

    /// @dev Every channel there is, once, and one of them twice; each is paid if it may be, and else it is skipped.
    function batch(string memory name, address receiver, IDemoToken token, uint128 amount, uint256 twice)
        internal
        returns (IChannelEscrow.Settlement[] memory rows, uint256 expected)
    {
        rows = new IChannelEscrow.Settlement[](ids.length + 1);
        for (uint256 i; i < rows.length; ++i) {
            bytes32 id = i < ids.length ? ids[i] : ids.length == 0 ? bytes32(0) : ids[twice % ids.length];
            Entry storage entry = entries[id];
            uint128 claimed = near(entry, amount);
            bool forged = uint256(keccak256(abi.encode(amount, i))) % 4 == 0;
            rows[i] = IChannelEscrow.Settlement(id, claimed, voucher(id, claimed, forged));
            if (receiver != entry.receiver || token != entry.token || !isPayable(entry, claimed, forged)) continue;
            expected += claimed - entry.settled;
            pay(entry, claimed);
            ++done[name];
        }
    }

    function close(uint256 which, uint256 who, uint128 amount, uint128 less, bool atLess, bool forged)
        external
        watched
    {
        (bytes32 id, Entry storage entry) = pick(which);
        address caller = pickCaller(who, entry.receiver);
        amount = near(entry, amount);
        less = atLess ? near(entry, less) : amount > entry.settled ? amount : entry.settled;
        bool fits = !atLess || (less >= entry.settled && less <= amount);
        bool signed = amount <= entry.settled || isPayable(entry, amount, forged);
        bool allowed = mayAct(caller, entry.receiver) && !entry.finalized && fits && signed;

        bytes memory signature = voucher(id, amount, forged);
        attempt(
            caller,
            atLess
                ? abi.encodeWithSignature("close(bytes32,uint128,uint128,bytes)", id, less, amount, signature)
                : abi.encodeWithSignature("close(bytes32,uint128,bytes)", id, amount, signature),
            allowed
        );
        if (!allowed) return;
        pay(entry, less);
        end(entry);
        ++done["close"];
    }

    function requestClose(uint256 which, uint256 who, uint128 owed, bool paying) external watched {
        (bytes32 id, Entry storage entry) = pick(which);
        address caller = pickCaller(who, entry.sender);
        owed = near(entry, owed);
        bool fits = !paying || (owed >= entry.settled && owed <= entry.deposit);
        bool allowed = caller == entry.sender && !entry.finalized && entry.deposit > 0 && fits;

        attempt(
            caller,
            paying
                ? abi.encodeWithSignature("requestClose(bytes32,uint128)", id, owed)
                : abi.encodeWithSignature("requestClose(bytes32)", id),
            allowed
        );
        if (!allowed) return;
        if (paying) pay(entry, owed);
        if (entry.requestedAt == 0) entry.requestedAt = block.timestamp;
        ++done["requestClose"];
    }

    function withdraw(uint256 which, uint256 who) external watched {
        (bytes32 id, Entry storage entry) = pick(which);
        address caller = pickCaller(who, entry.sender);
        bool over = entry.requestedAt != 0 && block.timestamp >= entry.requestedAt + escrow.CLOSE_GRACE_PERIOD();
        bool allowed = caller == entry.sender && !entry.finalized && over;

        attempt(caller, abi.encodeCall(IChannelEscrow.withdraw, (id)), allowed);
        if (!allowed) return;
        end(entry);
        ++done["withdraw"];
    }

    function pass(uint256 time) external watched {
        skip(bound(time, 0, escrow.CLOSE_GRACE_PERIOD()));
    }

    /// @dev Half of the time back to what an honest wallet does.
    function changeWallet(uint256 which, uint256 mood) external {
        ChangingWallet.Mood next = ChangingWallet.Mood(mood % 16 < 8 ? 0 : mood % 8);
        wallets[which % wallets.length].change(next);
        ++done["changeWallet"];
    }
}
