// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {IDemoToken} from "../tokens/IDemoToken.sol";
import {RaidenModel} from "./RaidenModel.sol";

/// @dev Does anything to any channel, sensible or not. Each call says beforehand, from the model alone, whether the
///      escrow will do it, so that a refusal is checked like a success.
contract RaidenHandler is RaidenModel {
    constructor(IRaidenChannels escrow_, IDemoToken token_) RaidenModel(escrow_, token_) {}

    /// @dev By a call or by a transfer, of the sender or of the trusted contract. A key is taken for ever.
    function create(uint256 who, uint256 whom, uint192 deposit, uint256 how) external watched {
        (who, whom) = (who % people.length, whom % people.length);
        Entry memory made;
        (made.sender, made.receiver, made.senderKey, made.receiverKey) =
        (people[who], people[whom], keys[who], keys[whom]);
        (made.openBlock, made.live) = (uint32(vm.getBlockNumber()), true);
        made.deposit = uint192(bound(deposit, 0, 10 ** 9));
        bytes32 id = keyOf(made.sender, made.receiver, made.openBlock);
        bool allowed = entries[id].openBlock == 0;
        address from = how % 4 < 2 ? made.sender : delegate;

        if (how % 2 == 0) {
            attempt(from, made.deposit, abi.encodePacked(made.sender, made.receiver), allowed);
        } else if (from == made.sender) {
            attempt(from, abi.encodeCall(escrow.createChannel, (made.receiver, made.deposit)), allowed);
        } else {
            attempt(
                from, abi.encodeCall(escrow.createChannelDelegate, (made.sender, made.receiver, made.deposit)), allowed
            );
        }
        if (!allowed) return;
        ids.push(id);
        entries[id] = made;
        owned[from] -= made.deposit;
        ++done["create"];
    }

    function topUp(uint256 which, uint256 who, uint192 added, uint256 how) external watched {
        Entry storage entry = pick(which);
        (address from, address to, uint32 openBlock) = (entry.sender, entry.receiver, entry.openBlock);
        address caller = how % 4 < 2 ? pickCaller(who, from) : delegate;
        added = uint192(bound(added, 0, 10 ** 9));
        if (how % 4 == 1) entry = entries[keyOf(caller, to, openBlock)];
        bool entitled = caller == entry.sender || caller == delegate;
        bool allowed = entry.live && entry.settleBlock == 0 && added > 0 && entitled;

        if (how % 2 == 0) {
            attempt(caller, added, abi.encodePacked(from, to, openBlock), allowed);
        } else if (caller == delegate) {
            attempt(caller, abi.encodeCall(escrow.topUpDelegate, (from, to, openBlock, added)), allowed);
        } else {
            attempt(caller, abi.encodeCall(escrow.topUp, (to, openBlock, added)), allowed);
        }
        if (!allowed) return;
        entry.deposit += added;
        owned[caller] -= added;
        ++done["topUp"];
    }

    function withdraw(uint256 which, uint256 who, uint192 balance, bool forged) external watched {
        Entry storage entry = pick(which);
        address caller = pickCaller(who, entry.receiver);
        balance = near(entry, balance);
        bool allowed = entry.live && entry.settleBlock == 0 && caller == entry.receiver && !forged
            && balance > entry.withdrawn && balance <= entry.deposit;

        bytes memory signature = signedBySender(entry, balance, forged);
        attempt(caller, abi.encodeCall(escrow.withdraw, (entry.openBlock, balance, signature)), allowed);
        if (!allowed) return;
        owned[caller] += balance - entry.withdrawn;
        entry.withdrawn = balance;
        ++done["withdraw"];
    }

    function close(uint256 which, uint256 who, uint192 balance, uint256 forged) external watched {
        Entry storage entry = pick(which);
        balance = near(entry, balance);
        (bool mine, bool theirs) = (forged % 8 == 0, forged % 8 == 1);
        bool allowed = entry.live && isInRange(entry, balance) && !mine && !theirs;

        attempt(
            people[who % people.length],
            abi.encodeCall(
                escrow.cooperativeClose,
                (
                    entry.receiver,
                    entry.openBlock,
                    balance,
                    signedBySender(entry, balance, mine),
                    signedByReceiver(entry, balance, theirs)
                )
            ),
            allowed
        );
        if (!allowed) return;
        end(entry, balance);
        ++done["close"];
    }

    function requestClose(uint256 which, uint256 who, uint192 balance) external watched {
        (Entry storage entry, address caller, address to, uint32 openBlock) = pickOwn(which, who);
        balance = near(entry, balance);
        bool allowed = entry.live && entry.settleBlock == 0 && isInRange(entry, balance);

        attempt(caller, abi.encodeCall(escrow.uncooperativeClose, (to, openBlock, balance)), allowed);
        if (!allowed) return;
        entry.closingBalance = balance;
        entry.settleBlock = vm.getBlockNumber() + escrow.challenge_period();
        ++done["requestClose"];
    }

    function settle(uint256 which, uint256 who) external watched {
        (Entry storage entry, address caller, address to, uint32 openBlock) = pickOwn(which, who);
        bool allowed = entry.live && entry.settleBlock != 0 && vm.getBlockNumber() > entry.settleBlock;

        attempt(caller, abi.encodeCall(escrow.settle, (to, openBlock)), allowed);
        if (!allowed) return;
        end(entry, entry.closingBalance);
        ++done["settle"];
    }

    /// @dev Often no block at all, so that much happens within one.
    function pass(uint256 blocks) external watched {
        vm.roll(vm.getBlockNumber() + bound(blocks, 0, 3) * bound(blocks >> 8, 0, 300));
    }
}
