// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What anyone may send for a sender or a receiver who signed it
/// @notice The relayed profile of draft-evm-session-00. Whoever sends these pays the gas and gets nothing: deposits come
///         from `from`, settlements go to the receiver of the channel and refunds to its sender.
/// @dev A signature is as good in another's transaction. Whoever finds that its own reverts with `ChannelAlreadyExists`,
///      or with the token's or Permit2's word for a used nonce, looks at the channel: if it is what was meant, then
///      another was faster and all is done.
interface IRelayed {
    /// @notice Opens a channel of `from` and takes its deposit by the token's `receiveWithAuthorization` (ERC-3009).
    /// @dev Asks for the form with a signature of bytes first, then, if the signature has 65 bytes, for the one with v, r
    ///      and s; the second is an extension. If both fail, this reverts with what the token said.
    /// @param from The sender, who signed the transfer of `deposit` to this contract.
    /// @param validAfter Unix time after which the transfer is good.
    /// @param validBefore Unix time before which it is.
    /// @param nonce keccak256(abi.encode(from, receiver, token, salt, signer)): by that the signature is for this channel.
    /// @return channelId See `computeChannelId`.
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
    ) external returns (bytes32 channelId);

    /// @notice Adds to the deposit of any channel, from the money of anyone, as `openWithAuthorization` takes it.
    /// @dev Withdraws a request to close only when `from` is the sender, whenever it signed: so a sender that wants to
    ///      close lets no top up lie about unsent. What is not used goes back to the sender of the channel, not to `from`.
    /// @param topUpSalt Makes the nonce unique among top ups of the same channel by the same amount.
    /// @param nonce keccak256(abi.encode(channelId, additionalDeposit, from, topUpSalt))
    function topUpWithAuthorization(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        bytes32 topUpSalt,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Opens a channel of `from` and takes its deposit by Permit2, which `from` has approved for the token.
    /// @dev The signature is for this channel by its witness: receiver, salt and signer.
    /// @param nonce Of Permit2, unordered.
    /// @param deadline Unix time until which the signature is good.
    /// @return channelId See `computeChannelId`.
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
    ) external returns (bytes32 channelId);

    /// @notice Adds to the deposit of any channel, from the money of anyone, by Permit2. See `topUpWithAuthorization`.
    /// @dev The witness is the id of the channel.
    function topUpWithPermit2(
        bytes32 channelId,
        uint128 additionalDeposit,
        address from,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice `settle` for a receiver that has signed for it.
    /// @dev The receiver may be a contract (ERC-1271), under the same rules as a signer of vouchers. An operator's
    ///      signature does not do: it sends `settle` itself.
    /// @param nonce Any that the receiver has not used for this channel, for a settlement or for a close. Counted up it
    ///        costs least.
    /// @param deadline Last Unix time at which this may be sent.
    /// @param receiverSignature By the receiver, over
    ///        `SettleAuthorization(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)` in the
    ///        domain of the vouchers.
    /// @param voucherSignature The one that `settle` wants.
    function settleWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata receiverSignature,
        bytes calldata voucherSignature
    ) external;

    /// @notice `close` for a receiver that has signed for it. See `settleWithAuthorization`.
    /// @param receiverSignature As there, over `CloseAuthorization` with the same fields.
    /// @param voucherSignature The one that `close` wants, so none at or under `settled`.
    function closeWithAuthorization(
        bytes32 channelId,
        uint128 cumulativeAmount,
        uint256 nonce,
        uint256 deadline,
        bytes calldata receiverSignature,
        bytes calldata voucherSignature
    ) external;
}
