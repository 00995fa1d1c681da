// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IChannelEscrowEvents} from "../src/interfaces/IChannelEscrowEvents.sol";
import {Signing} from "./Signing.sol";
import {IDemoToken} from "./tokens/IDemoToken.sol";
import {PlainToken} from "./tokens/PlainToken.sol";

/// @dev An escrow, a token of six decimals, a sender who has money and has approved the escrow, and a receiver.
abstract contract EscrowTest is Signing, IChannelEscrowEvents {
    uint64 internal constant GRACE = 15 minutes;
    uint256 internal constant FORTUNE = 1_000_000 * 10 ** 6;
    bytes32 internal constant SALT = keccak256("salt");
    bytes internal constant NO_SIGNATURE = "";

    PlainToken internal token;
    address internal sender;
    address internal receiver = makeAddr("receiver");
    address internal stranger = makeAddr("stranger");

    function setUp() public virtual {
        (sender, senderKey) = makeAddrAndKey("sender");
        escrow = IChannelEscrow(deployCode("ChannelEscrow.sol", abi.encode(GRACE)));
        token = new PlainToken(6);
        token.mint(sender, FORTUNE);
        vm.prank(sender);
        token.approve(address(escrow), type(uint256).max);
    }

    function deployDemo() internal returns (IDemoToken) {
        return IDemoToken(deployCode("DemoToken.sol", abi.encode("Demo", "DEMO", uint8(6), uint256(0))));
    }

    function open(uint128 deposit) internal returns (bytes32) {
        return open(deposit, SALT);
    }

    function open(uint128 deposit, bytes32 salt) internal returns (bytes32) {
        return open(deposit, salt, address(0));
    }

    function open(uint128 deposit, bytes32 salt, address signer) internal returns (bytes32) {
        return open(address(token), deposit, salt, signer);
    }

    function open(address inToken, uint128 deposit, bytes32 salt, address signer) internal returns (bytes32) {
        vm.prank(sender);
        return escrow.open(receiver, inToken, deposit, salt, signer);
    }

    function settle(bytes32 channelId, uint128 cumulativeAmount) internal {
        vm.prank(receiver);
        escrow.settle(channelId, cumulativeAmount, sign(channelId, cumulativeAmount));
    }

    function close(bytes32 channelId, uint128 cumulativeAmount) internal {
        vm.prank(receiver);
        escrow.close(channelId, cumulativeAmount, sign(channelId, cumulativeAmount));
    }

    function requestClose(bytes32 channelId) internal {
        vm.prank(sender);
        escrow.requestClose(channelId);
    }

    function withdraw(bytes32 channelId) internal {
        requestClose(channelId);
        skip(GRACE);
        vm.prank(sender);
        escrow.withdraw(channelId);
    }

    function deposited(bytes32 channelId) internal view returns (uint128) {
        return escrow.getChannel(channelId).deposit;
    }

    function settled(bytes32 channelId) internal view returns (uint128) {
        return escrow.getChannel(channelId).settled;
    }

    /// @dev The other signature that means the same to the curve: s mirrored, v flipped.
    function malleate(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, uint256 s) = abi.decode(signature, (bytes32, uint256));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        return abi.encodePacked(r, order - s, v);
    }
}
