// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DeployPermit2} from "@uniswap/v4-periphery/lib/permit2/test/utils/DeployPermit2.sol";

/// @dev Where Permit2 is, on every chain that has it.
address constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

/// @dev How Permit2 refuses. Also with "TRANSFER_FROM_FAILED", whatever the token said.
interface IPermit2Errors {
    error SignatureExpired(uint256 signatureDeadline);
    error InvalidAmount(uint256 maxAmount);
    error InvalidNonce();
    error InvalidSignatureLength();
    error InvalidSignature();
    error InvalidSigner();
    error InvalidContractSignature();
}

/// @dev Puts the bytecode of the real one there, which its authors ship for tests.
function putPermit2() {
    new DeployPermit2().run();
}
