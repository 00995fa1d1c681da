// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev ERC-3009 as USDC had it before version 2.2: with v, r and s only.
contract SplitToken is PlainToken(6), ERC3009 {
    constructor() EIP712("USD Coin", "2") {}

    function decimals() public view override(ERC20, PlainToken) returns (uint8) {
        return PlainToken.decimals();
    }
}

/// @dev As USDC has it since: in both forms, and the one with bytes for the signatures of contracts too.
contract BothToken is SplitToken {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external virtual {
        bytes32 structHash = keccak256(
            abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        require(
            SignatureChecker.isValidSignatureNow(from, _hashTypedDataV4(structHash), signature),
            ERC3009InvalidSignature()
        );
        require(to == msg.sender, ERC20InvalidReceiver(to));
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }
}

/// @dev The form with bytes only: to the other it answers what a contract answers that does not have it.
contract BytesToken is BothToken {
    function receiveWithAuthorization(address, address, uint256, uint256, uint256, bytes32, uint8, bytes32, bytes32)
        public
        pure
        override
    {
        assembly {
            revert(0, 0)
        }
    }
}

/// @dev Takes a hundredth on the way.
contract FeeAuthorizationToken is BothToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}
