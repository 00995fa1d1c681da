// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev The vectors of draft-evm-session-00, at the address and on the chain that they name.
contract VectorsTest is EscrowTest {
    string private json;
    bytes32 private salt;

    function setUp() public override {
        json = vm.readFile("test/vectors/payment.json");
        vm.chainId(vm.parseJsonUint(json, ".inputs.chainId"));
        senderKey = vm.parseJsonUint(json, ".inputs.payerKey");
        sender = vm.parseJsonAddress(json, ".inputs.payer");
        receiver = vm.parseJsonAddress(json, ".inputs.payee");
        salt = vm.parseJsonBytes32(json, ".inputs.salt");
        escrow = IChannelEscrow(vm.parseJsonAddress(json, ".inputs.escrow"));
        token = PlainToken(vm.parseJsonAddress(json, ".inputs.token"));
        deployCodeTo("ChannelEscrow.sol", abi.encode(GRACE), address(escrow));
        deployCodeTo("PlainToken.sol", abi.encode(uint8(6)), address(token));
        deal(address(token), sender, type(uint128).max);
        vm.prank(sender);
        token.approve(address(escrow), type(uint128).max);
    }

    function test_TheIdsOfChannels() public view {
        address signer = vm.parseJsonAddress(json, ".inputs.signer");
        assertEq(idOf(address(0)), vm.parseJsonBytes32(json, ".channelId.signerZero"));
        assertEq(idOf(signer), vm.parseJsonBytes32(json, ".channelId.signerKey3"));
        assertEq(idOf(address(0)), keccak256(vm.parseJsonBytes(json, ".channelId.preimage")));
    }

    function test_TheDomain() public view {
        assertEq(escrow.domainSeparator(), vm.parseJsonBytes32(json, ".domainSeparator"));
    }

    function test_TheDigests() public view {
        for (uint256 i; i < 3; ++i) {
            bytes32 digest = vm.parseJsonBytes32(json, voucher(i, "digest"));
            assertEq(escrow.getVoucherDigest(idOf(address(0)), amount(i)), digest);
        }
    }

    function test_TheSignaturesOfTheSender() public view {
        for (uint256 i; i < 3; ++i) {
            assertEq(sign(idOf(address(0)), amount(i)), signature(i));
        }
    }

    function test_TheVouchersPay() public {
        bytes32 id = open(type(uint128).max, salt);
        vm.startPrank(receiver);
        escrow.settle(id, amount(1), signature(1));
        assertEq(token.balanceOf(receiver), amount(1));
        escrow.close(id, amount(2), signature(2));
        assertEq(token.balanceOf(receiver), type(uint128).max);
    }

    function test_TheVouchersPayInABatch() public {
        bytes32 id = open(type(uint128).max, salt);
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](3);
        for (uint256 i; i < 3; ++i) {
            rows[i] = IChannelEscrow.Settlement(id, amount(i), signature(i));
        }
        vm.prank(receiver);
        assertEq(escrow.settleMany(address(token), rows), type(uint128).max);
    }

    function test_TheMalleatedSignaturesDoNot() public {
        bytes32 id = open(type(uint128).max, salt);
        for (uint256 i = 1; i < 3; ++i) {
            bytes memory malleated = vm.parseJsonBytes(json, voucher(i, "malleatedHighS_mustReject"));
            vm.prank(receiver);
            vm.expectRevert(InvalidSignature.selector);
            escrow.settle(id, amount(i), malleated);
        }
    }

    function idOf(address signer) private view returns (bytes32) {
        return escrow.computeChannelId(sender, receiver, address(token), salt, signer);
    }

    function amount(uint256 i) private view returns (uint128) {
        return uint128(vm.parseJsonUint(json, voucher(i, "cumulativeAmount")));
    }

    function signature(uint256 i) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, voucher(i, "signature"));
    }

    function voucher(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".vouchers[", vm.toString(i), "].", field);
    }
}
