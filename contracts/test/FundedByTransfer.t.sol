// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HookTest} from "./HookTest.sol";
import {ERC223Token, OldERC223Token} from "./tokens/ERC223Token.sol";
import {ERC677Token} from "./tokens/ERC677Token.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev ERC-223.
contract TokenReceivedTest is HookTest {
    function setUp() public override {
        super.setUp();
        coin = new ERC223Token();
        coin.mint(sender, FORTUNE);
    }

    function give(uint256 value, bytes memory data) internal override {
        ERC223Token(address(coin)).transfer(address(escrow), value, data);
    }

    function callHook(address from, uint256 value, bytes memory data) internal override {
        escrow.tokenReceived(from, value, data);
    }

    function test_ATransferWithoutDataIsNotLostInTheEscrow() public {
        vm.prank(sender);
        vm.expectRevert(InvalidTransferData.selector);
        // forge-lint: disable-next-line(erc20-unchecked-transfer)
        coin.transfer(address(escrow), 100);
    }
}

/// @dev ERC-223 before 2021.
contract TokenFallbackTest is HookTest {
    function setUp() public override {
        super.setUp();
        coin = new OldERC223Token();
        coin.mint(sender, FORTUNE);
    }

    function give(uint256 value, bytes memory data) internal override {
        OldERC223Token(address(coin)).transfer(address(escrow), value, data);
    }

    function callHook(address from, uint256 value, bytes memory data) internal override {
        escrow.tokenFallback(from, value, data);
    }
}

/// @dev ERC-677.
contract OnTokenTransferTest is HookTest {
    function setUp() public override {
        super.setUp();
        coin = new ERC677Token();
        coin.mint(sender, FORTUNE);
    }

    function give(uint256 value, bytes memory data) internal override {
        ERC677Token(address(coin)).transferAndCall(address(escrow), value, data);
    }

    function callHook(address from, uint256 value, bytes memory data) internal override {
        escrow.onTokenTransfer(from, value, data);
    }

    function test_SaysYes() public {
        coin.mint(address(escrow), 100);
        vm.prank(address(coin));
        assertTrue(escrow.onTokenTransfer(sender, 100, abi.encode(receiver, SALT, address(0))));
    }
}

/// @dev ERC-1363.
contract OnTransferReceivedTest is HookTest {
    function setUp() public override {
        super.setUp();
        coin = PlainToken(address(deployDemo()));
        coin.mint(sender, FORTUNE);
    }

    function give(uint256 value, bytes memory data) internal override {
        IDemoToken(address(coin)).transferAndCall(address(escrow), value, data);
    }

    function callHook(address from, uint256 value, bytes memory data) internal override {
        escrow.onTransferReceived(from, from, value, data);
    }

    function test_TheOwnerIsTheSenderAndNotWhoMovedTheTokens() public {
        vm.prank(sender);
        coin.approve(stranger, 100);
        vm.prank(stranger);
        IDemoToken(address(coin))
            .transferFromAndCall(sender, address(escrow), 100, abi.encode(receiver, SALT, address(0)));

        bytes32 id = escrow.computeChannelId(sender, receiver, address(coin), SALT, address(0));
        assertEq(escrow.getChannel(id).sender, sender);
    }
}
