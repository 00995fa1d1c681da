// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IERC3009, IERC3009WithBytes} from "../src/interfaces/IERC3009.sol";
import {AuthorizationTest} from "./AuthorizationTest.sol";
import "./Wallets.sol" as Wallets;
import "./tokens/AuthorizationTokens.sol" as Tokens;
import {EtherLikeToken} from "./tokens/EtherLikeToken.sol";

contract OpenWithAuthorizationTest is AuthorizationTest {
    bytes4 private constant BAD_SIGNATURE = bytes4(keccak256("ERC3009InvalidSignature()"));

    function test_OpensAChannelOfTheOneWhoSigned() public {
        vm.expectCall(address(usdc), abi.encodePacked(IERC3009WithBytes.receiveWithAuthorization.selector), 1);
        vm.expectCall(address(usdc), abi.encodePacked(IERC3009.receiveWithAuthorization.selector), 0);
        relay(openCall());

        assertOpen();
        assertEq(usdc.balanceOf(sender), FORTUNE - DEPOSIT);
    }

    function test_TellsTheTermsAndTheDeposit() public {
        vm.expectEmit(address(escrow));
        emit ChannelOpened(idOf(sender), sender, receiver, address(usdc), stranger, SALT, DEPOSIT);
        relay(openCall());
    }

    function test_ReturnsTheId() public {
        (, bytes memory answer) = address(escrow).call(openCall());
        assertEq(abi.decode(answer, (bytes32)), idOf(sender));
    }

    function test_ATokenWithTheOldFormWillDo() public {
        use(new Tokens.SplitToken());
        relay(openCall());
        assertOpen();
    }

    function test_ATokenWithTheNewFormOnlyWillDo() public {
        use(new Tokens.BytesToken());
        relay(openCall());
        assertOpen();
    }

    function test_AContractOpensByTheFormWithBytes() public {
        sender = address(new Wallets.KeyWallet(sender));
        usdc.mint(sender, FORTUNE);
        relay(openCall());
        assertOpen();
    }

    /// @dev Another who sees the transaction and is faster does just what was meant.
    function test_AFrontRunLeavesTheChannelThatWasMeant() public {
        bytes memory call = openCall();
        uint256 snapshot = vm.snapshotState();
        relay(call);
        bytes memory meant = abi.encode(escrow.getChannel(idOf(sender)));
        vm.revertToState(snapshot);

        vm.prank(makeAddr("front runner"));
        (bool done,) = address(escrow).call(call);
        assertTrue(done);
        assertRefused(call, ChannelAlreadyExists.selector);
        assertEq(abi.encode(escrow.getChannel(idOf(sender))), meant);
        assertEq(usdc.balanceOf(address(escrow)), DEPOSIT);
    }

    /// @dev `receiveWithAuthorization` is for the recipient of the money alone.
    function test_NobodyCanMoveTheMoneyPastTheEscrow() public {
        bytes memory signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        bytes32 nonce = nonceOf(sender);
        vm.prank(stranger);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InvalidReceiver(address)")));
        usdc.receiveWithAuthorization(sender, address(escrow), DEPOSIT, validAfter, validBefore, nonce, signature);
    }

    function test_ASignatureForAnyTransferDoesNotDo() public {
        bytes32 typehash = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes memory signature = authorize(typehash, senderKey, sender, DEPOSIT, nonceOf(sender));
        assertRefused(openCall(sender, DEPOSIT, signature), BAD_SIGNATURE);
    }

    function test_RevertsForOtherTermsThanTheSigned() public {
        bytes memory signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        bytes32 nonce = nonceOf(sender);
        address[2] memory thief = [receiver, stranger];
        receiver = makeAddr("thief");
        assertRefused(openCall(sender, DEPOSIT, nonce, signature), NonceMismatch.selector);
        receiver = thief[0];
        stranger = makeAddr("thief");
        assertRefused(openCall(sender, DEPOSIT, nonce, signature), NonceMismatch.selector);
        stranger = thief[1];
        assertRefused(openCall(makeAddr("thief"), DEPOSIT, nonce, signature), NonceMismatch.selector);
        assertRefused(openCall(sender, DEPOSIT - 1, nonce, signature), BAD_SIGNATURE);
        relay(openCall(sender, DEPOSIT, nonce, signature));
    }

    function test_RevertsForAnotherSalt() public {
        bytes memory signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        bytes32 nonce = nonceOf(sender);
        vm.expectRevert(NonceMismatch.selector);
        escrow.openWithAuthorization(
            receiver, address(usdc), DEPOSIT, "other", stranger, sender, validAfter, validBefore, nonce, signature
        );
    }

    function test_RevertsWithTheTokensWord() public {
        bytes memory call = openCall(senderKey ^ 1, sender, DEPOSIT);
        assertRefused(call, abi.encodeWithSelector(BAD_SIGNATURE));
        use(new Tokens.SplitToken());
        call = openCall(senderKey ^ 1, sender, DEPOSIT);
        assertRefused(call, abi.encodeWithSelector(BAD_SIGNATURE));
        use(new Tokens.BytesToken());
        call = openCall(senderKey ^ 1, sender, DEPOSIT);
        assertRefused(call, abi.encodeWithSelector(BAD_SIGNATURE));
    }

    function test_RevertsOutsideItsTime() public {
        bytes memory call = openCall();
        vm.warp(validBefore);
        bytes4 wrongTime = bytes4(keccak256("ERC3009InvalidAuthorizationTime(uint256,uint256)"));
        assertRefused(call, abi.encodeWithSelector(wrongTime, validAfter, validBefore));
    }

    function test_RevertsForAUsedNonceOfTheToken() public {
        bytes memory call = openCall();
        bytes32 nonce = nonceOf(sender);
        vm.store(address(usdc), usedSlot(nonce), bytes32(uint256(1)));
        assertRefused(call, bytes4(keccak256("ERC3009UsedAuthorization(address,bytes32)")));
    }

    /// @dev The form with v, r and s is not for a signature of another length, whatever is in it.
    function test_RevertsForASignatureOfAnotherLength() public {
        bytes memory signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        assertRefused(openCall(sender, DEPOSIT, ""), BAD_SIGNATURE);
        assertRefused(openCall(sender, DEPOSIT, abi.encodePacked(signature, uint8(0))), BAD_SIGNATURE);
        use(new Tokens.SplitToken());
        signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        bytes memory silence =
            abi.encodeWithSelector(bytes4(keccak256("SafeERC20FailedOperation(address)")), address(usdc));
        assertRefused(openCall(sender, DEPOSIT, ""), silence);
        assertRefused(openCall(sender, DEPOSIT, abi.encodePacked(signature, uint8(0))), silence);
    }

    function test_RevertsForAHighS() public {
        use(new Tokens.SplitToken());
        bytes memory signature = malleate(authorize(senderKey, sender, DEPOSIT, nonceOf(sender)));
        assertRefused(openCall(sender, DEPOSIT, signature), bytes4(keccak256("ECDSAInvalidSignatureS(bytes32)")));
    }

    function test_RevertsForATokenWithoutAuthorizations() public {
        usdc = Tokens.BothToken(address(token));
        assertRefused(
            openCall(), abi.encodeWithSelector(bytes4(keccak256("SafeERC20FailedOperation(address)")), address(token))
        );
    }

    /// @dev Not even for one who has approved the escrow: an approval is for what its owner sends.
    function test_ATokenThatSaysYesToEverythingIsNotBelieved() public {
        EtherLikeToken weth = new EtherLikeToken();
        weth.mint(sender, DEPOSIT);
        vm.prank(sender);
        weth.approve(address(escrow), DEPOSIT);
        usdc = Tokens.BothToken(address(weth));
        assertRefused(openCall(), InexactTransfer.selector);
    }

    function test_AFeeOnTransferIsRefused() public {
        use(new Tokens.FeeAuthorizationToken());
        assertRefused(openCall(), InexactTransfer.selector);
    }

    function test_RevertsWhenTheTokenHasNoCode() public {
        usdc = Tokens.BothToken(makeAddr("nothing"));
        assertRefused(openCall(), InvalidToken.selector);
    }

    function test_RevertsWithoutASender() public {
        assertRefused(openCall(address(0), DEPOSIT, ""), InvalidSender.selector);
        assertRefused(openCall(address(escrow), DEPOSIT, ""), InvalidSender.selector);
    }

    function test_RevertsWithoutADeposit() public {
        assertRefused(openCall(senderKey, sender, 0), ZeroDeposit.selector);
    }

    function test_RevertsWithoutAReceiver() public {
        receiver = address(0);
        assertRefused(openCall(), InvalidReceiver.selector);
    }

    function test_RevertsOnAnotherChain() public {
        bytes memory call = openCall();
        vm.chainId(block.chainid + 1);
        assertRefused(call, BAD_SIGNATURE);
    }

    function test_RevertsAtAnotherEscrow() public {
        bytes memory call = openCall();
        address other = deployCode("ChannelEscrow.sol", abi.encode(GRACE));
        (bool done, bytes memory reason) = other.call(call);
        assertFalse(done);
        assertEq(bytes4(reason), BAD_SIGNATURE);
    }

    function testFuzz_OpensForAnyDeposit(uint128 deposit, bool old) public {
        deposit = uint128(bound(deposit, 1, type(uint128).max));
        use(old ? new Tokens.SplitToken() : new Tokens.BothToken());
        deal(address(usdc), sender, deposit);
        relay(openCall(senderKey, sender, deposit));
        assertEq(deposited(idOf(sender)), deposit);
        assertEq(usdc.balanceOf(address(escrow)), deposit);
    }

    function assertOpen() private view {
        IChannelEscrow.Channel memory expected =
            IChannelEscrow.Channel(false, 0, sender, receiver, address(usdc), stranger, DEPOSIT, 0);
        assertEq(abi.encode(escrow.getChannel(idOf(sender))), abi.encode(expected));
        assertEq(usdc.balanceOf(address(escrow)), DEPOSIT);
        assertEq(usdc.allowance(sender, address(escrow)), 0);
    }

    /// @dev Where the token keeps that a nonce was used. Found by trying, so that no layout is written down here.
    function usedSlot(bytes32 nonce) private returns (bytes32) {
        vm.record();
        usdc.authorizationState(sender, nonce);
        (bytes32[] memory reads,) = vm.accesses(address(usdc));
        return reads[reads.length - 1];
    }
}
