// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title What a voucher signs, and who signed it
abstract contract Vouchers is IChannelEscrow, EIP712("EVM Payment Channel", "1") {
    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 cumulativeAmount)");

    /// @inheritdoc IChannelEscrow
    uint256 public constant SIGNATURE_GAS_LIMIT = 500_000;

    /// @dev With less than this before the call, the wallet may have got less than its limit: a 64th stays behind
    ///      (EIP-150), and the call itself costs something.
    uint256 private constant GAS_FOR_FULL_LIMIT = SIGNATURE_GAS_LIMIT + SIGNATURE_GAS_LIMIT / 63 + 5_000;

    /// @inheritdoc IChannelEscrow
    function getVoucherDigest(bytes32 channelId, uint128 cumulativeAmount) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, cumulativeAmount)));
    }

    /// @inheritdoc IChannelEscrow
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev ECDSA first, so that an account that gets code later (EIP-7702) keeps its key.
    function _isSigned(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        // A failed recovery gives zero, and so would the signer of a channel without one, so zero never counts.
        if (recovered == signer && recovered != address(0)) return true;
        return signer.code.length != 0 && _isSignedByContract(signer, digest, signature);
    }

    /// @dev Reads one word of the answer, however long the answer is. A wallet that answers well with less than its
    ///      limit is believed; a wallet that fails is believed only if it had all of it.
    function _isSignedByContract(address wallet, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool signed)
    {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 magic = bytes32(IERC1271.isValidSignature.selector);
        bool fullLimit = gasleft() >= GAS_FOR_FULL_LIMIT;
        assembly ("memory-safe") {
            mstore(0, 0)
            let ok := staticcall(SIGNATURE_GAS_LIMIT, wallet, add(question, 32), mload(question), 0, 32)
            signed := and(ok, and(gt(returndatasize(), 31), eq(mload(0), magic)))
        }
        if (!signed && !fullLimit) revert InsufficientGas();
    }
}
