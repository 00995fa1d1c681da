// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What the escrow uses of a token with ERC-3009
interface IERC3009 {
    /// @notice Moves `value` from `from` to `to`, who calls, if `from` has signed that.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}

/// @title The same as USDC has had it since version 2.2, for the signatures of contracts too
interface IERC3009WithBytes {
    /// @notice See `IERC3009`.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
