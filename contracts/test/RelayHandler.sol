// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IOperators} from "../src/interfaces/IOperators.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {Handler} from "./Handler.sol";
import {PERMIT2, putPermit2} from "./Permit2.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What operators, relayers and people with money to give do besides.
contract RelayHandler is Handler {
    uint256 private constant NEVER = type(uint256).max;

    mapping(bytes32 => mapping(uint256 => bool)) private used;
    uint256 private permits;

    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) Handler(escrow_, tokens_) {
        putPermit2();
        for (uint256 i; i < 2 * people.length; ++i) {
            vm.prank(people[i / 2]);
            tokens[i % 2].approve(PERMIT2, type(uint256).max);
        }
    }

    function openFor(uint256 who, uint256 whose, uint256 whom, uint256 what, uint128 amount) external watched {
        address caller = people[who % people.length];
        Entry memory made;
        (made.sender, made.key) = (people[whose % people.length], keys[whose % people.length]);
        (made.receiver, made.token) = (people[whom % people.length], tokens[what % 2]);
        made.deposit = uint128(bound(amount, 0, 10 ** 9));
        bytes32 salt = keccak256(abi.encode(caller, SALT));
        bytes32 id = escrow.computeChannelId(made.sender, made.receiver, address(made.token), salt, address(0));
        bool allowed = made.deposit > 0 && entries[id].deposit == 0;

        attempt(
            caller,
            abi.encodeCall(
                IChannelEscrow.openFor,
                (made.sender, made.receiver, address(made.token), made.deposit, SALT, address(0))
            ),
            allowed
        );
        if (!allowed) return;
        ids.push(id);
        entries[id] = made;
        owned[caller][made.token] -= made.deposit;
        ++done["openFor"];
    }

    /// @dev By anyone, with anyone's money.
    function topUpWithPermit2(uint256 which, uint256 who, uint256 whose, uint128 amount) external watched {
        (bytes32 id, Entry storage entry) = pick(which);
        address from = pickCaller(whose, entry.sender);
        amount = uint128(bound(amount, 0, 10 ** 9));
        bool allowed = entry.deposit > 0 && !entry.finalized && amount > 0;

        uint256 nonce = permits++;
        bytes memory signature = permit(keyOf(from), id, address(entry.token), amount, nonce);
        attempt(
            people[who % people.length],
            abi.encodeCall(IRelayed.topUpWithPermit2, (id, amount, from, nonce, NEVER, signature)),
            allowed
        );
        if (!allowed) return;
        entry.deposit += amount;
        if (from == entry.sender) entry.requestedAt = 0;
        owned[from][entry.token] -= amount;
        ++done["topUpWithPermit2"];
    }

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

    /// @dev A settlement or a close that the receiver signed, with few nonces, so that they meet again.
    function relay(uint256 which, uint256 who, uint128 amount, uint256 nonce, bool closing, uint8 forged)
        external
        watched
    {
        (bytes32 id, Entry storage entry) = pick(which);
        amount = near(entry, amount);
        nonce = (nonce % 4) * 200;
        bool payable_ = isPayable(entry, amount, forged % 8 == 0);
        bool fits = payable_ || (closing && amount <= entry.settled);
        bool allowed = entry.deposit > 0 && !entry.finalized && fits && forged % 8 != 1 && !used[id][nonce];

        attempt(people[who % people.length], relayCall(id, amount, nonce, closing, forged % 8), allowed);
        if (!allowed) return;
        used[id][nonce] = true;
        if (payable_) pay(entry, amount);
        if (closing) end(entry);
        ++done[closing ? "closeWithAuthorization" : "settleWithAuthorization"];
    }

    /// @dev With a forged voucher for 0, and a forged authorization for 1.
    function relayCall(bytes32 id, uint128 amount, uint256 nonce, bool closing, uint8 forged)
        private
        view
        returns (bytes memory)
    {
        uint256 key = forged == 1 ? senderKeyOfNobody() : keyOf(entries[id].receiver);
        bytes32 structHash = keccak256(abi.encode(typehash(closing), id, amount, nonce, NEVER));
        bytes4 selector = closing ? IRelayed.closeWithAuthorization.selector : IRelayed.settleWithAuthorization.selector;
        return abi.encodeWithSelector(
            selector, id, amount, nonce, NEVER, authorize(key, structHash), voucher(id, amount, forged == 0)
        );
    }

    function typehash(bool closing) private pure returns (bytes32) {
        return closing
            ? keccak256("CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)")
            : keccak256(
                "SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)"
            );
    }

    function authorize(uint256 key, bytes32 structHash) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain(), structHash)));
        return abi.encodePacked(r, s, v);
    }

    function permit(uint256 key, bytes32 id, address token, uint256 amount, uint256 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 witness = keccak256(abi.encode(keccak256("ChannelTopUpWitness(bytes32 channelId)"), id));
        bytes32 permitted =
            keccak256(abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), token, amount));
        bytes32 type_ = keccak256(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,ChannelTopUpWitness witness)ChannelTopUpWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)"
        );
        bytes32 domainOfPermit2 = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                PERMIT2
            )
        );
        bytes32 structHash = keccak256(abi.encode(type_, permitted, address(escrow), nonce, NEVER, witness));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", domainOfPermit2, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function keyOf(address person) private view returns (uint256) {
        for (uint256 i; i < people.length; ++i) {
            if (people[i] == person) return keys[i];
        }
        return senderKeyOfNobody();
    }
}
