// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {AuthorizationTest} from "./AuthorizationTest.sol";
import "./tokens/AuthorizationTokens.sol" as Tokens;
import {EtherLikeToken} from "./tokens/EtherLikeToken.sol";

contract TopUpWithAuthorizationTest is AuthorizationTest {
    bytes4 private constant BAD_SIGNATURE = bytes4(keccak256("ERC3009InvalidSignature()"));
    bytes32 private id;
    uint256 private strangerKey;

    function setUp() public override {
        super.setUp();
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        usdc.mint(stranger, FORTUNE);
        relay(openCall());
        id = idOf(sender);
    }

    function test_AddsTheSendersMoney() public {
        relay(topUpCall(senderKey, sender, 5));

        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(usdc.balanceOf(address(escrow)), DEPOSIT + 5);
        assertEq(usdc.balanceOf(sender), FORTUNE - DEPOSIT - 5);
    }

    function test_AddsAnyonesMoneyAndTheRestGoesToTheSender() public {
        uint256 before = usdc.balanceOf(stranger);
        relay(topUpCall(strangerKey, stranger, 5));
        assertEq(deposited(id), DEPOSIT + 5);
        assertEq(usdc.balanceOf(stranger), before - 5);

        withdraw(id);
        assertEq(usdc.balanceOf(sender), FORTUNE + 5);
        assertEq(usdc.balanceOf(stranger), before - 5);
    }

    function test_TellsTheSenderOfTheChannelWhoeverPays() public {
        vm.expectEmit(address(escrow));
        emit TopUp(id, sender, receiver, 5, DEPOSIT + 5);
        relay(topUpCall(strangerKey, stranger, 5));
    }

    function test_TheSendersMoneyTakesARequestToCloseBack() public {
        requestClose(id);
        vm.expectEmit(address(escrow));
        emit CloseRequestCancelled(id, sender, receiver);
        relay(topUpCall(senderKey, sender, 5));

        assertEq(escrow.getChannel(id).closeRequestedAt, 0);
    }

    /// @dev The draft lets it: a receiver could then hold the sender's money for ever, for a base unit a period.
    function test_NobodyElsesMoneyHoldsUpAClose() public {
        requestClose(id);
        uint64 requestedAt = escrow.getChannel(id).closeRequestedAt;
        for (uint256 i; i < 3; ++i) {
            skip(GRACE / 3 - 1);
            vm.recordLogs();
            relay(topUpCall(strangerKey, stranger, uint128(i + 1)));
            assertEq(escrow.getChannel(id).closeRequestedAt, requestedAt);
        }
        skip(3);
        vm.prank(sender);
        escrow.withdraw(id);
        assertEq(usdc.balanceOf(sender), FORTUNE + 1 + 2 + 3);
    }

    function test_ATokenWithTheOldFormWillDo() public {
        use(new Tokens.SplitToken());
        relay(openCall());
        id = idOf(sender);
        relay(topUpCall(senderKey, sender, 5));
        assertEq(deposited(id), DEPOSIT + 5);
    }

    function test_ASecondOneNeedsAnotherSalt() public {
        bytes memory call = topUpCall(senderKey, sender, 5);
        relay(call);
        assertRefused(call, bytes4(keccak256("ERC3009UsedAuthorization(address,bytes32)")));
        relay(topUpCall(senderKey, sender, 5, "another"));
        assertEq(deposited(id), DEPOSIT + 10);
    }

    function test_RevertsForAnotherTopUpThanTheSigned() public {
        bytes32 nonce = nonceOf(id, 5, sender, TOP_UP_SALT);
        bytes memory signature = authorize(senderKey, sender, 5, nonce);
        bytes32 other = open(address(token), DEPOSIT, SALT, address(0));
        assertRefused(topUpCall(other, 5, sender, TOP_UP_SALT, nonce, signature), NonceMismatch.selector);
        assertRefused(topUpCall(id, 6, sender, TOP_UP_SALT, nonce, signature), NonceMismatch.selector);
        assertRefused(topUpCall(id, 5, stranger, TOP_UP_SALT, nonce, signature), NonceMismatch.selector);
        assertRefused(topUpCall(id, 5, sender, "other", nonce, signature), NonceMismatch.selector);
        relay(topUpCall(id, 5, sender, TOP_UP_SALT, nonce, signature));
    }

    function test_ASignatureForATopUpOpensNothingAndTheOtherWayRound() public {
        bytes32 nonce = nonceOf(id, DEPOSIT, sender, TOP_UP_SALT);
        bytes memory signature = authorize(senderKey, sender, DEPOSIT, nonce);
        assertRefused(openCall(sender, DEPOSIT, nonce, signature), NonceMismatch.selector);
        signature = authorize(senderKey, sender, DEPOSIT, nonceOf(sender));
        assertRefused(topUpCall(id, DEPOSIT, sender, TOP_UP_SALT, nonceOf(sender), signature), NonceMismatch.selector);
    }

    function test_RevertsWithTheTokensWord() public {
        assertRefused(topUpCall(strangerKey, sender, 5), BAD_SIGNATURE);
    }

    function test_RevertsWithoutAnAddition() public {
        assertRefused(topUpCall(senderKey, sender, 0), ZeroDeposit.selector);
    }

    function test_RevertsWhenTheChannelWouldHoldMoreThanItCan() public {
        assertRefused(topUpCall(senderKey, sender, type(uint128).max - DEPOSIT + 1), DepositOverflow.selector);
    }

    function test_RevertsForAnUnknownChannel() public {
        id = "unknown";
        assertRefused(topUpCall(senderKey, sender, 5), ChannelNotFound.selector);
    }

    function test_RevertsAfterTheEnd() public {
        withdraw(id);
        assertRefused(topUpCall(senderKey, sender, 5), ChannelFinalized.selector);
    }

    function test_ATokenThatSaysYesToEverythingIsNotBelieved() public {
        EtherLikeToken weth = new EtherLikeToken();
        weth.mint(sender, 2 * DEPOSIT);
        vm.startPrank(sender);
        weth.approve(address(escrow), 2 * DEPOSIT);
        id = escrow.open(receiver, address(weth), DEPOSIT, SALT, address(0));
        vm.stopPrank();
        assertRefused(topUpCall(senderKey, sender, 5), InexactTransfer.selector);
    }

    function topUpCall(uint256 key, address from, uint128 amount) private view returns (bytes memory) {
        return topUpCall(key, from, amount, TOP_UP_SALT);
    }

    function topUpCall(uint256 key, address from, uint128 amount, bytes32 salt) private view returns (bytes memory) {
        bytes32 nonce = nonceOf(id, amount, from, salt);
        return topUpCall(id, amount, from, salt, nonce, authorize(key, from, amount, nonce));
    }

    function topUpCall(bytes32 to, uint128 amount, address from, bytes32 salt, bytes32 nonce, bytes memory signature)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(
            IRelayed.topUpWithAuthorization, (to, amount, from, salt, validAfter, validBefore, nonce, signature)
        );
    }

    function nonceOf(bytes32 to, uint128 amount, address from, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(to, amount, from, salt));
    }
}
