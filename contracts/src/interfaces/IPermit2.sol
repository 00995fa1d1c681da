// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @title What the escrow uses of Permit2
interface IPermit2 {
    /// @notice What may be taken: at most `amount` of `token`.
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    /// @notice What the owner of the tokens signs, together with the spender and a witness.
    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice What the spender takes.
    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves tokens of `owner`, who has approved Permit2 and signed this transfer for the caller.
    /// @param witness EIP-712 hash of what the transfer is for.
    /// @param witnessTypeString The end of the signed type: its last field, and all the types that it names.
    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}
