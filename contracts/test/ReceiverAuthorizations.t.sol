// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";
import "./Wallets.sol" as Wallets;

/// @dev The promises that both functions keep which a receiver signs for. One contract below for each.
abstract contract ReceiverAuthorizationTest is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;
    address internal relayer = makeAddr("relayer");
    uint256 internal receiverKey;
    uint256 internal nonce = 7;
    uint256 internal deadline;
    bytes32 internal id;

    /// @dev The name of the type that the receiver signs.
    function typeName() internal pure virtual returns (string memory);

    function encode(bytes32 channelId, uint128 amount, bytes memory authorization, bytes memory voucher)
        internal
        view
        virtual
        returns (bytes memory);

    function setUp() public virtual override {
        super.setUp();
        (receiver, receiverKey) = makeAddrAndKey("receiver");
        deadline = block.timestamp + 1 hours;
        id = open(DEPOSIT);
    }

    function test_AnyoneMaySendItAndTheReceiverIsPaid() public {
        relay(callFor(100));
        assertEq(settled(id), 100);
        assertEq(token.balanceOf(receiver), 100);
        assertEq(token.balanceOf(relayer), 0);
    }

    function test_WorksAtTheDeadlineAndNotAfter() public {
        bytes memory call = callFor(100);
        vm.warp(deadline + 1);
        assertRefused(call, AuthorizationExpired.selector);
        vm.warp(deadline);
        relay(call);
    }

    function test_WorksWhileTheChannelIsClosing() public {
        requestClose(id);
        relay(callFor(100));
        assertEq(token.balanceOf(receiver), 100);
    }

    function test_TakesTheVoucherOfASeparateSigner() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        id = open(DEPOSIT, "signed", signer);
        relay(encode(id, 100, authorize(receiverKey, 100), sign(key, id, 100)));
        assertEq(token.balanceOf(receiver), 100);
    }

    function test_RevertsForAReceiverThatDidNotSign() public {
        assertAuthorizationRefused(authorize(senderKey, 100));
        assertAuthorizationRefused(authorize(receiverKey, 101));
        assertAuthorizationRefused(NO_SIGNATURE);
        assertAuthorizationRefused(sign(receiverKey, id, 100));
        assertAuthorizationRefused(malleate(authorize(receiverKey, 100)));
    }

    function test_RevertsForAnythingElseThanWhatWasSigned() public {
        bytes memory authorization = authorize(receiverKey, 100);
        bytes32 other = open(DEPOSIT, "other");
        assertRefused(encode(other, 100, authorization, sign(other, 100)), InvalidSignature.selector);
        ++nonce;
        assertAuthorizationRefused(authorization);
        --nonce;
        ++deadline;
        assertAuthorizationRefused(authorization);
        --deadline;
        relay(encode(id, 100, authorization, sign(id, 100)));
    }

    function test_TheOperatorCannotSignForTheReceiver() public {
        vm.prank(receiver);
        escrow.setOperator(sender);
        assertAuthorizationRefused(authorize(senderKey, 100));
    }

    function test_RevertsForTheOtherType() public {
        bytes32 other = keccak256(bytes(typeName())) == keccak256("SettleAuthorization")
            ? typehashOf("CloseAuthorization")
            : typehashOf("SettleAuthorization");
        assertAuthorizationRefused(authorize(other, receiverKey, 100));
    }

    function test_RevertsForABadVoucher() public {
        bytes memory authorization = authorize(receiverKey, 100);
        assertRefused(encode(id, 100, authorization, sign(id, 101)), InvalidSignature.selector);
        assertRefused(encode(id, 100, authorization, NO_SIGNATURE), InvalidSignature.selector);
        assertRefused(encode(id, 100, authorization, authorization), InvalidSignature.selector);
        assertRefused(encode(id, 100, authorization, malleate(sign(id, 100))), InvalidSignature.selector);
        relay(encode(id, 100, authorization, sign(id, 100)));
    }

    function test_RevertsForMoreThanTheDeposit() public {
        assertRefused(callFor(DEPOSIT + 1), AmountExceedsDeposit.selector);
    }

    function test_RevertsForAnUnknownChannel() public {
        id = "unknown";
        assertRefused(callFor(100), ChannelNotFound.selector);
    }

    function test_RevertsAfterTheEnd() public {
        close(id, 100);
        assertRefused(callFor(200), ChannelFinalized.selector);
    }

    function test_RevertsOnAnotherChain() public {
        bytes memory call = callFor(100);
        vm.chainId(block.chainid + 1);
        assertRefused(call, InvalidSignature.selector);
    }

    /// @dev A twin at another address has the same channel, under another id.
    function test_RevertsAtAnotherEscrow() public {
        bytes memory authorization = authorize(receiverKey, 100);
        bytes memory voucher = sign(id, 100);
        address other = deployCode("ChannelEscrow.sol", abi.encode(GRACE));
        vm.startPrank(sender);
        token.approve(other, DEPOSIT);
        (, bytes memory answer) =
            other.call(abi.encodeCall(escrow.open, (receiver, address(token), DEPOSIT, SALT, address(0))));
        vm.stopPrank();
        bytes32 twin = abi.decode(answer, (bytes32));
        assertNotEq(twin, id);
        bool done;
        (done, answer) = other.call(encode(twin, 100, authorization, voucher));
        assertFalse(done);
        assertEq(bytes4(answer), InvalidSignature.selector);
        (done, answer) = other.call(encode(id, 100, authorization, voucher));
        assertFalse(done);
        assertEq(bytes4(answer), ChannelNotFound.selector);
    }

    function test_AContractThatIsTheReceiverIsAsked() public {
        receiver = address(new Wallets.KeyWallet(receiver));
        id = open(DEPOSIT);
        assertAuthorizationRefused(authorize(senderKey, 100));
        relay(callFor(100));
        assertEq(token.balanceOf(receiver), 100);
    }

    function test_HandsTheWalletTheSignatureAsItIs() public {
        receiver = address(new Wallets.WordWallet(bytes32(IERC1271.isValidSignature.selector)));
        id = open(DEPOSIT);
        bytes memory odd = "neither 64 nor 65 bytes, and not a whole number of words";
        vm.expectCall(
            receiver, abi.encodeCall(IERC1271.isValidSignature, (authorizationDigest(typehash(), 100), odd)), 1
        );
        relay(encode(id, 100, odd, sign(id, 100)));
    }

    function test_HostileWalletsAreRefusedAndCostNoMoreThanTheirLimit() public {
        address[8] memory wallets = [
            address(new Wallets.WordWallet(0)),
            address(new Wallets.ShortWallet()),
            address(new Wallets.TalkativeWallet(1_000_000)),
            address(new Wallets.GrumblingWallet()),
            address(new Wallets.RefusingWallet()),
            address(new Wallets.BurningWallet()),
            address(new Wallets.HungryWallet(510_000)),
            address(new Wallets.WritingWallet())
        ];
        for (uint256 i; i < wallets.length; ++i) {
            receiver = wallets[i];
            id = open(DEPOSIT);
            uint256 start = gasleft();
            assertAuthorizationRefused(NO_SIGNATURE);
            assertLt(start - gasleft(), escrow.SIGNATURE_GAS_LIMIT() + 100_000);
        }
    }

    /// @dev A relayer cannot pass off its own want of gas as the wallet's no; it says so.
    function test_AWalletThatRanDryIsNotARefusal() public {
        receiver = address(new Wallets.HungryWallet(400_000));
        id = open(DEPOSIT);
        bytes memory call = encode(id, 100, NO_SIGNATURE, sign(id, 100));
        (bool done, bytes memory reason) = address(escrow).call{gas: 300_000}(call);
        assertFalse(done);
        assertEq(bytes4(reason), InsufficientGas.selector);
        relay(call);
    }

    function callFor(uint128 amount) internal view returns (bytes memory) {
        return encode(id, amount, authorize(receiverKey, amount), sign(id, amount));
    }

    function authorize(uint256 key, uint128 amount) internal view returns (bytes memory) {
        return authorize(typehash(), key, amount);
    }

    function authorize(bytes32 typehash_, uint256 key, uint128 amount) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, authorizationDigest(typehash_, amount));
        return abi.encodePacked(r, s, v);
    }

    function authorizationDigest(bytes32 typehash_, uint128 amount) internal view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(typehash_, id, amount, nonce, deadline));
        return keccak256(abi.encodePacked(hex"1901", domain(), structHash));
    }

    function typehash() internal pure returns (bytes32) {
        return typehashOf(typeName());
    }

    function typehashOf(string memory name) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(name, "(bytes32 channelId,uint128 cumulativeAmount,uint256 nonce,uint256 deadline)")
        );
    }

    function relay(bytes memory call) internal {
        vm.prank(relayer);
        (bool done,) = address(escrow).call(call);
        assertTrue(done);
    }

    function assertAuthorizationRefused(bytes memory authorization) internal {
        assertRefused(encode(id, 100, authorization, sign(id, 100)), InvalidSignature.selector);
    }

    function assertRefused(bytes memory call, bytes4 reason) internal {
        vm.prank(relayer);
        (bool done, bytes memory answer) = address(escrow).call(call);
        assertFalse(done);
        assertEq(bytes4(answer), reason);
    }

    function settleCall(bytes32 channelId, uint128 amount, bytes memory authorization, bytes memory voucher)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(
            IRelayed.settleWithAuthorization, (channelId, amount, nonce, deadline, authorization, voucher)
        );
    }

    function closeCall(bytes32 channelId, uint128 amount, bytes memory authorization, bytes memory voucher)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(
            IRelayed.closeWithAuthorization, (channelId, amount, nonce, deadline, authorization, voucher)
        );
    }
}

