// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channels} from "./Channels.sol";
import {Record} from "./Records.sol";
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

    /// @dev Some tokens tell the recipient of a `transferFrom` too. While we pull, that is no news.
    function _received(address from, uint256 value, bytes calldata data) private {
        if (data.length == 0 && _isPulling(msg.sender)) return;
        _fund(from, value, data);
    }

    function _fund(address from, uint256 value, bytes calldata data) private guarded {
        if (data.length == 96) {
            (uint256 receiver, bytes32 salt, uint256 signer) = abi.decode(data, (uint256, bytes32, uint256));
            if (receiver > type(uint160).max || signer > type(uint160).max) revert InvalidTransferData();
            if (from == address(0)) revert InvalidSender();
            _create(from, address(uint160(receiver)), msg.sender, value, salt, address(uint160(signer)));
        } else if (data.length == 32) {
            Record memory record = _records[bytes32(data)];
            _requireSender(record, from);
            if (_credit(bytes32(data), record, from, value) != msg.sender) revert InvalidToken();
        } else {
            revert InvalidTransferData();
        }
        if (_balance(msg.sender) < value) revert InexactTransfer();
    }
}
