// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What the escrow tells and what it refuses
/// @notice Events and errors of `IChannelEscrow`.
/// @dev The events have the types, and so the topics, of the Tempo stream channel, so that indexers of either read both.
interface IChannelEscrowEvents {
    /// @notice A channel exists and holds its first deposit.
    /// @param signer Key that signs the vouchers, or zero if the sender itself does.
    /// @param salt Chosen by the sender, so that it can have several channels with the same terms.
    /// @param deposit First deposit, in token base units.
    event ChannelOpened(
        bytes32 indexed channelId,
        address indexed sender,
        address indexed receiver,
        address token,
        address signer,
        bytes32 salt,
        uint256 deposit
    );

    /// @notice The deposit grew, by the money of the sender or, in a relayed top up, of anyone.
    /// @param newDeposit All put in so far, whatever of it has been settled.
    event TopUp(
        bytes32 indexed channelId,
        address indexed sender,
        address indexed receiver,
        uint256 additionalDeposit,
        uint256 newDeposit
    );

    /// @notice The receiver was paid and the channel stays open.
    /// @param cumulativeAmount Amount of the voucher, or of the sender's own word in `requestClose`.
    /// @param deltaPaid What moved now.
    /// @param newSettled What has moved to the receiver since the channel was opened; equals `cumulativeAmount`.
    event Settled(
        bytes32 indexed channelId,
        address indexed sender,
        address indexed receiver,
        uint256 cumulativeAmount,
        uint256 deltaPaid,
        uint256 newSettled
    );

    /// @notice A row of a batch was left out.
    /// @param reason Selector of the error with which `settle` would have reverted. `InvalidToken` means that the
    ///        channel holds another token than the batch pays.
    event SettlementSkipped(bytes32 indexed channelId, bytes4 reason);

    /// @notice The sender wants the rest of its deposit back. The challenge period runs.
    /// @param closeGraceEnd Unix time from which `withdraw` is possible.
    event CloseRequested(
        bytes32 indexed channelId, address indexed sender, address indexed receiver, uint256 closeGraceEnd
    );

    /// @notice A top up by the sender withdrew the request to close.
    event CloseRequestCancelled(bytes32 indexed channelId, address indexed sender, address indexed receiver);

    /// @notice The channel ended, by `close` or by `withdraw`. No other event tells of the payments this made.
    /// @param settledToReceiver Cumulative: earlier settlements are in it.
    /// @param refundedToSender What went back to the sender now. Both add up to the deposit.
    event ChannelClosed(
        bytes32 indexed channelId,
        address indexed sender,
        address indexed receiver,
        uint256 settledToReceiver,
        uint256 refundedToSender
    );

    /// @notice The challenge period passed, and the channel ends. Its `ChannelClosed` is next.
    event ChannelExpired(bytes32 indexed channelId, address indexed sender, address indexed receiver);

    /// @notice A receiver named another key that may act for it.
    /// @param operator The key, or zero if there is none any more.
    event OperatorChanged(address indexed receiver, address indexed operator);

    /// @notice These terms and this salt name a channel that exists, or that existed and is finalized.
    error ChannelAlreadyExists();
    /// @notice No channel has this id.
    error ChannelNotFound();
    /// @notice The channel has been closed or withdrawn, for good.
    error ChannelFinalized();
    /// @notice Only the sender of the channel may do this, or pay for it by a transfer.
    error NotSender();
    /// @notice Only the receiver of the channel, or its operator, may do this.
    error NotReceiver();
    /// @notice A deposit is at least one base unit.
    error ZeroDeposit();
    /// @notice A channel holds at most 2^128 - 1 base units.
    error DepositOverflow();
    /// @notice The voucher promises no more than has been settled already.
    error AmountNotIncreasing();
    /// @notice The voucher promises more than the channel holds.
    error AmountExceedsDeposit();
    /// @notice The amount is under what was settled, or over what the voucher or the deposit allows.
    error AmountOutOfRange();
    /// @notice The channel's signer did not sign this voucher, or its receiver not this authorization.
    error InvalidSignature();
    /// @notice Too little gas to tell a wallet that refuses a signature from one that ran out of gas.
    error InsufficientGas();
    /// @notice No close was requested, or the challenge period is not over.
    error CloseNotReady();
    /// @notice The nonce of a token's authorization does not belong to this channel or top up.
    error NonceMismatch();
    /// @notice The receiver's authorization was used, or another one with its nonce.
    error NonceAlreadyUsed();
    /// @notice The deadline of the receiver's authorization is over.
    error AuthorizationExpired();
    /// @notice The sender is the zero address or this contract, and could get nothing back.
    error InvalidSender();
    /// @notice The receiver is the zero address or this contract, and could never settle.
    error InvalidReceiver();
    /// @notice The token has no code, or is not the token of the channel.
    error InvalidToken();
    /// @notice The balance of this contract did not grow by what was to be deposited. Fees on transfers are the usual cause.
    error InexactTransfer();
    /// @notice The data of a transfer is neither a channel id nor the terms of a channel.
    error InvalidTransferData();
    /// @notice A challenge period is between 10 minutes and 30 days.
    error GracePeriodOutOfRange();
    /// @notice A token or a wallet called back into this contract.
    error Reentrancy();
}
