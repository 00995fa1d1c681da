// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDemoToken} from "../tokens/IDemoToken.sol";
import {PlainToken} from "../tokens/PlainToken.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev What each transaction costs in all, with its calldata and its 21,000. Run with `FOUNDRY_PROFILE=gas`. Nobody's
///      balance is zero before, as it is for nobody but the first customer.
contract RaidenGasTest is RaidenTest {
    uint192 private constant BALANCE = 4 ether;
    address private delegate = makeAddr("delegate");

    function setUp() public override {
        super.setUp();
        useToken(PlainToken(deployCode("DemoToken.sol", abi.encode("Demo", "DEMO", uint8(18), uint256(1)))));
        address[3] memory others = [address(escrow), receiver, delegate];
        for (uint256 i; i < 3; ++i) {
            token.mint(others[i], FORTUNE);
        }
        trust(delegate);
        vm.prank(sender);
        token.approve(address(escrow), 0);
    }

    function test_ApproveAndCreate() public {
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        uint256 approval = vm.snapshotGasLastCall("approve");
        escrow.createChannel(receiver, DEPOSIT);
        assertLt(approval + vm.snapshotGasLastCall("createChannel"), 115_493);
    }

    function test_CreateByTransfer() public {
        give(sender, abi.encodePacked(sender, receiver));
        assertLt(vm.snapshotGasLastCall("createChannel by ERC-223 transfer"), 71_142);
    }

    function test_ApproveAndTopUp() public {
        give(sender, abi.encodePacked(sender, receiver));
        vm.startPrank(sender);
        token.approve(address(escrow), DEPOSIT);
        uint256 approval = vm.snapshotGasLastCall("approve");
        escrow.topUp(receiver, 1_000, DEPOSIT);
        assertLt(approval + vm.snapshotGasLastCall("topUp"), 98_553);
    }

    function test_TopUpByTransfer() public {
        give(sender, abi.encodePacked(sender, receiver));
        give(sender, abi.encodePacked(sender, receiver, uint32(1_000)));
        assertLt(vm.snapshotGasLastCall("topUp by ERC-223 transfer"), 54_723);
    }

    function test_Delegates() public {
        vm.startPrank(delegate);
        token.approve(address(escrow), 2 * DEPOSIT);
        escrow.createChannelDelegate(sender, receiver, DEPOSIT);
        vm.snapshotGasLastCall("createChannelDelegate");
        escrow.topUpDelegate(sender, receiver, 1_000, DEPOSIT);
        vm.snapshotGasLastCall("topUpDelegate");
        vm.stopPrank();
        pass(1);
        give(delegate, abi.encodePacked(sender, receiver));
        vm.snapshotGasLastCall("createChannel by ERC-223 transfer of a delegate");
    }

    function test_Withdraw() public {
        opened();
        withdraw(1_000, BALANCE);
        assertLt(vm.snapshotGasLastCall("withdraw, first"), 76_680);
        withdraw(1_000, 2 * BALANCE);
        assertLt(vm.snapshotGasLastCall("withdraw, next"), 59_609);
    }

    function test_CooperativeClose() public {
        opened();
        close(1_000, BALANCE);
        assertLt(vm.snapshotGasLastCall("cooperativeClose"), 71_126);
    }

    function test_UncooperativeCloseAndSettle() public {
        opened();
        requestClose(1_000, BALANCE);
        assertLt(vm.snapshotGasLastCall("uncooperativeClose"), 52_797);
        pass(PERIOD + 1);
        settle(1_000);
        assertLt(vm.snapshotGasLastCall("settle"), 58_059);
    }

    /// @dev The one case with a second word.
    function test_UncooperativeCloseAndSettleAfterAWithdrawal() public {
        opened();
        withdraw(1_000, 1 ether);
        requestClose(1_000, BALANCE);
        assertLt(vm.snapshotGasLastCall("uncooperativeClose, owing more than was withdrawn"), 52_797);
        pass(PERIOD + 1);
        settle(1_000);
        assertLt(vm.snapshotGasLastCall("settle, owing more than was withdrawn"), 58_059);
    }

    function opened() private {
        give(sender, abi.encodePacked(sender, receiver));
        pass(1);
    }

    function give(address from, bytes memory data) private {
        vm.prank(from);
        IDemoToken(address(token)).transfer(address(escrow), DEPOSIT, data);
    }
}
