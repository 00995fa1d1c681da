// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {PERMIT2, putPermit2} from "./Permit2.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev Signatures of the relayed profile that were made elsewhere, over what the draft says is signed.
contract RelayedVectorsTest is EscrowTest {
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
        putPermit2();
        deployCodeTo("ChannelEscrow.sol", abi.encode(GRACE), address(escrow));
        deployCodeTo("AuthorizationTokens.sol:BothToken", "", address(token));
        token.mint(sender, FORTUNE);
        vm.prank(sender);
        token.approve(PERMIT2, FORTUNE);
    }

    function test_OpenWithAuthorization() public {
        uint128 deposit = uint128(vm.parseJsonUint(json, ".eip3009.message.value"));
        bytes32 nonce = vm.parseJsonBytes32(json, ".eip3009Nonce.open_signerZero");
        assertEq(nonce, vm.parseJsonBytes32(json, ".eip3009.message.nonce"));
        uint256 validAfter = vm.parseJsonUint(json, ".eip3009.message.validAfter");
        uint256 validBefore = vm.parseJsonUint(json, ".eip3009.message.validBefore");
        bytes memory signature = vm.parseJsonBytes(json, ".eip3009.signature");
        bytes32 id = escrow.openWithAuthorization(
            receiver, address(token), deposit, salt, address(0), sender, validAfter, validBefore, nonce, signature
        );
        assertEq(id, vm.parseJsonBytes32(json, ".channelId.signerZero"));
        assertEq(deposited(id), deposit);
    }

    function test_TheOtherNonces() public {
        address signer = vm.parseJsonAddress(json, ".inputs.signer");
        assertEq(
            vm.parseJsonBytes32(json, ".eip3009Nonce.open_signerKey3"),
            keccak256(abi.encode(sender, receiver, address(token), salt, signer))
        );
        // The escrow takes the nonce of the top up and asks the token, which is the first to refuse.
        bytes32 id = openWithPermit2();
        bytes32 topUpSalt = vm.parseJsonBytes32(json, ".inputs.topUpSalt");
        bytes32 nonce = vm.parseJsonBytes32(json, ".eip3009Nonce.topUp_5000000");
        vm.expectRevert(bytes4(keccak256("ERC3009InvalidSignature()")));
        escrow.topUpWithAuthorization(id, 5_000_000, sender, topUpSalt, 0, 1, nonce, NO_SIGNATURE);
        vm.expectRevert(NonceMismatch.selector);
        escrow.topUpWithAuthorization(id, 5_000_001, sender, topUpSalt, 0, 1, nonce, NO_SIGNATURE);
    }

    function test_OpenWithPermit2() public {
        bytes32 id = openWithPermit2();
        assertEq(id, vm.parseJsonBytes32(json, ".channelId.signerZero"));
        assertEq(deposited(id), vm.parseJsonUint(json, ".permit2.open.amount"));
    }

    function test_TopUpWithPermit2() public {
        token.mint(sender, FORTUNE);
        vm.startPrank(sender);
        token.approve(address(escrow), 1);
        bytes32 id = escrow.open(receiver, address(token), 1, salt, address(0));
        vm.stopPrank();
        uint128 amount = uint128(vm.parseJsonUint(json, ".permit2.topUp.amount"));
        uint256 nonce = vm.parseJsonUint(json, ".permit2.topUp.nonce");
        uint256 deadline = vm.parseJsonUint(json, ".permit2.topUp.deadline");
        escrow.topUpWithPermit2(
            id, amount, sender, nonce, deadline, vm.parseJsonBytes(json, ".permit2.topUp.signature")
        );
        assertEq(deposited(id), amount + 1);
    }

    function test_SettleWithAuthorization() public {
        bytes32 id = openWithPermit2();
        (bool done,) = address(escrow).call(call(IRelayed.settleWithAuthorization.selector, "SettleAuthorization", id));
        assertTrue(done);
        assertEq(token.balanceOf(receiver), 250_000);
    }

    function test_CloseWithAuthorization() public {
        bytes32 id = openWithPermit2();
        (bool done,) = address(escrow).call(call(IRelayed.closeWithAuthorization.selector, "CloseAuthorization", id));
        assertTrue(done);
        assertTrue(escrow.getChannel(id).finalized);
        assertEq(token.balanceOf(receiver), 250_000);
    }

    function call(bytes4 selector, string memory name, bytes32 id) private view returns (bytes memory) {
        string memory path = string.concat(".", name, ".");
        return abi.encodeWithSelector(
            selector,
            id,
            vm.parseJsonUint(json, string.concat(path, "cumulativeAmount")),
            vm.parseJsonUint(json, string.concat(path, "nonce")),
            vm.parseJsonUint(json, string.concat(path, "deadline")),
            vm.parseJsonBytes(json, string.concat(path, "signatureByPayee")),
            vm.parseJsonBytes(json, ".vouchers[1].signature")
        );
    }

    function openWithPermit2() private returns (bytes32) {
        uint128 deposit = uint128(vm.parseJsonUint(json, ".permit2.open.amount"));
        uint256 nonce = vm.parseJsonUint(json, ".permit2.open.nonce");
        uint256 deadline = vm.parseJsonUint(json, ".permit2.open.deadline");
        bytes memory signature = vm.parseJsonBytes(json, ".permit2.open.signature");
        return
            escrow.openWithPermit2(
                receiver, address(token), deposit, salt, address(0), sender, nonce, deadline, signature
            );
    }
}
