// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {IPermit2Errors, PERMIT2, putPermit2} from "./Permit2.sol";
import "./Wallets.sol" as Wallets;
import "./tokens/OddTokens.sol" as Odd;
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev The names in what is signed are those of test/vectors/payment.json.
abstract contract Permit2Test is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;
    uint256 internal deadline;
    uint256 internal nonce;
    uint256 internal strangerKey;

    function setUp() public virtual override {
        super.setUp();
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        deadline = block.timestamp + 1 hours;
        putPermit2();
        vm.prank(sender);
        token.approve(address(escrow), 0);
        address[2] memory both = [sender, stranger];
        for (uint256 i; i < 2; ++i) {
            token.mint(both[i], FORTUNE);
            vm.prank(both[i]);
            token.approve(PERMIT2, type(uint256).max);
        }
    }

    function openCall(address from, uint128 deposit, bytes memory signature) internal view returns (bytes memory) {
        return abi.encodeCall(
            IRelayed.openWithPermit2,
            (receiver, address(token), deposit, SALT, stranger, from, nonce, deadline, signature)
        );
    }

    function topUpCall(bytes32 id, address from, uint128 amount, bytes memory signature)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(IRelayed.topUpWithPermit2, (id, amount, from, nonce, deadline, signature));
    }

    function idOf(address from) internal view returns (bytes32) {
        return escrow.computeChannelId(from, receiver, address(token), SALT, stranger);
    }

    function permitOpen(uint256 key, uint256 amount) internal view returns (bytes memory) {
        string memory witnessType = "ChannelOpenWitness(address payee,bytes32 salt,address authorizedSigner)";
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(witnessType)), receiver, SALT, stranger));
        return permit(key, amount, string.concat("ChannelOpenWitness witness)", witnessType), witness);
    }

    function permitTopUp(uint256 key, bytes32 id, uint256 amount) internal view returns (bytes memory) {
        string memory witnessType = "ChannelTopUpWitness(bytes32 channelId)";
        bytes32 witness = keccak256(abi.encode(keccak256(bytes(witnessType)), id));
        return permit(key, amount, string.concat("ChannelTopUpWitness witness)", witnessType), witness);
    }

    function permit(uint256 key, uint256 amount, string memory witnessType, bytes32 witness)
        private
        view
        returns (bytes memory)
    {
        string memory tokenType = "TokenPermissions(address token,uint256 amount)";
        bytes32 typehash = keccak256(
            abi.encodePacked(
                "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,",
                witnessType,
                tokenType
            )
        );
        bytes32 permitted = keccak256(abi.encode(keccak256(bytes(tokenType)), address(token), amount));
        bytes32 structHash = keccak256(abi.encode(typehash, permitted, address(escrow), nonce, deadline, witness));
        bytes32 domainOfPermit2 = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                PERMIT2
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", domainOfPermit2, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function relay(bytes memory call) internal {
        vm.prank(makeAddr("relayer"));
        (bool done,) = address(escrow).call(call);
        assertTrue(done);
    }

    function assertRefused(bytes memory call, bytes4 reason) internal {
        (bool done, bytes memory answer) = address(escrow).call(call);
        assertFalse(done);
        assertEq(bytes4(answer), reason);
    }
}

