// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {ERC677Token} from "./tokens/ERC677Token.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What each transaction costs in all, with its calldata and its 21,000. Run with `FOUNDRY_PROFILE=gas`.
///      Nobody's balance is zero before, as it is for nobody but the first customer, and the sender signs for itself.
contract GasTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    uint128 private constant FIRST = 10 ** 6;
    uint128 private constant SECOND = 2 * 10 ** 6;
    IDemoToken private demo;
    ERC677Token private link;

    function setUp() public override {
        super.setUp();
        demo = deployDemo();
        link = new ERC677Token();
        address[3] memory everybody = [address(escrow), sender, receiver];
        for (uint256 i; i < 3; ++i) {
            token.mint(everybody[i], FORTUNE);
            demo.mint(everybody[i], FORTUNE);
            link.mint(everybody[i], FORTUNE);
        }
        vm.prank(sender);
        token.approve(address(escrow), 0);
    }

    function test_ApproveAndOpen() public {
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        uint256 approval = vm.snapshotGasLastCall("approve");
        escrow.open(receiver, address(token), DEPOSIT, SALT, address(0));
        assertLe(approval + vm.snapshotGasLastCall("open"), 158_000);
    }

    function test_OpenWithASeparateSigner() public {
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        escrow.open(receiver, address(token), DEPOSIT, SALT, stranger);
        vm.snapshotGasLastCall("open, with a separate signer");
    }

    function test_OpenWithPermit() public {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typehash, sender, address(escrow), DEPOSIT, 0, block.timestamp + 1 hours));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(senderKey, keccak256(abi.encodePacked(hex"1901", demo.DOMAIN_SEPARATOR(), structHash)));
        vm.prank(sender);
        escrow.openWithPermit(receiver, address(demo), DEPOSIT, SALT, address(0), block.timestamp + 1 hours, v, r, s);
        vm.snapshotGasLastCall("openWithPermit");
    }

    function test_OpenByTransfer() public {
        vm.startPrank(sender);
        demo.transferAndCall(address(escrow), DEPOSIT, abi.encode(receiver, SALT, address(0)));
        assertLe(vm.snapshotGasLastCall("open by ERC-1363 transferAndCall"), 112_000);
        demo.transfer(address(escrow), DEPOSIT, abi.encode(receiver, keccak256("other"), address(0)));
        assertLe(vm.snapshotGasLastCall("open by ERC-223 transfer"), 112_000);
        link.transferAndCall(address(escrow), DEPOSIT, abi.encode(receiver, SALT, address(0)));
        assertLe(vm.snapshotGasLastCall("open by ERC-677 transferAndCall"), 112_000);
    }

    function test_TopUp() public {
        bytes32 id = opened(SALT);
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        escrow.topUp(id, DEPOSIT);
        vm.snapshotGasLastCall("topUp");
    }

    function test_TopUpByTransfer() public {
        vm.startPrank(sender);
        demo.transferAndCall(address(escrow), DEPOSIT, abi.encode(receiver, SALT, address(0)));
        bytes32 id = escrow.computeChannelId(sender, receiver, address(demo), SALT, address(0));
        demo.transferAndCall(address(escrow), DEPOSIT, abi.encode(id));
        vm.snapshotGasLastCall("topUp by ERC-1363 transferAndCall");
        demo.transfer(address(escrow), DEPOSIT, abi.encode(id));
        vm.snapshotGasLastCall("topUp by ERC-223 transfer");
    }

    function test_Settle() public {
        bytes32 id = opened(SALT);
        settle(id, FIRST);
        assertLe(vm.snapshotGasLastCall("settle"), 57_000);
        settle(id, SECOND);
        assertLe(vm.snapshotGasLastCall("settle again"), 57_000);
    }

    function test_SettleMany() public {
        assertLe(settleMany(50, "settleMany of 50"), 50 * 19_000);
        settleMany(10, "settleMany of 10");
        settleMany(1, "settleMany of 1");
    }

    function test_Close() public {
        close(opened(SALT), FIRST);
        assertLe(vm.snapshotGasLastCall("close"), 66_000);
    }

    function test_CloseAtLess() public {
        bytes32 id = opened(SALT);
        bytes memory signature = sign(id, SECOND);
        vm.prank(receiver);
        escrow.close(id, FIRST, SECOND, signature);
        assertLe(vm.snapshotGasLastCall("close at less"), 66_000);
    }

    function test_RequestCloseAndWithdraw() public {
        bytes32 id = opened(SALT);
        requestClose(id);
        vm.snapshotGasLastCall("requestClose");
        skip(GRACE);
        vm.prank(sender);
        escrow.withdraw(id);
        vm.snapshotGasLastCall("withdraw");
    }

    function test_RequestCloseOwing() public {
        bytes32 id = opened(SALT);
        vm.prank(sender);
        escrow.requestClose(id, FIRST);
        vm.snapshotGasLastCall("requestClose, paying what is owed");
    }

    function opened(bytes32 salt) private returns (bytes32) {
        vm.prank(sender);
        token.approve(address(escrow), DEPOSIT);
        return open(DEPOSIT, salt);
    }

    function settleMany(uint256 count, string memory name) private returns (uint256) {
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](count);
        for (uint256 i; i < count; ++i) {
            bytes32 id = opened(keccak256(abi.encode(count, i)));
            rows[i] = IChannelEscrow.Settlement(id, FIRST, sign(id, FIRST));
        }
        vm.prank(receiver);
        escrow.settleMany(address(token), rows);
        return vm.snapshotGasLastCall(name);
    }
}