contract SettleWithAuthorizationTest is ReceiverAuthorizationTest {
    function typeName() internal pure override returns (string memory) {
        return "SettleAuthorization";
    }

    function encode(bytes32 channelId, uint128 amount, bytes memory authorization, bytes memory voucher)
        internal
        view
        override
        returns (bytes memory)
    {
        return settleCall(channelId, amount, authorization, voucher);
    }

    function test_TellsWhatSettleTells() public {
        relay(callFor(100));
        nonce = 8;
        vm.expectEmit(address(escrow));
        emit Settled(id, sender, receiver, 250, 150, 250);
        relay(callFor(250));
        assertFalse(escrow.getChannel(id).finalized);
    }

    function test_ANonceIsGoodOnce() public {
        relay(callFor(100));
        assertRefused(callFor(100), NonceAlreadyUsed.selector);
        assertRefused(callFor(250), NonceAlreadyUsed.selector);
    }

    /// @dev One set for both: a close cannot be signed with a nonce that a settlement took.
    function test_ANonceIsNotGoodForACloseAfterwards() public {
        relay(callFor(100));
        bytes memory authorization = authorize(typehashOf("CloseAuthorization"), receiverKey, 250);
        assertRefused(closeCall(id, 250, authorization, sign(id, 250)), NonceAlreadyUsed.selector);
    }

    function test_ANonceIsOfOneChannel() public {
        relay(callFor(100));
        id = open(DEPOSIT, "other");
        relay(callFor(100));
        assertEq(token.balanceOf(receiver), 200);
    }

    function test_EveryNonceIsItsOwn() public {
        uint256[8] memory nonces = [uint256(0), 1, 128, 255, 256, 1 << 128, type(uint256).max - 255, type(uint256).max];
        for (uint256 i; i < nonces.length; ++i) {
            nonce = nonces[i];
            relay(callFor(uint128(100 + i)));
        }
        for (uint256 i; i < nonces.length; ++i) {
            nonce = nonces[i];
            assertRefused(callFor(1000), NonceAlreadyUsed.selector);
        }
        assertEq(settled(id), 107);
    }

    function test_ARefusedOneUsesNoNonce() public {
        assertRefused(encode(id, 100, authorize(receiverKey, 100), NO_SIGNATURE), InvalidSignature.selector);
        relay(callFor(100));
    }

    function test_RevertsForNoMoreThanWasSettled() public {
        settle(id, 100);
        assertRefused(callFor(100), AmountNotIncreasing.selector);
    }
}

