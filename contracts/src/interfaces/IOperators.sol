// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title Hot keys of receivers. Extension
/// @notice A receiver names one operator, which may then `settle`, `settleManyFor` and `close` its channels, so that the
///         receiver's own key can stay cold.
/// @dev All that an operator moves goes to the receiver, and from a close the rest to the sender; it can never receive
///      anything, here or by these functions. What a stolen operator key can do is end channels early: at what was
///      settled, or at a voucher that the thief has seen, while a better one is not settled yet. So settle often, and
///      what a thief can cost is what came in since.
interface IOperators {
    /// @notice Makes `operator` the caller's operator, in the place of the one before. Zero removes it.
    /// @dev For all channels of which the caller is the receiver, at once.
    function setOperator(address operator) external;

    /// @notice The operator of a receiver. Zero if it has none.
    function operatorOf(address receiver) external view returns (address);
}