contract OpenWithPermit2Test is Permit2Test {
    function test_OpensAChannelOfTheOneWhoSigned() public {
        uint256 before = token.balanceOf(sender);
        vm.expectEmit(address(escrow));
        emit ChannelOpened(idOf(sender), sender, receiver, address(token), stranger, SALT, DEPOSIT);
        relay(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));

        IChannelEscrow.Channel memory expected =
            IChannelEscrow.Channel(false, 0, sender, receiver, address(token), stranger, DEPOSIT, 0);
        assertEq(abi.encode(escrow.getChannel(idOf(sender))), abi.encode(expected));
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
        assertEq(token.balanceOf(sender), before - DEPOSIT);
    }

    function test_ReturnsTheId() public {
        (, bytes memory answer) = address(escrow).call(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        assertEq(abi.decode(answer, (bytes32)), idOf(sender));
    }

    function test_AContractOpens() public {
        sender = address(new Wallets.KeyWallet(sender));
        token.mint(sender, DEPOSIT);
        vm.prank(sender);
        token.approve(PERMIT2, DEPOSIT);
        relay(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        assertEq(deposited(idOf(sender)), DEPOSIT);
    }

    function test_ATokenThatReturnsNothingWillDo() public {
        token = PlainToken(address(new Odd.SilentToken()));
        token.mint(sender, DEPOSIT);
        vm.prank(sender);
        (bool approved,) = address(token).call(abi.encodeCall(token.approve, (PERMIT2, DEPOSIT)));
        assertTrue(approved);
        relay(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        assertEq(deposited(idOf(sender)), DEPOSIT);
    }

    function test_AFrontRunLeavesTheChannelThatWasMeant() public {
        bytes memory call = openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT));
        relay(call);
        assertRefused(call, ChannelAlreadyExists.selector);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
    }

    function test_RevertsForOtherTermsThanTheSigned() public {
        bytes memory signature = permitOpen(senderKey, DEPOSIT);
        bytes4 other = IPermit2Errors.InvalidSigner.selector;
        assertRefused(openCall(sender, DEPOSIT - 1, signature), other);
        assertRefused(openCall(stranger, DEPOSIT, signature), other);
        address honest = receiver;
        receiver = makeAddr("thief");
        assertRefused(openCall(sender, DEPOSIT, signature), other);
        receiver = honest;
        honest = stranger;
        stranger = makeAddr("thief");
        assertRefused(openCall(sender, DEPOSIT, signature), other);
        stranger = honest;
        vm.expectRevert(other);
        escrow.openWithPermit2(receiver, address(token), DEPOSIT, "other", stranger, sender, nonce, deadline, signature);
        relay(openCall(sender, DEPOSIT, signature));
    }

    /// @dev ERC-2098: 64 bytes, with v in the highest bit of s.
    function test_TakesTheShortFormOfASignature() public {
        bytes memory signature = permitOpen(senderKey, DEPOSIT);
        (bytes32 r, uint256 s) = abi.decode(signature, (bytes32, uint256));
        uint256 v = uint8(signature[64]) - 27;
        relay(openCall(sender, DEPOSIT, abi.encodePacked(r, s | v << 255)));
        assertEq(deposited(idOf(sender)), DEPOSIT);
    }

    function test_RevertsForASignatureForATopUp() public {
        bytes memory signature = permitTopUp(senderKey, idOf(sender), DEPOSIT);
        assertRefused(openCall(sender, DEPOSIT, signature), IPermit2Errors.InvalidSigner.selector);
    }

    function test_RevertsWithTheWordOfPermit2() public {
        bytes memory call = openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT));
        vm.warp(deadline + 1);
        (, bytes memory answer) = address(escrow).call(call);
        assertEq(answer, abi.encodeWithSelector(IPermit2Errors.SignatureExpired.selector, deadline));
    }

    /// @dev The word of the token does not get past Permit2.
    function test_RevertsWhenTheTokenRefuses() public {
        vm.prank(sender);
        token.approve(PERMIT2, 0);
        (, bytes memory answer) = address(escrow).call(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        assertEq(answer, abi.encodeWithSignature("Error(string)", "TRANSFER_FROM_FAILED"));
    }

    function test_RevertsForAUsedNonceOfPermit2() public {
        bytes32 id = open();
        nonce = 0;
        assertRefused(topUpCall(id, sender, 5, permitTopUp(senderKey, id, 5)), IPermit2Errors.InvalidNonce.selector);
    }

    function test_RevertsWhereThereIsNoPermit2() public {
        vm.etch(PERMIT2, "");
        (bool done,) = address(escrow).call(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        assertFalse(done);
    }

    function test_AFeeOnTransferIsRefused() public {
        token = new Odd.FeeToken();
        token.mint(sender, DEPOSIT);
        vm.prank(sender);
        token.approve(PERMIT2, DEPOSIT);
        assertRefused(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)), InexactTransfer.selector);
    }

    function test_ATokenThatMovesNothingIsRefused() public {
        token = new Odd.LazyToken();
        assertRefused(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)), InexactTransfer.selector);
    }

    function test_RevertsWithoutASender() public {
        assertRefused(openCall(address(0), DEPOSIT, ""), InvalidSender.selector);
        assertRefused(openCall(address(escrow), DEPOSIT, ""), InvalidSender.selector);
    }

    function test_RevertsWithoutADeposit() public {
        assertRefused(openCall(sender, 0, permitOpen(senderKey, 0)), ZeroDeposit.selector);
    }

    function open() private returns (bytes32) {
        relay(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        return idOf(sender);
    }
}

