// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev An escrow, a token of six decimals, a sender with money and a receiver.
abstract contract EscrowTest is Test {
    uint64 internal constant GRACE = 15 minutes;
    bytes32 internal constant SALT = keccak256("salt");

    IChannelEscrow internal escrow;
    PlainToken internal token;
    address internal sender;
    uint256 internal senderKey;
    address internal receiver = makeAddr("receiver");
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        (sender, senderKey) = makeAddrAndKey("sender");
        escrow = IChannelEscrow(deployCode("ChannelEscrow.sol", abi.encode(GRACE)));
        token = new PlainToken(6);
        token.mint(sender, 1_000_000 * 10 ** 6);
        vm.prank(sender);
        token.approve(address(escrow), type(uint256).max);
    }

    function open(uint128 deposit) internal returns (bytes32) {
        return open(deposit, SALT);
    }

    function open(uint128 deposit, bytes32 salt) internal returns (bytes32) {
        vm.prank(sender);
        return escrow.open(receiver, address(token), deposit, salt, address(0));
    }

    function deployDemo() internal returns (IDemoToken) {
        return IDemoToken(deployCode("DemoToken.sol", abi.encode("Demo", "DEMO", uint8(6), uint256(0))));
    }

    function sign(bytes32 channelId, uint128 cumulativeAmount) internal view returns (bytes memory) {
        return sign(senderKey, channelId, cumulativeAmount);
    }

    function sign(uint256 key, bytes32 channelId, uint128 cumulativeAmount) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, escrow.getVoucherDigest(channelId, cumulativeAmount));
        return abi.encodePacked(r, s, v);
    }
}
