// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Deposits that arrive by one transfer
/// @notice Hooks that tokens call after a transfer to this contract. The data of the transfer says what it is for:
///         - 96 bytes, `abi.encode(address receiver, bytes32 salt, address signer)`: opens a channel of `from`;
///         - 32 bytes, a channel id: tops up that channel, whose sender must be `from`.
///         Anything else reverts `InvalidTransferData`, and with it the transfer.
/// @dev The caller is the token, and `value` is the token's word: the balance before the transfer is not known here.
///      What is checked is that the balance covers `value`, so that a token that always takes a fee, and reports the
///      amount before the fee, can never open its first channel. What is NOT checked, and cannot be without an extra
///      storage write per payment, is that the balance covers all channels of that token. So a token that
///      - takes a fee only sometimes, and reports the amount before the fee, or
///      - can be made to call any address with any data (ERC-827 could),
///      harms the channels in that token. It cannot reach those in any other. Who chooses a token trusts it for this.
interface IFundedByTransfer {
    /// @notice Hook of ERC-223.
    /// @param from Who paid: the sender of the channel.
    /// @param value Deposit in token base units, 1 to 2^128 - 1.
    /// @param data What the transfer is for.
    /// @return The selector of this function.
    function tokenReceived(address from, uint256 value, bytes calldata data) external returns (bytes4);

    /// @notice Hook of ERC-223 before 2021. See `tokenReceived`.
    function tokenFallback(address from, uint256 value, bytes calldata data) external;

    /// @notice Hook of ERC-1363. See `tokenReceived`.
    /// @param operator Who called the token; of no meaning here, since the owner allowed it to spend.
    /// @return The selector of this function.
    function onTransferReceived(address operator, address from, uint256 value, bytes calldata data)
        external
        returns (bytes4);

    /// @notice Hook of ERC-677. See `tokenReceived`.
    /// @return true
    function onTokenTransfer(address from, uint256 value, bytes calldata data) external returns (bool);
}
