// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

/// @dev What the escrow answers without a transaction.
contract ViewsTest is EscrowTest {
    function test_AnUnknownChannelIsAllZeros() public view {
        IChannelEscrow.Channel memory nothing;
        assertEq(abi.encode(escrow.getChannel("unknown")), abi.encode(nothing));
    }

    function testFuzz_AnIdNamesAllTermsTheEscrowAndTheChain(
        address from,
        address to,
        address inToken,
        bytes32 salt,
        address signer,
        uint64 chainId
    ) public {
        vm.chainId(bound(chainId, 1, type(uint64).max - 1));
        assertEq(
            escrow.computeChannelId(from, to, inToken, salt, signer),
            keccak256(abi.encode(from, to, inToken, salt, signer, address(escrow), block.chainid))
        );
    }

    function testFuzz_ADigestIsThatOfEIP712(bytes32 id, uint128 amount) public view {
        assertEq(escrow.getVoucherDigest(id, amount), digestOf(id, amount));
    }

    function test_TheDomainFollowsTheChain() public {
        bytes32 before = domain();
        assertEq(escrow.domainSeparator(), before);
        vm.chainId(block.chainid + 1);
        assertNotEq(domain(), before);
        assertEq(escrow.domainSeparator(), domain());
    }

    function test_AWalletGetsHalfAMillionGas() public view {
        assertEq(escrow.SIGNATURE_GAS_LIMIT(), 500_000);
    }
}