contract TopUpWithPermit2Test is Permit2Test {
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        relay(openCall(sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)));
        id = idOf(sender);
        nonce = 1;
    }

    function test_AddsTheSendersMoney() public {
        vm.expectEmit(address(escrow));
        emit TopUp(id, sender, receiver, 5, DEPOSIT + 5);
        relay(topUpCall(id, sender, 5, permitTopUp(senderKey, id, 5)));

        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(token.balanceOf(address(escrow)), DEPOSIT + 5);
    }

    function test_AddsAnyonesMoneyAndTheRestGoesToTheSender() public {
        uint256 before = token.balanceOf(sender);
        relay(topUpCall(id, stranger, 5, permitTopUp(strangerKey, id, 5)));
        withdraw(id);
        assertEq(token.balanceOf(sender), before + DEPOSIT + 5);
        assertEq(token.balanceOf(stranger), FORTUNE - 5);
    }

    function test_TheSendersMoneyTakesARequestToCloseBack() public {
        requestClose(id);
        vm.expectEmit(address(escrow));
        emit CloseRequestCancelled(id, sender, receiver);
        relay(topUpCall(id, sender, 5, permitTopUp(senderKey, id, 5)));
        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    function test_NobodyElsesMoneyHoldsUpAClose() public {
        requestClose(id);
        skip(GRACE - 1);
        relay(topUpCall(id, stranger, 1, permitTopUp(strangerKey, id, 1)));
        skip(1);
        vm.prank(sender);
        escrow.withdraw(id);
        assertTrue(escrow.getChannel(id).finalized);
    }

    function test_RevertsForAnotherTopUpThanTheSigned() public {
        bytes memory signature = permitTopUp(senderKey, id, 5);
        bytes4 other = IPermit2Errors.InvalidSigner.selector;
        assertRefused(topUpCall(id, sender, 4, signature), other);
        assertRefused(topUpCall(id, stranger, 5, signature), other);
        bytes memory elsewhere = permitTopUp(senderKey, bytes32("elsewhere"), 5);
        assertRefused(topUpCall(id, sender, 5, elsewhere), other);
        assertRefused(topUpCall(id, sender, DEPOSIT, permitOpen(senderKey, DEPOSIT)), other);
    }

    function test_RevertsWithoutAnAddition() public {
        assertRefused(topUpCall(id, sender, 0, permitTopUp(senderKey, id, 0)), ZeroDeposit.selector);
    }

    function test_RevertsWhenTheChannelWouldHoldMoreThanItCan() public {
        uint128 most = type(uint128).max - DEPOSIT;
        bytes memory signature = permitTopUp(senderKey, id, most + 1);
        assertRefused(topUpCall(id, sender, most + 1, signature), DepositOverflow.selector);
    }

    function test_RevertsForAnUnknownChannel() public {
        assertRefused(topUpCall("unknown", sender, 5, permitTopUp(senderKey, "unknown", 5)), ChannelNotFound.selector);
    }

    function test_RevertsAfterTheEnd() public {
        withdraw(id);
        assertRefused(topUpCall(id, sender, 5, permitTopUp(senderKey, id, 5)), ChannelFinalized.selector);
    }
}
