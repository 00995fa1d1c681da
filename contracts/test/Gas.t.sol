// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {ERC677Token} from "./tokens/ERC677Token.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";

/// @dev What each transaction costs, calldata and the 21,000 included. Run with `FOUNDRY_PROFILE=gas`.
///      All balances are non-zero before, as they are for anyone but the first customer.
contract GasTest is EscrowTest {
    uint128 private constant DEPOSIT = 10_000_000;
    IDemoToken private demo;
    ERC677Token private link;

    function setUp() public override {
        super.setUp();
        demo = deployDemo();
        link = new ERC677Token();
        for (uint256 i; i < 3; ++i) {
            address to = [address(escrow), sender, receiver][i];
            token.mint(to, 10 ** 12);
            demo.mint(to, 10 ** 12);
            link.mint(to, 10 ** 12);
        }
        vm.prank(sender);
        token.approve(address(escrow), 0);
    }

    function test_Open() public {
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        vm.snapshotGasLastCall("approve");
        escrow.open(receiver, address(token), DEPOSIT, SALT, address(0));
        vm.snapshotGasLastCall("open");
    }

    function test_OpenWithSigner() public {
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        escrow.open(receiver, address(token), DEPOSIT, SALT, stranger);
        vm.snapshotGasLastCall("open, with a signer");
    }

    function test_OpenByTransfer() public {
        bytes memory terms = abi.encode(receiver, SALT, address(0));
        vm.startPrank(sender);
        demo.transferAndCall(address(escrow), DEPOSIT, terms);
        vm.snapshotGasLastCall("open by ERC-1363 transferAndCall");
        demo.transfer(address(escrow), DEPOSIT, abi.encode(receiver, keccak256("other"), address(0)));
        vm.snapshotGasLastCall("open by ERC-223 transfer");
        link.transferAndCall(address(escrow), DEPOSIT, terms);
        vm.snapshotGasLastCall("open by ERC-677 transferAndCall");
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
    }

    function test_Settle() public {
        bytes32 id = opened(SALT);
        bytes memory first = sign(id, 1_000_000);
        bytes memory second = sign(id, 2_000_000);
        vm.startPrank(receiver);
        escrow.settle(id, 1_000_000, first);
        vm.snapshotGasLastCall("settle");
        escrow.settle(id, 2_000_000, second);
        vm.snapshotGasLastCall("settle again");
    }

    function test_SettleMany() public {
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](50);
        for (uint256 i; i < 50; ++i) {
            bytes32 id = opened(keccak256(abi.encode(i)));
            rows[i] = IChannelEscrow.Settlement(id, 1_000_000, sign(id, 1_000_000));
        }
        vm.prank(receiver);
        escrow.settleMany(address(token), rows);
        vm.snapshotGasLastCall("settleMany, 50 channels");
    }

    function test_Close() public {
        bytes32 id = opened(SALT);
        bytes memory signature = sign(id, 1_000_000);
        vm.prank(receiver);
        escrow.close(id, 1_000_000, signature);
        vm.snapshotGasLastCall("close");
    }

    function test_CloseAtLess() public {
        bytes32 id = opened(SALT);
        bytes memory signature = sign(id, 2_000_000);
        vm.prank(receiver);
        escrow.close(id, 1_000_000, 2_000_000, signature);
        vm.snapshotGasLastCall("close at less");
    }

    function test_Withdraw() public {
        bytes32 id = opened(SALT);
        vm.startPrank(sender);
        escrow.requestClose(id);
        vm.snapshotGasLastCall("requestClose");
        skip(GRACE);
        escrow.withdraw(id);
        vm.snapshotGasLastCall("withdraw");
    }

    function opened(bytes32 salt) private returns (bytes32) {
        vm.prank(sender);
        token.approve(address(escrow), DEPOSIT);
        return open(DEPOSIT, salt);
    }
}
