// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "./interfaces/IRaidenChannels.sol";

/// @title Who may fund the channels of others
abstract contract RaidenDelegates is IRaidenChannels {
    /// @inheritdoc IRaidenChannels
    address public immutable owner_address = msg.sender;

    /// @inheritdoc IRaidenChannels
    mapping(address => bool) public trusted_contracts;

    /// @inheritdoc IRaidenChannels
    function addTrustedContracts(address[] calldata _trusted_contracts) external {
        _requireOwner();
        for (uint256 i; i < _trusted_contracts.length; ++i) {
            _trust(_trusted_contracts[i]);
        }
    }

    /// @inheritdoc IRaidenChannels
    function removeTrustedContracts(address[] calldata _trusted_contracts) external {
        _requireOwner();
        for (uint256 i; i < _trusted_contracts.length; ++i) {
            address trusted = _trusted_contracts[i];
            if (!trusted_contracts[trusted]) continue;
            trusted_contracts[trusted] = false;
            emit TrustedContract(trusted, false);
        }
    }

    /// @dev An account without code is left out.
    function _trust(address account) internal {
        if (account.code.length == 0) return;
        trusted_contracts[account] = true;
        emit TrustedContract(account, true);
    }

    function _requireTrusted(address account) internal view {
        if (!trusted_contracts[account]) revert NotTrusted();
    }

    function _requireOwner() private view {
        if (msg.sender != owner_address) revert NotOwner();
    }
}
