// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev Which signatures are taken, asked of every function that looks at one.
contract RaidenSignaturesTest is RaidenTest {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint192 private constant BALANCE = 4 ether;
    uint32 private openBlock;

    function setUp() public override {
        super.setUp();
        openBlock = create(DEPOSIT);
    }

    function test_TakesAVOf27Or28() public {
        assertTaken(voucher(receiver, openBlock, BALANCE), consent(sender, openBlock, BALANCE));
    }

    function test_TakesAVOf0Or1() public {
        bytes memory mine = voucher(receiver, openBlock, BALANCE);
        bytes memory theirs = consent(sender, openBlock, BALANCE);
        mine[64] = bytes1(uint8(mine[64]) - 27);
        theirs[64] = bytes1(uint8(theirs[64]) - 27);
        assertTaken(mine, theirs);
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_TakesTheSignaturesOfAnyKeys(uint256 from, uint256 to, uint192 balance) public {
        (senderKey, receiverKey) = (boundPrivateKey(from), boundPrivateKey(to));
        (sender, receiver) = (vm.addr(senderKey), vm.addr(receiverKey));
        assertEq(
            escrow.extractBalanceProofSignature(receiver, openBlock, balance, voucher(receiver, openBlock, balance)),
            sender
        );
        assertEq(
            escrow.extractClosingSignature(sender, openBlock, balance, consent(sender, openBlock, balance)), receiver
        );
    }

    function test_RefusesEveryOtherV() public {
        for (uint256 v = 2; v < 256; ++v) {
            if (v == 27 || v == 28) continue;
            bytes memory mine = voucher(receiver, openBlock, BALANCE);
            bytes memory theirs = consent(sender, openBlock, BALANCE);
            mine[64] = theirs[64] = bytes1(uint8(v));
            assertRefused(mine, theirs);
        }
    }

    /// @dev The original took these.
    function test_RefusesAHighS() public {
        assertRefused(malleate(voucher(receiver, openBlock, BALANCE)), malleate(consent(sender, openBlock, BALANCE)));
    }

    function test_TakesTheHighestLowSAndRefusesTheNext() public {
        bytes memory low = abi.encodePacked(uint256(1), ORDER / 2, uint8(27));
        bytes memory high = abi.encodePacked(uint256(1), ORDER / 2 + 1, uint8(27));
        assertNotEq(escrow.extractBalanceProofSignature(receiver, openBlock, BALANCE, low), address(0));
        assertNotEq(escrow.extractClosingSignature(sender, openBlock, BALANCE, low), address(0));
        assertRefused(high, high);
    }

    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RefusesEveryOtherLength(uint256 length, bytes32 filling) public {
        length = bound(length, 0, 200);
        vm.assume(length != 65);
        assertRefused(
            cut(voucher(receiver, openBlock, BALANCE), length, filling),
            cut(consent(sender, openBlock, BALANCE), length, filling)
        );
    }

    function test_RefusesValuesOffTheCurve() public {
        bytes memory good = voucher(receiver, openBlock, BALANCE);
        (bytes32 r, bytes32 s) = abi.decode(good, (bytes32, bytes32));
        bytes[5] memory bad = [
            abi.encodePacked(bytes32(0), s, uint8(27)),
            abi.encodePacked(r, bytes32(0), uint8(27)),
            abi.encodePacked(ORDER, s, uint8(27)),
            abi.encodePacked(r, ORDER, uint8(27)),
            new bytes(65)
        ];
        for (uint256 i; i < 5; ++i) {
            assertRefused(bad[i], bad[i]);
        }
    }

    /// @dev A changed bit names another sender, and he has no channel; or nobody.
    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_RefusesASignatureWithABitFlipped(uint256 bit) public {
        bit = bound(bit, 0, 65 * 8 - 1);
        bytes memory signature = voucher(receiver, openBlock, BALANCE);
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        vm.prank(receiver);
        vm.expectRevert();
        escrow.withdraw(openBlock, BALANCE, signature);
        vm.expectRevert();
        escrow.cooperativeClose(receiver, openBlock, BALANCE, signature, consent(sender, openBlock, BALANCE));

        signature = consent(sender, openBlock, BALANCE);
        signature[bit / 8] ^= bytes1(uint8(2 ** (bit % 8)));
        vm.expectRevert();
        escrow.cooperativeClose(receiver, openBlock, BALANCE, voucher(receiver, openBlock, BALANCE), signature);
    }

    function test_AMessageNamesEverything() public {
        bytes memory signature = voucher(receiver, openBlock, BALANCE);
        assertNotEq(escrow.extractBalanceProofSignature(stranger, openBlock, BALANCE, signature), sender);
        assertNotEq(escrow.extractBalanceProofSignature(receiver, openBlock + 1, BALANCE, signature), sender);
        assertNotEq(escrow.extractBalanceProofSignature(receiver, openBlock, BALANCE + 1, signature), sender);
        assertNotEq(escrow.extractClosingSignature(receiver, openBlock, BALANCE, signature), sender);
        IRaidenChannels other = deploy(address(token), PERIOD, new address[](0));
        assertNotEq(other.extractBalanceProofSignature(receiver, openBlock, BALANCE, signature), sender);

        signature = consent(sender, openBlock, BALANCE);
        assertNotEq(escrow.extractClosingSignature(stranger, openBlock, BALANCE, signature), receiver);
        assertNotEq(escrow.extractClosingSignature(sender, openBlock + 1, BALANCE, signature), receiver);
        assertNotEq(escrow.extractClosingSignature(sender, openBlock, BALANCE + 1, signature), receiver);
        assertNotEq(escrow.extractBalanceProofSignature(sender, openBlock, BALANCE, signature), receiver);
        assertNotEq(other.extractClosingSignature(sender, openBlock, BALANCE, signature), receiver);
    }

    /// @dev Of channels in the same block at the same address on two chains, a signature is good for both: the message has
    ///      no room for the chain.
    function test_AMessageNamesNoChain() public {
        bytes memory signature = voucher(receiver, openBlock, BALANCE);
        vm.chainId(block.chainid + 1);
        assertEq(escrow.extractBalanceProofSignature(receiver, openBlock, BALANCE, signature), sender);
    }

    /// @dev By the views, and by everything that pays.
    function assertTaken(bytes memory mine, bytes memory theirs) private {
        assertEq(escrow.extractBalanceProofSignature(receiver, openBlock, BALANCE, mine), sender);
        assertEq(escrow.extractClosingSignature(sender, openBlock, BALANCE, theirs), receiver);
        vm.prank(receiver);
        escrow.withdraw(openBlock, BALANCE, mine);
        escrow.cooperativeClose(receiver, openBlock, BALANCE, mine, theirs);
        assertGone(openBlock);
    }

    function assertRefused(bytes memory mine, bytes memory theirs) private {
        vm.expectRevert(InvalidSignature.selector);
        escrow.extractBalanceProofSignature(receiver, openBlock, BALANCE, mine);
        vm.expectRevert(InvalidSignature.selector);
        escrow.extractClosingSignature(sender, openBlock, BALANCE, theirs);
        vm.prank(receiver);
        vm.expectRevert(InvalidSignature.selector);
        escrow.withdraw(openBlock, BALANCE, mine);
        vm.expectRevert(InvalidSignature.selector);
        escrow.cooperativeClose(receiver, openBlock, BALANCE, mine, consent(sender, openBlock, BALANCE));
        vm.expectRevert(InvalidSignature.selector);
        escrow.cooperativeClose(receiver, openBlock, BALANCE, voucher(receiver, openBlock, BALANCE), theirs);
    }

    /// @dev Longer ones go on with anything.
    function cut(bytes memory signature, uint256 length, bytes32 filling) private pure returns (bytes memory made) {
        bytes memory padded = abi.encodePacked(signature, filling, filling, filling, filling, filling);
        made = new bytes(length);
        for (uint256 i; i < length; ++i) {
            made[i] = padded[i];
        }
    }
}
