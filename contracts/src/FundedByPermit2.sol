// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channels} from "./Channels.sol";
import {Record} from "./Records.sol";
import {IPermit2} from "./interfaces/IPermit2.sol";
import {IRelayed} from "./interfaces/IRelayed.sol";

/// @title Deposits that Permit2 takes by a signature, in any token
/// @dev The names in the witness types are the draft's. `test/vectors/payment.json` holds the contract to them.
abstract contract FundedByPermit2 is Channels {
    /// @dev At the same address on every chain that has it.
    IPermit2 private constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    string private constant OPEN_WITNESS = "ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)";
    string private constant TOP_UP_WITNESS = "ChannelTopUpWitness(bytes32 channelId)";
    string private constant TOKEN_PERMISSIONS = "TokenPermissions(address token,uint256 amount)";

    /// @inheritdoc IRelayed
    function openWithPermit2(
        address receiver,
        address token,
        uint128 deposit,
        bytes32 salt,
        address signer,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external guardedPull(token) returns (bytes32 channelId) {
        channelId = _createFor(from, receiver, token, deposit, salt, signer);
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(OPEN_WITNESS)), receiver, salt, signer));
        string memory witnessType = string.concat("ChannelOpenWitness witness)", OPEN_WITNESS, TOKEN_PERMISSIONS);
        _pullPermitted(_permit(token, deposit, nonce, deadline), from, witness, witnessType, signature);
    }

    /// @inheritdoc IRelayed
    function topUpWithPermit2(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external guarded {
        Record memory record = _records[channelId];
        _requireLive(record);
        address token = _credit(channelId, record, from, additionalDeposit);
        _expectPull(token);
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(TOP_UP_WITNESS)), channelId));
        string memory witnessType = string.concat("ChannelTopUpWitness witness)", TOP_UP_WITNESS, TOKEN_PERMISSIONS);
        _pullPermitted(_permit(token, additionalDeposit, nonce, deadline), from, witness, witnessType, signature);
    }

    function _permit(address token, uint128 amount, uint256 nonce, uint256 deadline)
        private
        pure
        returns (IPermit2.PermitTransferFrom memory)
    {
        return IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amount), nonce, deadline);
    }

    function _pullPermitted(
        IPermit2.PermitTransferFrom memory permit,
        address from,
        bytes32 witness,
        string memory witnessType,
        bytes calldata signature
    ) private arriving(permit.permitted.token, permit.permitted.amount) {
        IPermit2.SignatureTransferDetails memory details =
            IPermit2.SignatureTransferDetails(address(this), permit.permitted.amount);
        PERMIT2.permitWitnessTransferFrom(permit, details, from, witness, witnessType, signature);
    }
}
