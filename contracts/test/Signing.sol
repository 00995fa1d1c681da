// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";

/// @dev Signs vouchers. Says itself what is signed, without a question to the escrow: so it checks the escrow, and no
///      call comes between a `prank` and the call that it is for.
abstract contract Signing is Test {
    IChannelEscrow internal escrow;
    uint256 internal senderKey;

    function sign(bytes32 channelId, uint128 cumulativeAmount) internal view returns (bytes memory) {
        return sign(senderKey, channelId, cumulativeAmount);
    }

    function sign(uint256 key, bytes32 channelId, uint128 cumulativeAmount) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(channelId, cumulativeAmount));
        return abi.encodePacked(r, s, v);
    }

    function digestOf(bytes32 channelId, uint128 cumulativeAmount) internal view returns (bytes32) {
        bytes32 voucher = keccak256("Voucher(bytes32 channelId,uint128 cumulativeAmount)");
        return
            keccak256(
                abi.encodePacked(hex"1901", domain(), keccak256(abi.encode(voucher, channelId, cumulativeAmount)))
            );
    }

    function domain() internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("EVM Payment Channel"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
    }
}