contract CloseWithAuthorizationTest is ReceiverAuthorizationTest {
    function typeName() internal pure override returns (string memory) {
        return "CloseAuthorization";
    }

    function encode(bytes32 channelId, uint128 amount, bytes memory authorization, bytes memory voucher)
        internal
        view
        override
        returns (bytes memory)
    {
        return closeCall(channelId, amount, authorization, voucher);
    }

    function test_EndsTheChannelAndPaysBoth() public {
        vm.expectEmit(address(escrow));
        emit ChannelClosed(id, sender, receiver, 100, DEPOSIT - 100);
        relay(callFor(100));
        assertTrue(escrow.getChannel(id).finalized);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function test_ForfeitsWithoutAVoucher() public {
        settle(id, 100);
        relay(encode(id, 100, authorize(receiverKey, 100), NO_SIGNATURE));
        assertTrue(escrow.getChannel(id).finalized);
        assertEq(token.balanceOf(receiver), 100);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
    }

    function test_NobodyForfeitsForTheReceiver() public {
        settle(id, 100);
        assertRefused(encode(id, 0, NO_SIGNATURE, NO_SIGNATURE), InvalidSignature.selector);
        assertRefused(encode(id, 0, authorize(senderKey, 0), NO_SIGNATURE), InvalidSignature.selector);
    }

    /// @dev One set for both: the nonce of a settlement is spent for a close as well.
    function test_ANonceOfASettlementIsSpent() public {
        bytes memory authorization = authorize(typehashOf("SettleAuthorization"), receiverKey, 50);
        relay(settleCall(id, 50, authorization, sign(id, 50)));
        assertRefused(callFor(100), NonceAlreadyUsed.selector);
        ++nonce;
        relay(callFor(100));
    }

    /// @dev Shown in storage, because after a close the channel refuses everything anyway.
    function test_ACloseSpendsItsNonceToo() public {
        relay(callFor(100));
        bytes32 slot = keccak256(abi.encode(nonce >> 8, keccak256(abi.encode(id, 3))));
        assertEq(uint256(vm.load(address(escrow), slot)), 1 << nonce);
    }
}
