// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Channels} from "./Channels.sol";
import {IFundedByTransfer} from "./interfaces/IFundedByTransfer.sol";

/// @title One transfer opens or tops up
abstract contract FundedByTransfer is Channels {
    /// @inheritdoc IFundedByTransfer
    function tokenReceived(address from, uint256 value, bytes calldata data) external returns (bytes4) {
        _received(from, value, data);
        return IFundedByTransfer.tokenReceived.selector;
    }

    /// @inheritdoc IFundedByTransfer
    function tokenFallback(address from, uint256 value, bytes calldata data) external {
        _received(from, value, data);
    }

    /// @inheritdoc IFundedByTransfer
    function onTransferReceived(address, address from, uint256 value, bytes calldata data) external returns (bytes4) {
        _received(from, value, data);
        return IFundedByTransfer.onTransferReceived.selector;
    }

    /// @inheritdoc IFundedByTransfer
    function onTokenTransfer(address from, uint256 value, bytes calldata data) external returns (bool) {
        _received(from, value, data);
        return true;
    }

    /// @dev A token that tells us of our own `transferFrom` says nothing new, as long as there is no data with it.
    function _received(address from, uint256 value, bytes calldata data) private {
        if (_isOurPull(msg.sender) && data.length == 0) return;
        _fund(from, value, data);
    }

    function _fund(address from, uint256 value, bytes calldata data) private guarded {
        if (data.length == 96) {
            (uint256 receiver, bytes32 salt, uint256 signer) = abi.decode(data, (uint256, bytes32, uint256));
            if (receiver > type(uint160).max || signer > type(uint160).max) revert InvalidTransferData();
            _create(from, address(uint160(receiver)), msg.sender, value, salt, address(uint160(signer)));
        } else if (data.length == 32) {
            if (_credit(bytes32(data), from, value) != msg.sender) revert InvalidToken();
        } else {
            revert InvalidTransferData();
        }
        if (IERC20(msg.sender).balanceOf(address(this)) < value) revert InexactTransfer();
    }
}
