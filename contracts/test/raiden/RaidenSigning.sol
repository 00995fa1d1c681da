// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";

/// @dev Signs as the parties to a channel do. Says itself what is signed, without a question to the escrow: so it checks
///      the escrow, and no call comes between a `prank` and the call that it is for.
abstract contract RaidenSigning is Test {
    IRaidenChannels internal escrow;
    uint256 internal senderKey;
    uint256 internal receiverKey;

    /// @dev The sender's promise to pay.
    function voucher(address to, uint32 openBlock, uint192 balance) internal view returns (bytes memory) {
        return sign(senderKey, voucherDigest(to, openBlock, balance));
    }

    /// @dev The receiver's consent to an end.
    function consent(address from, uint32 openBlock, uint192 balance) internal view returns (bytes memory) {
        return sign(receiverKey, consentDigest(from, openBlock, balance));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function voucherDigest(address to, uint32 openBlock, uint192 balance) internal view returns (bytes32) {
        bytes memory values =
            abi.encodePacked("Sender balance proof signature", to, openBlock, balance, address(escrow));
        return keccak256(abi.encodePacked(schema("address receiver"), keccak256(values)));
    }

    function consentDigest(address from, uint32 openBlock, uint192 balance) internal view returns (bytes32) {
        bytes memory values = abi.encodePacked("Receiver closing signature", from, openBlock, balance, address(escrow));
        return keccak256(abi.encodePacked(schema("address sender"), keccak256(values)));
    }

    function schema(string memory party) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked("string message_id", party, "uint32 block_created", "uint192 balance", "address contract")
        );
    }

    function keyOf(address from, address to, uint32 openBlock) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(from, to, openBlock));
    }

    /// @dev The other signature that means the same to the curve: s mirrored, v flipped.
    function malleate(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, uint256 s) = abi.decode(signature, (bytes32, uint256));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - s, uint8(signature[64]) == 27 ? uint8(28) : uint8(27));
    }
}
