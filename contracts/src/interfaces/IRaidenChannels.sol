// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRaidenChannelsEvents} from "./IRaidenChannelsEvents.sol";

/// @title The escrow of µRaiden
/// @notice A sender puts a deposit into a channel to one receiver and then pays by signatures: each one promises the
///         receiver a cumulative amount of the deposit, here called its balance. A channel is named by its sender, its
///         receiver and the number of the block in which it was opened. All channels hold the same token.
/// @dev The interface of RaidenMicroTransferChannels 0.2.0: its functions, events, messages and data of transfers. So its
///      clients and servers work with this contract. What it allowed and this refuses, because somebody would lose money:
///      - a close with less than was withdrawn, which left the deposit locked;
///      - a channel in the block in which one between the same two has ended, whose signatures would be good again;
///      - a receiver that is the zero address, the token or this contract, or such a sender named by a delegate;
///      - signatures with a high s;
///      - a token that delivers less than it was told to.
///      What it refused and this allows: deposits over 100 * 10^18 base units, and tokens that return nothing.
///      What it kept and this forgets: what was withdrawn from a channel that has ended.
///
///      The token is chosen at deployment and believed. It must move exactly what it is told to move: no fee on
///      transfers, no rebasing. A fee on a pulled deposit is noticed; of a deposit by its hook the token says what
///      it was, and a token that lies harms all channels.
interface IRaidenChannels is IRaidenChannelsEvents {
    /// @notice Opens a channel from the caller and takes the deposit, for which the caller has approved this contract.
    /// @param _receiver_address Who is paid.
    /// @param _deposit First deposit, in token base units. May be 0.
    function createChannel(address _receiver_address, uint192 _deposit) external;

    /// @notice `createChannel` for someone else. Only a trusted contract, from whom the deposit comes.
    /// @param _sender_address Whose channel it is, and who gets back what is left in the end.
    function createChannelDelegate(address _sender_address, address _receiver_address, uint192 _deposit) external;

    /// @notice Adds to the deposit of a channel of the caller, who has approved this contract. Not while it is closing.
    function topUp(address _receiver_address, uint32 _open_block_number, uint192 _added_deposit) external;

    /// @notice `topUp` for someone else. Only a trusted contract, from whom the addition comes.
    function topUpDelegate(
        address _sender_address,
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _added_deposit
    ) external;

    /// @notice The token tells of a transfer to this contract (ERC-223), which opens a channel or tops one up.
    /// @param _sender_address Who paid: the sender of the channel, or a trusted contract.
    /// @param _deposit First deposit or addition.
    /// @param _data Sender and receiver, 20 bytes each: opens a channel. And the block, 4 bytes: tops that channel up.
    function tokenFallback(address _sender_address, uint256 _deposit, bytes calldata _data) external;

    /// @notice `tokenFallback` as ERC-223 has called it since 2021. The original does not have it, so that such tokens open
    ///         no channels there, and a token that knows both names asks twice.
    /// @return This function's selector, as the token expects.
    function tokenReceived(address _sender_address, uint256 _deposit, bytes calldata _data) external returns (bytes4);

    /// @notice Pays the receiver, who calls, what it was promised since the last time. The channel stays open.
    ///         Not while it is closing.
    /// @param _balance Total promised since the channel was opened: over what was withdrawn, at most the deposit.
    /// @param _balance_msg_sig The sender's. Names the sender; see `extractBalanceProofSignature`.
    function withdraw(uint32 _open_block_number, uint192 _balance, bytes calldata _balance_msg_sig) external;

    /// @notice Ends a channel on which both parties agree, at any time: `_balance` in all for the receiver, the rest for
    ///         the sender. Anyone can bring the two signatures.
    /// @dev Also while the channel is closing and after the challenge period, whatever the sender asked to close with.
    /// @param _balance_msg_sig The sender's. Names the sender.
    /// @param _closing_sig The receiver's.
    function cooperativeClose(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig,
        bytes calldata _closing_sig
    ) external;

    /// @notice Starts the challenge period, after which the sender, who calls, can `settle`. Only once.
    /// @param _balance What the sender says that it owes in all: at least what was withdrawn, at most the deposit.
    function uncooperativeClose(address _receiver_address, uint32 _open_block_number, uint192 _balance) external;

    /// @notice Ends the channel after the challenge period, as its sender, who calls, has asked. At the earliest in the
    ///         block with the number of the request's, the challenge period and one.
    function settle(address _receiver_address, uint32 _open_block_number) external;

    /// @notice Trusts contracts to fund the channels of others with their own tokens. Only the owner. Accounts without
    ///         code are left out.
    function addTrustedContracts(address[] calldata _trusted_contracts) external;

    /// @notice Trusts contracts no longer. Only the owner. Accounts that were not trusted are left out.
    function removeTrustedContracts(address[] calldata _trusted_contracts) external;

    /// @notice All about a channel: its key, its deposit, and as `closing_requests` and `withdrawn_balances` say.
    ///         Reverts `ChannelNotFound` if there is none.
    function getChannelInfo(address _sender_address, address _receiver_address, uint32 _open_block_number)
        external
        view
        returns (bytes32, uint192, uint32, uint192, uint192);

    /// @notice Who signed that it pays the receiver this balance.
    /// @dev The message is the hash of keccak256("string message_id" "address receiver" "uint32 block_created"
    ///      "uint192 balance" "address contract") and keccak256("Sender balance proof signature" ‖ receiver ‖ block ‖
    ///      balance ‖ this contract), signed without a prefix.
    /// @param _balance_msg_sig 65 bytes r, s, v with low s and v 0, 1, 27 or 28.
    function extractBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) external view returns (address);

    /// @notice Who signed that the channel ends with this balance.
    /// @dev As above with "address sender" in the types, "Receiver closing signature" and the sender in the values.
    function extractClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) external view returns (address);

    /// @notice The key of a channel, whether it exists or not: keccak256(sender ‖ receiver ‖ block), 44 bytes.
    function getKey(address _sender_address, address _receiver_address, uint32 _open_block_number)
        external
        pure
        returns (bytes32 data);

    /// @notice The channel with this key. Zeros if there is none.
    function channels(bytes32 key) external view returns (uint192 deposit, uint32 open_block_number);

    /// @notice What the sender asked to close with, and the last block of the challenge period. Zeros if it did not.
    function closing_requests(bytes32 key) external view returns (uint192 closing_balance, uint32 settle_block_number);

    /// @notice What the receiver has withdrawn. 0 after the end.
    function withdrawn_balances(bytes32 key) external view returns (uint192);

    /// @notice Whether a contract may fund the channels of others.
    function trusted_contracts(address account) external view returns (bool);

    /// @notice Who says which contracts are trusted: the one who deployed this.
    function owner_address() external view returns (address);

    /// @notice The challenge period in blocks.
    function challenge_period() external view returns (uint32);

    /// @notice The token of all channels.
    function token() external view returns (address);

    /// @notice The version of the interface, "0.2.0".
    function version() external view returns (string memory);

    /// @notice The most that a channel can hold. Once a limit of the trial, now of the storage.
    function channel_deposit_bugbounty_limit() external view returns (uint256);
}
