// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {SignatureTest} from "./SignatureTest.sol";

/// @dev The signatures of keys.
contract SignaturesTest is SignatureTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_TakesTheSendersSignature() public {
        bytes32 id = open(DEPOSIT);
        assertTaken(id, sign(id, 100));
    }

    function testFuzz_TakesTheSignatureOfAnyKey(uint256 key, uint128 amount) public {
        key = boundPrivateKey(key);
        amount = uint128(bound(amount, 1, DEPOSIT));
        bytes32 id = open(DEPOSIT, SALT, vm.addr(key));

        vm.prank(receiver);
        escrow.settle(id, amount, sign(key, id, amount));
        assertEq(settled(id), amount);
    }

    function test_RefusesTheMalleatedSignature() public {
        bytes32 id = open(DEPOSIT);
        assertRefused(id, malleate(sign(id, 100)));
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RefusesASignatureWithABitFlipped(uint256 bit) public {
        bytes32 id = open(DEPOSIT);
        bytes memory signature = sign(id, 100);
        bit = bound(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        assertRefused(id, signature);
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RefusesEveryOtherLength(uint256 length, bytes32 filling) public {
        length = bound(length, 0, 200);
        vm.assume(length != 65);
        bytes32 id = open(DEPOSIT);
        bytes memory padded = abi.encodePacked(sign(id, 100), filling, filling, filling, filling, filling);
        bytes memory signature = new bytes(length);
        for (uint256 i; i < length; ++i) {
            signature[i] = padded[i];
        }
        assertRefused(id, signature);
    }

    function test_RefusesTheCompactForm() public {
        bytes32 id = open(DEPOSIT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(senderKey, digestOf(id, 100));
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        assertRefused(id, abi.encodePacked(r, vs));
    }

    function test_RefusesAVOf0Or1() public {
        bytes32 id = open(DEPOSIT);
        bytes memory signature = sign(id, 100);
        signature[64] = bytes1(uint8(signature[64]) - 27);
        assertRefused(id, signature);
    }

    function test_RefusesValuesOffTheCurve() public {
        bytes32 id = open(DEPOSIT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(senderKey, digestOf(id, 100));
        assertRefused(id, abi.encodePacked(bytes32(0), s, v));
        assertRefused(id, abi.encodePacked(r, bytes32(0), v));
        assertRefused(id, abi.encodePacked(ORDER, s, v));
        assertRefused(id, abi.encodePacked(r, ORDER, v));
        assertRefused(id, new bytes(65));
    }

    function test_RefusesTheVoucherOfAnotherChain() public {
        bytes32 id = open(DEPOSIT);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        bytes memory signature = sign(id, 100);
        vm.chainId(here);
        assertRefused(id, signature);
    }

    function test_RefusesTheVoucherOfAnotherEscrow() public {
        bytes32 id = open(DEPOSIT);
        IChannelEscrow mine = escrow;
        escrow = IChannelEscrow(stranger);
        bytes memory signature = sign(id, 100);
        escrow = mine;
        assertRefused(id, signature);
    }

    function test_FollowsAChainThatSplits() public {
        bytes32 id = open(DEPOSIT);
        bytes memory before = sign(id, 100);
        vm.chainId(block.chainid + 1);
        assertRefused(id, before);
        assertTaken(id, sign(id, 100));
    }
}
