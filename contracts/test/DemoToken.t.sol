// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {IERC3009WithBytes} from "../src/interfaces/IERC3009.sol";
import {ChoosyERC223Recipient, ERC223Recipient, OldERC223Recipient} from "./tokens/ERC223Recipient.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What the demo token adds to the tokens of OpenZeppelin that it is made of.
contract DemoTokenTest is Test {
    uint256 private constant NEVER = 2_000_000_000;
    IDemoToken private demo;
    address private alice = makeAddr("alice");
    ERC223Recipient private shop = new ERC223Recipient();

    function setUp() public {
        demo = IDemoToken(deployCode("DemoToken.sol", abi.encode("Demo Dollar", "DUSD", uint8(3), uint256(5_000))));
    }

    function test_IsWhatItWasMade() public view {
        assertEq(demo.name(), "Demo Dollar");
        assertEq(demo.symbol(), "DUSD");
        assertEq(demo.decimals(), 3);
        assertEq(demo.totalSupply(), 5_000);
        assertEq(demo.balanceOf(address(this)), 5_000);
    }

    function test_GivesToAnyone() public {
        vm.prank(alice);
        demo.mint(alice, 100);
        assertEq(demo.balanceOf(alice), 100);
    }

    function test_TellsAContractOfATransferWithData() public {
        assertTrue(demo.transfer(address(shop), 100, "for two teas"));
        assertEq(demo.balanceOf(address(shop)), 100);
        assertEq(shop.from(), address(this));
        assertEq(shop.value(), 100);
        assertEq(shop.data(), "for two teas");
    }

    function test_TellsAnOldContractInTheOldWay() public {
        OldERC223Recipient old = new OldERC223Recipient();
        assertTrue(demo.transfer(address(old), 100, "for two teas"));
        assertEq(demo.balanceOf(address(old)), 100);
        assertEq(old.from(), address(this));
        assertEq(old.value(), 100);
        assertEq(old.data(), "for two teas");
    }

    function test_TakesTheReasonOfAContractThatRefuses() public {
        ChoosyERC223Recipient choosy = new ChoosyERC223Recipient();
        vm.expectRevert(ChoosyERC223Recipient.NoTea.selector);
        demo.transfer(address(choosy), 100, "for two teas");
        assertEq(demo.balanceOf(address(choosy)), 0);
    }

    function test_TransfersWithDataToAnAccountToo() public {
        assertTrue(demo.transfer(alice, 100, "hello"));
        assertEq(demo.balanceOf(alice), 100);
    }

    function test_RevertsWhenTheContractIsNoRecipient() public {
        vm.expectRevert();
        demo.transfer(address(this), 100, "hello");
    }

    function test_SaysThatItSpeaksERC1363() public view {
        assertTrue(demo.supportsInterface(0xb0202a11));
    }

    /// @dev ERC-3009, in both of its forms.
    function test_TakesASignatureInPlaceOfATransfer() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        demo.mint(signer, 100);
        (uint8 v, bytes32 r, bytes32 s) = authorize(key, signer, 60, "first");
        demo.receiveWithAuthorization(signer, address(this), 60, 0, NEVER, "first", v, r, s);
        (v, r, s) = authorize(key, signer, 40, "second");
        demo.receiveWithAuthorization(signer, address(this), 40, 0, NEVER, "second", abi.encodePacked(r, s, v));
        assertEq(demo.balanceOf(address(this)), 5_100);
        assertEq(demo.balanceOf(signer), 0);
    }

    function test_TakesNoSignatureOfAnotherOrTwiceOrForAnother() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        demo.mint(signer, 100);
        (uint8 v, bytes32 r, bytes32 s) = authorize(key, signer, 60, "nonce");
        bytes memory signature = abi.encodePacked(r, s, v);
        bytes32 nonce = "nonce";
        IERC3009WithBytes token = demo;
        vm.expectRevert(ERC3009.ERC3009InvalidSignature.selector);
        token.receiveWithAuthorization(signer, address(this), 61, 0, NEVER, nonce, signature);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSignature("ERC20InvalidReceiver(address)", this));
        token.receiveWithAuthorization(signer, address(this), 60, 0, NEVER, nonce, signature);
        token.receiveWithAuthorization(signer, address(this), 60, 0, NEVER, nonce, signature);
        vm.expectRevert(abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, signer, nonce));
        token.receiveWithAuthorization(signer, address(this), 60, 0, NEVER, nonce, signature);
    }

    /// @dev A transfer to this test.
    function authorize(uint256 key, address signer, uint256 value, bytes32 nonce)
        private
        view
        returns (uint8, bytes32, bytes32)
    {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 structHash = keccak256(abi.encode(typehash, signer, address(this), value, 0, NEVER, nonce));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", demo.DOMAIN_SEPARATOR(), structHash)));
    }
}
