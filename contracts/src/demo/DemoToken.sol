// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC1363} from "@openzeppelin/contracts/token/ERC20/extensions/ERC1363.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IERC3009WithBytes} from "../interfaces/IERC3009.sol";
import {IFundedByTransfer} from "../interfaces/IFundedByTransfer.sol";

/// @title A token to play with on a local chain
/// @notice Anyone can mint. Never deploy it where its units could be taken for money.
/// @dev Speaks every way in which the escrow takes deposits from one transfer or one signature, except ERC-677, whose
///      `transferAndCall` has the selector of ERC-1363's.
contract DemoToken is ERC20Permit, ERC1363, ERC3009, IERC3009WithBytes {
    uint8 private immutable _DECIMALS;

    /// @param initialSupply Base units minted to whoever deploys.
    constructor(string memory name, string memory symbol, uint8 decimals_, uint256 initialSupply)
        ERC20(name, symbol)
        ERC20Permit(name)
    {
        _DECIMALS = decimals_;
        _mint(msg.sender, initialSupply);
    }

    /// @notice Faucet: gives `amount` base units to `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Transfer of ERC-223: a contract that receives it is told, with `data`, by `tokenReceived`; or, if it does
    ///         not have that function, by the older `tokenFallback`.
    function transfer(address to, uint256 value, bytes calldata data) external returns (bool) {
        transfer(to, value);
        if (to.code.length == 0) return true;
        bytes memory news = abi.encodeCall(IFundedByTransfer.tokenReceived, (msg.sender, value, data));
        if (LowLevelCall.callNoReturn(to, news)) return true;
        // Who has the function and refuses says why. Who does not have it says nothing.
        if (LowLevelCall.returnDataSize() != 0) LowLevelCall.bubbleRevert();
        IFundedByTransfer(to).tokenFallback(msg.sender, value, data);
        return true;
    }

    /// @inheritdoc IERC3009WithBytes
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 structHash = keccak256(
            abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        bool signed = SignatureChecker.isValidSignatureNowCalldata(from, _hashTypedDataV4(structHash), signature);
        require(signed, ERC3009InvalidSignature());
        require(to == msg.sender, ERC20InvalidReceiver(to));
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice Decimals given at deployment.
    function decimals() public view override returns (uint8) {
        return _DECIMALS;
    }
}
