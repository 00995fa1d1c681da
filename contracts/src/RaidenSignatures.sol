// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "./interfaces/IRaidenChannels.sol";

/// @title What the parties to a channel of `RaidenChannels` sign, and who signed it
/// @dev Typed data as it was before EIP-712: a hash of the types and names, a hash of the values, and a hash of both. There
///      is no prefix and no chain in it, but the address of this contract.
abstract contract RaidenSignatures is IRaidenChannels {
    bytes32 private constant BALANCE_SCHEMA =
        keccak256("string message_idaddress receiveruint32 block_createduint192 balanceaddress contract");
    bytes32 private constant CLOSING_SCHEMA =
        keccak256("string message_idaddress senderuint32 block_createduint192 balanceaddress contract");

    bytes32 private constant BALANCE_TITLE = "Sender balance proof signature";
    bytes32 private constant CLOSING_TITLE = "Receiver closing signature";

    /// @dev Half the order of secp256k1. Of the two signatures that s and its negative make, only the low one counts.
    uint256 private constant HIGHEST_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @inheritdoc IRaidenChannels
    function extractBalanceProofSignature(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig
    ) public view returns (address) {
        bytes32 values = _hashValues(BALANCE_TITLE, 30, _receiver_address, _open_block_number, _balance);
        return _recover(BALANCE_SCHEMA, values, _balance_msg_sig);
    }

    /// @inheritdoc IRaidenChannels
    function extractClosingSignature(
        address _sender_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _closing_sig
    ) public view returns (address) {
        bytes32 values = _hashValues(CLOSING_TITLE, 26, _sender_address, _open_block_number, _balance);
        return _recover(CLOSING_SCHEMA, values, _closing_sig);
    }

    /// @dev keccak256(abi.encodePacked(title, party, uint32(openBlock), uint192(amount), this)), without the copies.
    function _hashValues(bytes32 title, uint256 titleLength, address party, uint256 openBlock, uint256 amount)
        private
        view
        returns (bytes32 values)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, title)
            let end := add(free, titleLength)
            mstore(end, shl(96, party))
            mstore(add(end, 20), shl(224, openBlock))
            mstore(add(end, 24), shl(64, amount))
            mstore(add(end, 48), shl(96, address()))
            values := keccak256(free, add(titleLength, 68))
        }
    }

    /// @dev The account that signed. Never zero.
    function _recover(bytes32 schema, bytes32 values, bytes calldata signature) private view returns (address signer) {
        uint256 highestS = HIGHEST_S;
        assembly ("memory-safe") {
            mstore(0, schema)
            mstore(0x20, values)
            let free := mload(0x40)
            mstore(free, keccak256(0, 0x40))
            let v := byte(0, calldataload(add(signature.offset, 0x40)))
            mstore(add(free, 0x20), add(v, mul(27, lt(v, 27))))
            calldatacopy(add(free, 0x40), signature.offset, 0x40)
            // To a bad signature, and to no input at all, the precompile answers nothing. It checks v. It fails only for
            // lack of gas.
            let wellFormed := and(eq(signature.length, 65), iszero(gt(mload(add(free, 0x60)), highestS)))
            mstore(0, 0)
            pop(staticcall(gas(), 1, free, mul(wellFormed, 0x80), 0, 0x20))
            signer := mload(0)
        }
        if (signer == address(0)) revert InvalidSignature();
    }
}
