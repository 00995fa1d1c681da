// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {RaidenTest} from "./RaidenTest.sol";

/// @dev Names that the clients and servers of the original rely on.
contract RaidenInterfaceTest is RaidenTest {
    function test_TheFunctionsOfTheOriginal() public pure {
        assertEq(IRaidenChannels.createChannel.selector, bytes4(0xa6d15963));
        assertEq(IRaidenChannels.createChannelDelegate.selector, bytes4(0xfcff5ed6));
        assertEq(IRaidenChannels.tokenFallback.selector, bytes4(0xc0ee0b8a));
        assertEq(IRaidenChannels.topUp.selector, bytes4(0x016a8cf6));
        assertEq(IRaidenChannels.topUpDelegate.selector, bytes4(0x79694f08));
        assertEq(IRaidenChannels.withdraw.selector, bytes4(0xa6b7fa36));
        assertEq(IRaidenChannels.cooperativeClose.selector, bytes4(0x1c6f609b));
        assertEq(IRaidenChannels.uncooperativeClose.selector, bytes4(0x323cb59b));
        assertEq(IRaidenChannels.settle.selector, bytes4(0x5a8e9d66));
        assertEq(IRaidenChannels.getChannelInfo.selector, bytes4(0x0eba6b06));
        assertEq(IRaidenChannels.extractBalanceProofSignature.selector, bytes4(0x1ac25e99));
        assertEq(IRaidenChannels.extractClosingSignature.selector, bytes4(0x1d8ceb44));
        assertEq(IRaidenChannels.getKey.selector, bytes4(0x803c8383));
        assertEq(IRaidenChannels.addTrustedContracts.selector, bytes4(0x8c76b4b7));
        assertEq(IRaidenChannels.removeTrustedContracts.selector, bytes4(0x1f52cc35));
    }

    function test_TheGettersOfTheOriginal() public pure {
        assertEq(IRaidenChannels.channels.selector, bytes4(0x7a7ebd7b));
        assertEq(IRaidenChannels.closing_requests.selector, bytes4(0x77c13323));
        assertEq(IRaidenChannels.withdrawn_balances.selector, bytes4(0x22a3eab5));
        assertEq(IRaidenChannels.trusted_contracts.selector, bytes4(0x990030cc));
        assertEq(IRaidenChannels.owner_address.selector, bytes4(0x80edef8e));
        assertEq(IRaidenChannels.challenge_period.selector, bytes4(0x0a00840c));
        assertEq(IRaidenChannels.token.selector, bytes4(0xfc0c546a));
        assertEq(IRaidenChannels.version.selector, bytes4(0x54fd4d50));
        assertEq(IRaidenChannels.channel_deposit_bugbounty_limit.selector, bytes4(0x6108b5ff));
    }

    function test_TheEventsOfTheOriginal() public pure {
        assertEq(ChannelCreated.selector, keccak256("ChannelCreated(address,address,uint192)"));
        assertEq(ChannelToppedUp.selector, keccak256("ChannelToppedUp(address,address,uint32,uint192)"));
        assertEq(ChannelCloseRequested.selector, keccak256("ChannelCloseRequested(address,address,uint32,uint192)"));
        assertEq(ChannelSettled.selector, keccak256("ChannelSettled(address,address,uint32,uint192,uint192)"));
        assertEq(ChannelWithdraw.selector, keccak256("ChannelWithdraw(address,address,uint32,uint192)"));
        assertEq(TrustedContract.selector, keccak256("TrustedContract(address,bool)"));
        bytes32[6] memory topics = [
            ChannelCreated.selector,
            ChannelToppedUp.selector,
            ChannelCloseRequested.selector,
            ChannelSettled.selector,
            ChannelWithdraw.selector,
            TrustedContract.selector
        ];
        uint32[6] memory starts = [0x986876e6, 0x283bcbed, 0x960e55a8, 0x5f32714d, 0xe588a2bb, 0xe2ad9d06];
        for (uint256 i; i < 6; ++i) {
            assertEq(uint256(topics[i]) >> 224, starts[i]);
        }
    }

    /// @dev Of an event, the parties and the block are topics, and the rest is data.
    function test_WhatIsIndexed() public {
        vm.recordLogs();
        uint32 openBlock = create(DEPOSIT);
        assertLogged(3, 32);
        topUp(openBlock, 1);
        assertLogged(4, 32);
        withdraw(openBlock, 1);
        assertLogged(4, 32);
        requestClose(openBlock, 1);
        assertLogged(4, 32);
        close(openBlock, 2);
        assertLogged(4, 64);
        trust(stranger);
        assertLogged(2, 32);
    }

    function test_TakesNoEther() public {
        vm.deal(address(this), 1);
        (bool done,) = address(escrow).call{value: 1}("");
        assertFalse(done);
    }

    function test_SaysNothingToWhatItDoesNotKnow() public {
        (bool done, bytes memory reason) =
            address(escrow).call(abi.encodeWithSignature("onTokenTransfer(address,uint256,bytes)", sender, 1, ""));
        assertFalse(done);
        assertEq(reason.length, 0);
    }

    function testFuzz_AKeyIsTheHashOfItsParts(address from, address to, uint32 openBlock) public view {
        assertEq(escrow.getKey(from, to, openBlock), keccak256(abi.encodePacked(from, to, openBlock)));
    }

    function test_AnUnknownChannelIsAllZeros() public {
        assertGone(1_000);
    }

    /// @dev The escrow's first event since the last question.
    function assertLogged(uint256 topics, uint256 data) private {
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(log.emitter, address(escrow));
        assertEq(log.topics.length, topics);
        assertEq(log.data.length, data);
    }
}
