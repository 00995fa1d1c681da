// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What `IRaidenChannels` tells and what it refuses
/// @dev The events are those of RaidenMicroTransferChannels 0.2.0, to the names of their arguments. It gave no reasons when
///      it refused, so the errors are new.
interface IRaidenChannelsEvents {
    /// @notice A channel exists and holds its first deposit.
    /// @dev It is named by its sender, its receiver and the block of this event.
    /// @param _deposit First deposit, in token base units. May be 0.
    event ChannelCreated(address indexed _sender_address, address indexed _receiver_address, uint192 _deposit);

    /// @notice The deposit grew.
    /// @param _added_deposit By how much.
    event ChannelToppedUp(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _added_deposit
    );

    /// @notice The sender wants the rest of its deposit back. The challenge period runs.
    /// @param _balance What the sender says that it owes in all, at least what was withdrawn.
    event ChannelCloseRequested(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance
    );

    /// @notice The channel ended, by `cooperativeClose` or by `settle`.
    /// @param _balance What the receiver got in all.
    /// @param _receiver_tokens What of it the receiver got now; the rest was withdrawn before.
    event ChannelSettled(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _balance,
        uint192 _receiver_tokens
    );

    /// @notice The receiver was paid and the channel stays open.
    /// @param _withdrawn_balance What the receiver got now.
    event ChannelWithdraw(
        address indexed _sender_address,
        address indexed _receiver_address,
        uint32 indexed _open_block_number,
        uint192 _withdrawn_balance
    );

    /// @notice A contract may fund the channels of others from now on, or no longer.
    event TrustedContract(address indexed _trusted_contract_address, bool _trusted_status);

    /// @notice Only the owner may say whom to trust.
    error NotOwner();
    /// @notice Only a trusted contract may fund the channels of others.
    error NotTrusted();
    /// @notice Only the token may tell of a transfer.
    error NotToken();
    /// @notice The token has no code or no supply.
    error InvalidToken();
    /// @notice A challenge period is at least 500 blocks.
    error ChallengePeriodTooShort();
    /// @notice The sender is the zero address, the token or this contract, and could never get its deposit back.
    error InvalidSender();
    /// @notice The receiver is the zero address, the token or this contract, and could never be paid.
    error InvalidReceiver();
    /// @notice These two have opened a channel in this block already.
    error ChannelAlreadyExists();
    /// @notice There is no such channel, or it has ended. A signature of anything else leads here too, because it names
    ///         another sender.
    error ChannelNotFound();
    /// @notice The sender has asked to close the channel.
    error ChannelClosing();
    /// @notice A top up is at least one base unit.
    error ZeroDeposit();
    /// @notice A channel holds at most 2^96 - 1 base units.
    error DepositOverflow();
    /// @notice Blocks are counted in 32 bits, and this one would not fit.
    error BlockOverflow();
    /// @notice The balance of this contract did not grow by what was to be deposited. Fees on transfers are the usual cause.
    error InexactTransfer();
    /// @notice The data of a transfer is not 40 bytes and not 44 bytes long.
    error InvalidTransferData();
    /// @notice Nobody signed this: a length other than 65, a v other than 0, 1, 27 or 28, a high s, or off the curve.
    error InvalidSignature();
    /// @notice The receiver did not sign the end of the channel.
    error NotSignedByReceiver();
    /// @notice No more was promised than was withdrawn already.
    error BalanceNotIncreasing();
    /// @notice Less was promised than was withdrawn already.
    error BalanceBelowWithdrawn();
    /// @notice More was promised than the channel holds.
    error BalanceExceedsDeposit();
    /// @notice The sender has not asked to close the channel.
    error CloseNotRequested();
    /// @notice The receiver still has time to answer.
    error ChallengePeriodNotOver();
}
