// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";
import "./tokens/AuthorizationTokens.sol" as Tokens;

/// @dev A sender who has approved nothing, and the transfers it signs for a token with ERC-3009.
abstract contract AuthorizationTest is EscrowTest {
    uint128 internal constant DEPOSIT = 10 * 10 ** 6;
    bytes32 internal constant TOP_UP_SALT = keccak256("top up");
    uint256 internal validAfter;
    uint256 internal validBefore;
    Tokens.BothToken internal usdc;

    function setUp() public virtual override {
        super.setUp();
        validBefore = block.timestamp + 1 hours;
        use(new Tokens.BothToken());
    }

    function use(Tokens.SplitToken other) internal {
        usdc = Tokens.BothToken(address(other));
        usdc.mint(sender, FORTUNE);
        usdc.mint(stranger, FORTUNE);
    }

    /// @dev What `openWithAuthorization` wants, signed by the sender.
    function openCall() internal view returns (bytes memory) {
        return openCall(senderKey, sender, DEPOSIT);
    }

    function openCall(uint256 key, address from, uint128 deposit) internal view returns (bytes memory) {
        return openCall(from, deposit, authorize(key, from, deposit, nonceOf(from)));
    }

    function openCall(address from, uint128 deposit, bytes memory signature) internal view returns (bytes memory) {
        return openCall(from, deposit, nonceOf(from), signature);
    }

    function openCall(address from, uint128 deposit, bytes32 nonce, bytes memory signature)
        internal
        view
        returns (bytes memory)
    {
        return abi.encodeCall(
            IRelayed.openWithAuthorization,
            (receiver, address(usdc), deposit, SALT, stranger, from, validAfter, validBefore, nonce, signature)
        );
    }

    /// @dev The channel that `openCall` opens.
    function idOf(address from) internal view returns (bytes32) {
        return escrow.computeChannelId(from, receiver, address(usdc), SALT, stranger);
    }

    function nonceOf(address from) internal view returns (bytes32) {
        return keccak256(abi.encode(from, receiver, address(usdc), SALT, stranger));
    }

    /// @dev A signed transfer to the escrow.
    function authorize(uint256 key, address from, uint256 value, bytes32 nonce) internal view returns (bytes memory) {
        bytes32 typehash = keccak256(
            "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        return authorize(typehash, key, from, value, nonce);
    }

    function authorize(bytes32 typehash, uint256 key, address from, uint256 value, bytes32 nonce)
        internal
        view
        returns (bytes memory)
    {
        bytes32 structHash =
            keccak256(abi.encode(typehash, from, address(escrow), value, validAfter, validBefore, nonce));
        bytes32 usdcDomain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("USD Coin"),
                keccak256("2"),
                block.chainid,
                address(usdc)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", usdcDomain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev Sent by nobody in particular.
    function relay(bytes memory call) internal {
        vm.prank(makeAddr("relayer"));
        (bool done, bytes memory answer) = address(escrow).call(call);
        if (!done) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function assertRefused(bytes memory call, bytes memory reason) internal {
        (bool done, bytes memory answer) = address(escrow).call(call);
        assertFalse(done);
        assertEq(answer, reason);
    }

    function assertRefused(bytes memory call, bytes4 reason) internal {
        (bool done, bytes memory answer) = address(escrow).call(call);
        assertFalse(done);
        assertEq(bytes4(answer), reason);
    }
}
