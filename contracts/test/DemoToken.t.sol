// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {ChoosyERC223Recipient, ERC223Recipient, OldERC223Recipient} from "./tokens/ERC223Recipient.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What the demo token adds to the tokens of OpenZeppelin that it is made of.
contract DemoTokenTest is Test {
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
}
