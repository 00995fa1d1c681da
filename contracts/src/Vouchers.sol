// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title What a voucher signs, and who signed it
/// @dev And who signed anything else in the same domain.
abstract contract Vouchers is IChannelEscrow {
    /// @inheritdoc IChannelEscrow
    uint256 public constant SIGNATURE_GAS_LIMIT = 500_000;

    /// @dev With less than this before the call, the wallet may have got less than its limit: a 64th stays behind
    ///      (EIP-150), and the call itself costs something.
    uint256 private constant GAS_FOR_FULL_LIMIT = SIGNATURE_GAS_LIMIT + SIGNATURE_GAS_LIMIT / 63 + 5_000;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 cumulativeAmount)");

    /// @dev Half the order of secp256k1. Of the two signatures that s and its negative make, only the low one counts.
    uint256 private constant HIGHEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    uint256 private immutable _CHAIN_ID = block.chainid;
    bytes32 private immutable _DOMAIN_SEPARATOR = _computeDomainSeparator();

    /// @inheritdoc IChannelEscrow
    function getVoucherDigest(bytes32 channelId, uint128 cumulativeAmount) public view returns (bytes32) {
        return _digestOf(keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, cumulativeAmount)));
    }

    /// @inheritdoc IChannelEscrow
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _CHAIN_ID ? _DOMAIN_SEPARATOR : _computeDomainSeparator();
    }

    /// @dev What is signed, by EIP-712, of a struct in the domain of this contract.
    function _digestOf(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator(), structHash));
    }

    /// @dev ECDSA first, so that an account that gets code later (EIP-7702) keeps its key. `signer` is never zero, as
    ///      what a failed recovery gives is.
    function _isSigned(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered == signer) return true;
        return signer.code.length != 0 && _isSignedByContract(signer, digest, signature);
    }

    /// @dev Reads one word of the answer, however long the answer is. A wallet that says yes is believed; one that does
    ///      not is believed only if it had all of its gas, so that nobody can starve it into a refusal.
    function _isSignedByContract(address wallet, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool signed)
    {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes32 yes = bytes32(IERC1271.isValidSignature.selector);
        bool hadFullLimit = gasleft() >= GAS_FOR_FULL_LIMIT;
        assembly ("memory-safe") {
            mstore(0, 0)
            let answered := staticcall(SIGNATURE_GAS_LIMIT, wallet, add(question, 0x20), mload(question), 0, 0x20)
            signed := and(answered, and(gt(returndatasize(), 0x1f), eq(mload(0), yes)))
        }
        if (!signed && !hadFullLimit) revert InsufficientGas();
    }

    /// @dev The account whose ECDSA signature of the voucher this is, or 0: `getVoucherDigest` and the checks of
    ///      `ECDSA.tryRecover` in one, for batches, which spend most of their own gas here.
    function _recover(bytes32 domain, bytes32 channelId, uint256 cumulativeAmount, bytes calldata signature)
        internal
        view
        returns (uint256 recovered)
    {
        bytes32 typehash = VOUCHER_TYPEHASH;
        uint256 highestS = HIGHEST_S;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 0x20), channelId)
            mstore(add(free, 0x40), cumulativeAmount)
            mstore(add(free, 0x22), keccak256(free, 0x60))
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 0x02), domain)

            mstore(free, keccak256(free, 0x42))
            mstore(add(free, 0x20), byte(0, calldataload(add(signature.offset, 0x40))))
            calldatacopy(add(free, 0x40), signature.offset, 0x40)
            // To a bad signature, and to no input at all, the precompile answers nothing. It checks v. It fails only for
            // lack of gas; then at most a 63rd of its price is left (EIP-150), which is not enough to skip a row.
            let wellFormed := and(eq(signature.length, 65), iszero(gt(mload(add(free, 0x60)), highestS)))
            mstore(0, 0)
            pop(staticcall(gas(), 1, free, mul(wellFormed, 0x80), 0, 0x20))
            recovered := mload(0)
        }
    }

    function _computeDomainSeparator() private view returns (bytes32) {
        bytes32 name = keccak256("EVM Payment Channel");
        bytes32 version = keccak256("1");
        return keccak256(abi.encode(DOMAIN_TYPEHASH, name, version, block.chainid, address(this)));
    }
}
