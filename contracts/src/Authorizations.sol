// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Endings} from "./Endings.sol";
import {Record, Records} from "./Records.sol";
import {IRelayed} from "./interfaces/IRelayed.sol";

/// @title A receiver's signature in place of its transaction
abstract contract Authorizations is Endings {
    using Records for Record;

    bytes32 private constant SETTLE_TYPEHASH =
        keccak256("SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)");
    bytes32 private constant CLOSE_TYPEHASH =
        keccak256("CloseAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)");

    /// @dev One bit for each nonce, for settlements and closes together. Nonces that are counted up share their words, so
    ///      all but the first of 256 cost a change of a word and not a new one.
    mapping(bytes32 channelId => mapping(uint256 high => uint256 bits)) private _usedNonces;

    /// @inheritdoc IRelayed
    function settleWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata receiverSignature,
        bytes calldata voucherSignature
    ) external guarded {
        Record memory record = _records[channelId];
        _requireLive(record);
        bytes32 structHash = keccak256(abi.encode(SETTLE_TYPEHASH, channelId, cumulativeAmount, nonce, deadline));
        _authorize(record.receiver(), channelId, nonce, deadline, structHash, receiverSignature);
        _redeem(channelId, record, cumulativeAmount, voucherSignature);
    }

    /// @inheritdoc IRelayed
    function closeWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata receiverSignature,
        bytes calldata voucherSignature
    ) external guarded {
        Record memory record = _records[channelId];
        _requireLive(record);
        bytes32 structHash = keccak256(abi.encode(CLOSE_TYPEHASH, channelId, cumulativeAmount, nonce, deadline));
        _authorize(record.receiver(), channelId, nonce, deadline, structHash, receiverSignature);
        _closeFor(channelId, record, cumulativeAmount, voucherSignature);
    }

    /// @dev Once for each nonce of a channel.
    function _authorize(
        address receiver,
        bytes32 channelId,
        uint256 nonce,
        uint256 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) private {
        if (block.timestamp > deadline) revert AuthorizationExpired();
        uint256 bit = 1 << (nonce & 0xff);
        uint256 used = _usedNonces[channelId][nonce >> 8];
        if (used & bit != 0) revert NonceAlreadyUsed();
        _usedNonces[channelId][nonce >> 8] = used | bit;
        if (!_isSigned(receiver, _digestOf(structHash), signature)) revert InvalidSignature();
    }
}
