// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {IRaidenChannelsEvents} from "../../src/interfaces/IRaidenChannelsEvents.sol";
import {PlainToken} from "../tokens/PlainToken.sol";
import {RaidenSigning} from "./RaidenSigning.sol";

/// @dev An escrow of a token of 18 decimals, a sender who has money and has approved the escrow, and a receiver.
abstract contract RaidenTest is RaidenSigning, IRaidenChannelsEvents {
    uint32 internal constant PERIOD = 500;
    uint256 internal constant FORTUNE = 1_000_000 ether;
    uint192 internal constant DEPOSIT = 10 ether;
    uint192 internal constant MOST = type(uint96).max;

    PlainToken internal token;
    address internal sender;
    address internal receiver;
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        (sender, senderKey) = makeAddrAndKey("sender");
        (receiver, receiverKey) = makeAddrAndKey("receiver");
        vm.roll(1_000);
        useToken(new PlainToken(18));
    }

    /// @dev Deploys an escrow of this token. The sender is given a fortune and approves.
    function useToken(PlainToken token_) internal {
        token = token_;
        token.mint(sender, FORTUNE);
        escrow = deploy(address(token), PERIOD, new address[](0));
        vm.prank(sender);
        // Some tokens return nothing here, which the type does not allow.
        (bool done,) = address(token).call(abi.encodeCall(token.approve, (address(escrow), type(uint256).max)));
        assertTrue(done);
    }

    function deploy(address token_, uint32 period, address[] memory trusted) internal returns (IRaidenChannels) {
        return IRaidenChannels(deployCode("RaidenChannels.sol", abi.encode(token_, period, trusted)));
    }

    /// @dev Opens a channel and lets its block pass.
    function create(uint192 deposit) internal returns (uint32 openBlock) {
        openBlock = uint32(vm.getBlockNumber());
        vm.prank(sender);
        escrow.createChannel(receiver, deposit);
        pass(1);
    }

    function topUp(uint32 openBlock, uint192 added) internal {
        vm.prank(sender);
        escrow.topUp(receiver, openBlock, added);
    }

    function withdraw(uint32 openBlock, uint192 balance) internal {
        vm.prank(receiver);
        escrow.withdraw(openBlock, balance, voucher(receiver, openBlock, balance));
    }

    /// @dev Brought by a stranger.
    function close(uint32 openBlock, uint192 balance) internal {
        vm.prank(stranger);
        escrow.cooperativeClose(
            receiver, openBlock, balance, voucher(receiver, openBlock, balance), consent(sender, openBlock, balance)
        );
    }

    function requestClose(uint32 openBlock, uint192 balance) internal {
        vm.prank(sender);
        escrow.uncooperativeClose(receiver, openBlock, balance);
    }

    function settle(uint32 openBlock) internal {
        vm.prank(sender);
        escrow.settle(receiver, openBlock);
    }

    function pass(uint256 blocks) internal {
        vm.roll(vm.getBlockNumber() + blocks);
    }

    function idOf(uint32 openBlock) internal view returns (bytes32) {
        return keyOf(sender, receiver, openBlock);
    }

    /// @dev Through every getter that tells of a channel.
    function assertChannel(
        uint32 openBlock,
        uint192 deposit,
        uint192 withdrawn,
        uint192 closingBalance,
        uint256 settleBlock
    ) internal view {
        bytes32 id = idOf(openBlock);
        assertAnswer(abi.encodeCall(escrow.channels, (id)), abi.encode(deposit, openBlock));
        assertAnswer(abi.encodeCall(escrow.closing_requests, (id)), abi.encode(closingBalance, settleBlock));
        assertAnswer(abi.encodeCall(escrow.withdrawn_balances, (id)), abi.encode(withdrawn));
        assertAnswer(
            abi.encodeCall(escrow.getChannelInfo, (sender, receiver, openBlock)),
            abi.encode(id, deposit, settleBlock, closingBalance, withdrawn)
        );
    }

    function assertOpen(uint32 openBlock, uint192 deposit, uint192 withdrawn) internal view {
        assertChannel(openBlock, deposit, withdrawn, 0, 0);
    }

    function assertGone(uint32 openBlock) internal {
        assertGone(sender, receiver, openBlock);
    }

    function assertGone(address from, address to, uint32 openBlock) internal {
        bytes32 id = keyOf(from, to, openBlock);
        assertAnswer(abi.encodeCall(escrow.channels, (id)), new bytes(64));
        assertAnswer(abi.encodeCall(escrow.closing_requests, (id)), new bytes(64));
        assertAnswer(abi.encodeCall(escrow.withdrawn_balances, (id)), new bytes(32));
        vm.expectRevert(ChannelNotFound.selector);
        escrow.getChannelInfo(from, to, openBlock);
    }

    function trust(address account) internal {
        vm.etch(account, hex"00");
        address[] memory accounts = new address[](1);
        accounts[0] = account;
        escrow.addTrustedContracts(accounts);
    }

    function assertAnswer(bytes memory question, bytes memory expected) private view {
        (bool done, bytes memory answer) = address(escrow).staticcall(question);
        assertTrue(done);
        assertEq(answer, expected);
    }
}
