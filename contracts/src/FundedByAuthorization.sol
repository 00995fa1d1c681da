// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Channels} from "./Channels.sol";
import {Record} from "./Records.sol";
import {IERC3009, IERC3009WithBytes} from "./interfaces/IERC3009.sol";
import {IRelayed} from "./interfaces/IRelayed.sol";

/// @title Deposits that a token takes by a signature (ERC-3009)
abstract contract FundedByAuthorization is Channels {
    /// @dev The transfer to this contract that was signed.
    struct Authorization {
        uint128 amount;
        address from;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    /// @inheritdoc IRelayed
    function openWithAuthorization(
        address receiver,
        address token,
        uint128 deposit,
        bytes32 salt,
        address signer,
        address from,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external guardedPull(token) returns (bytes32 channelId) {
        if (nonce != keccak256(abi.encode(from, receiver, token, salt, signer))) {
            revert NonceMismatch();
        }
        channelId = _createFor(from, receiver, token, deposit, salt, signer);
        _pullAuthorized(token, Authorization(deposit, from, validAfter, validBefore, nonce), signature);
    }

    /// @inheritdoc IRelayed
    function topUpWithAuthorization(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        bytes32 topUpSalt,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external guarded {
        if (nonce != keccak256(abi.encode(channelId, additionalDeposit, from, topUpSalt))) {
            revert NonceMismatch();
        }
        Record memory record = _records[channelId];
        _requireLive(record);
        address token = _credit(channelId, record, from, additionalDeposit);
        _expectPull(token);
        _pullAuthorized(token, Authorization(additionalDeposit, from, validAfter, validBefore, nonce), signature);
    }

    /// @dev By `receiveWithAuthorization` alone: only this contract can send that, so nobody can move the money here
    ///      without its channel. The form of USDC's older versions, with v, r and s, is an extension of the draft.
    function _pullAuthorized(address token, Authorization memory signed, bytes calldata signature)
        private
        arriving(token, signed.amount)
    {
        try IERC3009WithBytes(token)
            .receiveWithAuthorization(
                signed.from,
                address(this),
                signed.amount,
                signed.validAfter,
                signed.validBefore,
                signed.nonce,
                signature
            ) {}
        catch (bytes memory reason) {
            if (signature.length != 65) _refuse(token, reason);
            _pullSplit(token, signed, signature, reason);
        }
    }

    /// @dev A token that has one form only says nothing about the other: so `earlierReason` is what is left to say.
    function _pullSplit(
        address token,
        Authorization memory signed,
        bytes calldata signature,
        bytes memory earlierReason
    ) private {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        try IERC3009(token)
            .receiveWithAuthorization(
                signed.from,
                address(this),
                signed.amount,
                signed.validAfter,
                signed.validBefore,
                signed.nonce,
                uint8(signature[64]),
                r,
                s
            ) {}
        catch (bytes memory reason) {
            _refuse(token, reason.length == 0 ? earlierReason : reason);
        }
    }

    function _refuse(address token, bytes memory reason) private pure {
        if (reason.length == 0) revert SafeERC20.SafeERC20FailedOperation(token);
        LowLevelCall.bubbleRevert(reason);
    }
}
