// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IOperators} from "../src/interfaces/IOperators.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {FundingHandler} from "./FundingHandler.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What operators do for receivers, and anyone with what receivers have signed.
abstract contract RelayHandler is FundingHandler {
    mapping(bytes32 => mapping(uint256 => bool)) private used;

    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) FundingHandler(escrow_, tokens_) {}

    function setOperator(uint256 who, uint256 whom, bool remove) external watched {
        address caller = people[who % people.length];
        address operator = remove ? address(0) : people[whom % people.length];
        attempt(caller, abi.encodeCall(IOperators.setOperator, (operator)), true);
        operators[caller] = operator;
        assertEq(escrow.operatorOf(caller), operator);
        ++done["setOperator"];
    }

    function settleManyFor(uint256 who, uint256 whose, uint256 what, uint128 amount, uint256 twice) external watched {
        address receiver = people[whose % people.length];
        address caller = pickCaller(who, operators[receiver]);
        address token = address(tokens[what % 2]);
        if (!mayAct(caller, receiver)) {
            IChannelEscrow.Settlement[] memory none;
            attempt(caller, abi.encodeCall(IChannelEscrow.settleManyFor, (receiver, token, none)), false);
            return;
        }
        (IChannelEscrow.Settlement[] memory rows, uint256 expected) =
            batch("settleManyFor", receiver, tokens[what % 2], amount, twice);
        vm.prank(caller);
        assertEq(escrow.settleManyFor(receiver, token, rows), expected);
    }

    /// @dev A settlement or a close that the receiver signed, with few nonces, so that they meet again. With a forged
    ///      voucher for 0, and a forged authorization for 1.
    function relay(uint256 which, uint256 who, uint128 amount, uint256 nonce, uint256 forged, bool closing)
        external
        watched
    {
        (bytes32 id, Entry storage entry) = pick(which);
        amount = near(entry, amount);
        (nonce, forged) = ((nonce % 4) * 200, forged % 8);
        bool payable_ = isPayable(entry, amount, forged == 0);
        bool fits = payable_ || (closing && amount <= entry.settled && entry.deposit > 0 && !entry.finalized);
        bool allowed = fits && takes(entry.receiver, forged == 1) && !used[id][nonce];

        attempt(people[who % people.length], relayCall(id, amount, nonce, closing, forged), allowed);
        if (!allowed) return;
        used[id][nonce] = true;
        if (payable_) pay(entry, amount);
        if (closing) end(entry);
        ++done[closing ? "closeWithAuthorization" : "settleWithAuthorization"];
    }

    function relayCall(bytes32 id, uint128 amount, uint256 nonce, bool closing, uint256 forged)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(abi.encode(typehash(closing), id, amount, nonce, NEVER));
        bytes memory authorization = signBy(entries[id].receiver, forged == 1, domain(), structHash);
        bytes4 selector = closing ? IRelayed.closeWithAuthorization.selector : IRelayed.settleWithAuthorization.selector;
        return
            abi.encodeWithSelector(selector, id, amount, nonce, NEVER, authorization, voucher(id, amount, forged == 0));
    }

    function typehash(bool closing) private pure returns (bytes32) {
        return closing
            ? keccak256("CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)")
            : keccak256(
                "SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)"
            );
    }
}
