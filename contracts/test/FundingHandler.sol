// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {Handler} from "./Handler.sol";
import {PERMIT2, putPermit2} from "./Permit2.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev Deposits for others and by others: gifts, and transfers that were signed for the token or for Permit2. The names
///      in what is signed are those of test/vectors/payment.json.
abstract contract FundingHandler is Handler {
    bytes32 private constant TRANSFER = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    uint256 private nonces;

    constructor(IChannelEscrow escrow_, IDemoToken[2] memory tokens_) Handler(escrow_, tokens_) {
        putPermit2();
        for (uint256 i; i < 2 * people.length; ++i) {
            vm.prank(people[i / 2]);
            tokens[i % 2].approve(PERMIT2, NEVER);
        }
    }

    function openFor(uint256 who, uint256 whose, uint256 whom, uint256 what, uint128 amount) external watched {
        address caller = people[who % people.length];
        (bytes32 id, Entry memory made, bool allowed) =
            plan(whose, whom, what, amount, keccak256(abi.encode(caller, SALT)));
        attempt(
            caller,
            abi.encodeCall(
                IChannelEscrow.openFor,
                (made.sender, made.receiver, address(made.token), made.deposit, SALT, address(0))
            ),
            allowed
        );
        if (allowed) add("openFor", id, made, caller);
    }

    function openWithAuthorization(
        uint256 who,
        uint256 whose,
        uint256 whom,
        uint256 what,
        uint128 amount,
        uint256 forged
    ) external watched {
        (bytes32 id, Entry memory made, bool allowed) = plan(whose, whom, what, amount, "by authorization");
        forged %= 8;
        allowed = allowed && forged != 1 && takes(made.sender, forged == 0);
        attempt(people[who % people.length], openByToken(made, forged), allowed);
        if (allowed) add("openWithAuthorization", id, made, made.sender);
    }

    function openWithPermit2(uint256 who, uint256 whose, uint256 whom, uint256 what, uint128 amount, uint256 forged)
        external
        watched
    {
        (bytes32 id, Entry memory made, bool allowed) = plan(whose, whom, what, amount, "by Permit2");
        allowed = allowed && takes(made.sender, forged % 8 == 0);
        attempt(people[who % people.length], openByPermit2(made, forged), allowed);
        if (allowed) add("openWithPermit2", id, made, made.sender);
    }

    /// @dev By anyone, with anyone's money.
    function topUpBySignature(uint256 which, uint256 who, uint256 whose, uint128 amount, bool byPermit2, uint256 forged)
        external
        watched
    {
        (bytes32 id, Entry storage entry) = pick(which);
        address from = pickCaller(whose, entry.sender);
        amount = uint128(bound(amount, 0, 10 ** 9));
        bool signed = takes(from, forged % 8 == 0);
        bool allowed = entry.deposit > 0 && !entry.finalized && amount > 0 && signed;

        bytes memory call = byPermit2
            ? topUpByPermit2(id, entry.token, from, amount, forged)
            : topUpByToken(id, entry.token, from, amount, forged);
        attempt(people[who % people.length], call, allowed);
        if (!allowed) return;
        entry.deposit += amount;
        if (from == entry.sender) entry.requestedAt = 0;
        owned[from][entry.token] -= amount;
        ++done[byPermit2 ? "topUpWithPermit2" : "topUpWithAuthorization"];
    }

    /// @dev A channel that might be, and whether it can be opened.
    function plan(uint256 whose, uint256 whom, uint256 what, uint128 amount, bytes32 salt)
        internal
        view
        returns (bytes32 id, Entry memory made, bool possible)
    {
        made.sender = made.signer = people[whose % people.length];
        (made.receiver, made.token) = (people[whom % people.length], tokens[what % 2]);
        made.deposit = uint128(bound(amount, 0, 10 ** 9));
        id = escrow.computeChannelId(made.sender, made.receiver, address(made.token), salt, address(0));
        possible = made.deposit > 0 && entries[id].deposit == 0;
    }

    /// @dev With another nonce than that of the channel, if forged is 1.
    function openByToken(Entry memory made, uint256 forged) private view returns (bytes memory) {
        bytes32 salt = "by authorization";
        bytes32 nonce = keccak256(abi.encode(made.sender, made.receiver, made.token, salt, address(0)));
        if (forged == 1) nonce = bytes32(nonces);
        bytes memory signature = signTransfer(made.token, made.sender, made.deposit, nonce, forged == 0);
        return abi.encodeWithSelector(
            IRelayed.openWithAuthorization.selector,
            made.receiver,
            made.token,
            made.deposit,
            salt,
            address(0),
            made.sender,
            0,
            NEVER,
            nonce,
            signature
        );
    }

    function openByPermit2(Entry memory made, uint256 forged) private returns (bytes memory) {
        bytes32 salt = "by Permit2";
        string memory type_ = "ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)";
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(type_)), made.receiver, salt, address(0)));
        bytes memory signature = signPermit(made, string.concat("ChannelOpenWitness witness)", type_), witness, forged);
        return abi.encodeWithSelector(
            IRelayed.openWithPermit2.selector,
            made.receiver,
            made.token,
            made.deposit,
            salt,
            address(0),
            made.sender,
            nonces++,
            NEVER,
            signature
        );
    }

    function topUpByToken(bytes32 id, IDemoToken token, address from, uint128 amount, uint256 forged)
        private
        returns (bytes memory)
    {
        bytes32 salt = bytes32(nonces++);
        bytes32 nonce = keccak256(abi.encode(id, amount, from, salt));
        bytes memory signature = signTransfer(token, from, amount, nonce, forged % 8 == 0);
        return abi.encodeCall(IRelayed.topUpWithAuthorization, (id, amount, from, salt, 0, NEVER, nonce, signature));
    }

    function topUpByPermit2(bytes32 id, IDemoToken token, address from, uint128 amount, uint256 forged)
        private
        returns (bytes memory)
    {
        Entry memory giving;
        (giving.sender, giving.token, giving.deposit) = (from, token, amount);
        string memory type_ = "ChannelTopUpWitness(bytes32 channelId)";
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(type_)), id));
        bytes memory signature =
            signPermit(giving, string.concat("ChannelTopUpWitness witness)", type_), witness, forged);
        return abi.encodeCall(IRelayed.topUpWithPermit2, (id, amount, from, nonces++, NEVER, signature));
    }

    function signTransfer(IDemoToken token, address from, uint128 amount, bytes32 nonce, bool forged)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(abi.encode(TRANSFER, from, address(escrow), amount, 0, NEVER, nonce));
        bytes32 separator = address(token) == address(0) ? bytes32(0) : token.DOMAIN_SEPARATOR();
        return signBy(from, forged, separator, structHash);
    }

    /// @dev By the sender, over the deposit, with the next nonce.
    function signPermit(Entry memory entry, string memory witnessType, bytes32 witness, uint256 forged)
        private
        view
        returns (bytes memory)
    {
        bytes32 permitted = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), entry.token, entry.deposit)
        );
        bytes32 type_ = keccak256(
            abi.encodePacked(
                "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,",
                witnessType,
                "TokenPermissions(address token,uint256 amount)"
            )
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                PERMIT2
            )
        );
        bytes32 structHash = keccak256(abi.encode(type_, permitted, address(escrow), nonces, NEVER, witness));
        return signBy(entry.sender, forged % 8 == 0, separator, structHash);
    }
}
