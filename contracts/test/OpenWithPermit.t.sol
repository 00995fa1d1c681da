// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EscrowTest} from "./EscrowTest.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";
import {EtherLikeToken} from "./tokens/EtherLikeToken.sol";

/// @dev A sender who has approved nothing, and the permits it signs.
abstract contract PermitTest is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;
    IDemoToken internal demo;
    uint256 internal deadline;
    uint256 internal nonce;
    bytes32 private demoDomain;

    function setUp() public virtual override {
        super.setUp();
        demo = deployDemo();
        demo.mint(sender, FORTUNE);
        demoDomain = demo.DOMAIN_SEPARATOR();
        deadline = block.timestamp + 1 hours;
    }

    function permit(uint256 key, uint256 value) internal view returns (uint8, bytes32, bytes32) {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash = keccak256(abi.encode(typehash, sender, address(escrow), value, nonce, deadline));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", demoDomain, structHash)));
    }
}

contract OpenWithPermitTest is PermitTest {
    function test_OpensWithoutAnApproval() public {
        bytes32 id = openWithPermit(senderKey);

        assertEq(id, escrow.computeChannelId(sender, receiver, address(demo), SALT, stranger));
        assertEq(deposited(id), DEPOSIT);
        assertEq(escrow.getChannel(id).signer, stranger);
        assertEq(demo.balanceOf(address(escrow)), DEPOSIT);
        assertEq(demo.allowance(sender, address(escrow)), 0);
    }

    function test_TellsTheTermsAndTheDeposit() public {
        bytes32 id = escrow.computeChannelId(sender, receiver, address(demo), SALT, stranger);
        vm.expectEmit(address(escrow));
        emit ChannelOpened(id, sender, receiver, address(demo), stranger, SALT, DEPOSIT);

        openWithPermit(senderKey);
    }

    function test_APermitThatWasSentByAnotherFirstDoesNoHarm() public {
        (uint8 v, bytes32 r, bytes32 s) = permit(senderKey, DEPOSIT);
        vm.prank(stranger);
        demo.permit(sender, address(escrow), DEPOSIT, deadline, v, r, s);

        vm.prank(sender);
        bytes32 id = escrow.openWithPermit(receiver, address(demo), DEPOSIT, SALT, stranger, deadline, v, r, s);
        assertEq(deposited(id), DEPOSIT);
    }

    function test_ABadPermitDoesNoHarmWhenThereIsAnApproval() public {
        vm.prank(sender);
        demo.approve(address(escrow), DEPOSIT);

        assertEq(deposited(openWithPermit(senderKey ^ 1)), DEPOSIT);
    }

    function test_ATokenWithoutPermitWorksWithAnApproval() public {
        vm.prank(sender);
        bytes32 id = escrow.openWithPermit(receiver, address(token), DEPOSIT, SALT, stranger, deadline, 27, 0, 0);
        assertEq(deposited(id), DEPOSIT);
    }

    function test_RevertsForABadPermitWithoutAnApproval() public {
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        openWithPermit(senderKey ^ 1);
    }

    /// @dev A fallback that takes any call for a deposit says yes to a permit that was never heard.
    function test_ATokenThatSwallowsThePermitIsNotBelieved() public {
        EtherLikeToken weth = new EtherLikeToken();
        weth.mint(sender, DEPOSIT);

        vm.prank(sender);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        escrow.openWithPermit(receiver, address(weth), DEPOSIT, SALT, stranger, deadline, 27, 0, 0);
    }

    function test_SpendsNothingOfAnyoneWhoApprovedTheEscrow() public {
        vm.startPrank(stranger);
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        escrow.openWithPermit(receiver, address(token), DEPOSIT, SALT, stranger, deadline, 27, 0, 0);
    }

    function test_RevertsWhenTheTokenHasNoCode() public {
        vm.prank(sender);
        vm.expectRevert(InvalidToken.selector);
        escrow.openWithPermit(receiver, stranger, DEPOSIT, SALT, stranger, deadline, 27, 0, 0);
    }

    function test_RevertsWithoutADeposit() public {
        vm.prank(sender);
        vm.expectRevert(ZeroDeposit.selector);
        escrow.openWithPermit(receiver, address(demo), 0, SALT, stranger, deadline, 27, 0, 0);
    }

    function test_RevertsWithoutAReceiver() public {
        vm.prank(sender);
        vm.expectRevert(InvalidReceiver.selector);
        escrow.openWithPermit(address(0), address(demo), DEPOSIT, SALT, stranger, deadline, 27, 0, 0);
    }

    function test_RevertsWhenTheChannelExists() public {
        openWithPermit(senderKey);

        vm.expectRevert(ChannelAlreadyExists.selector);
        openWithPermit(senderKey);
    }

    function openWithPermit(uint256 key) private returns (bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = permit(key, DEPOSIT);
        vm.prank(sender);
        return escrow.openWithPermit(receiver, address(demo), DEPOSIT, SALT, stranger, deadline, v, r, s);
    }
}
