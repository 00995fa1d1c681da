// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev What the original's contract, its Python and its JavaScript sign, at the address of its deployment.
contract RaidenVectorsTest is RaidenTest {
    struct Vector {
        uint32 openBlock;
        uint192 balance;
        bytes voucher;
        bytes consent;
    }

    string private json;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("test/vectors/uraiden-conversations.json");
        escrow = IRaidenChannels(vm.parseJsonAddress(json, ".signatures[0].contract"));
        deployCodeTo("RaidenChannels.sol", abi.encode(token, PERIOD, new address[](0)), address(escrow));
    }

    function test_TheSchemas() public view {
        assertEq(schema("address receiver"), vm.parseJsonBytes32(json, ".schemas.balance"));
        assertEq(schema("address sender"), vm.parseJsonBytes32(json, ".schemas.closing"));
    }

    function test_TheKeysOfChannels() public {
        for (uint256 i; i < 4; ++i) {
            Vector memory vector = take(i);
            bytes32 key = vm.parseJsonBytes32(json, path(i, "channelKey"));
            assertEq(escrow.getKey(sender, receiver, vector.openBlock), key);
            assertEq(idOf(vector.openBlock), key);
        }
    }

    function test_TheDigests() public {
        for (uint256 i; i < 4; ++i) {
            Vector memory vector = take(i);
            bytes32 digest = voucherDigest(receiver, vector.openBlock, vector.balance);
            assertEq(digest, vm.parseJsonBytes32(json, path(i, "balanceDigest")));
            digest = consentDigest(sender, vector.openBlock, vector.balance);
            assertEq(digest, vm.parseJsonBytes32(json, path(i, "closingDigest")));
        }
    }

    function test_TheSignatures() public {
        for (uint256 i; i < 4; ++i) {
            Vector memory vector = take(i);
            assertEq(voucher(receiver, vector.openBlock, vector.balance), vector.voucher);
            assertEq(consent(sender, vector.openBlock, vector.balance), vector.consent);
        }
    }

    function test_TheSigners() public {
        for (uint256 i; i < 4; ++i) {
            Vector memory vector = take(i);
            assertEq(
                escrow.extractBalanceProofSignature(receiver, vector.openBlock, vector.balance, vector.voucher), sender
            );
            assertEq(escrow.extractClosingSignature(sender, vector.openBlock, vector.balance, vector.consent), receiver);
        }
    }

    /// @dev The third promises more than a channel holds.
    function test_TheyEndChannels() public {
        uint8[3] memory those = [0, 1, 3];
        for (uint256 i; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            Vector memory vector = take(those[i]);
            token.mint(sender, 22 ether);
            vm.prank(sender);
            token.approve(address(escrow), 22 ether);
            vm.roll(vector.openBlock);
            create(22 ether);
            escrow.cooperativeClose(receiver, vector.openBlock, vector.balance, vector.voucher, vector.consent);
            assertEq(token.balanceOf(receiver), vector.balance);
            assertGone(vector.openBlock);
            vm.revertToState(snapshot);
        }
    }

    function take(uint256 i) private returns (Vector memory) {
        senderKey = vm.parseJsonUint(json, path(i, "senderKey"));
        receiverKey = vm.parseJsonUint(json, path(i, "receiverKey"));
        sender = vm.parseJsonAddress(json, path(i, "sender"));
        receiver = vm.parseJsonAddress(json, path(i, "receiver"));
        return Vector({
            openBlock: uint32(vm.parseJsonUint(json, path(i, "block"))),
            balance: uint192(vm.parseJsonUint(json, path(i, "balance"))),
            voucher: vm.parseJsonBytes(json, path(i, "balanceSig")),
            consent: vm.parseJsonBytes(json, path(i, "closingSig"))
        });
    }

    function path(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".signatures[", vm.toString(i), "].", field);
    }
}
