// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Channels} from "./Channels.sol";
import {Record} from "./Records.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title A signature in place of an approval
abstract contract FundedBySignature is Channels {
    /// @inheritdoc IChannelEscrow
    function openWithPermit(
        address receiver,
        address token,
        uint128 deposit,
        bytes32 salt,
        address signer,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external guardedPull(token) returns (bytes32 channelId) {
        channelId = _create(msg.sender, receiver, token, deposit, salt, signer);
        _permit(token, deposit, deadline, v, r, s);
        _pull(token, deposit);
    }

    /// @inheritdoc IChannelEscrow
    function topUpWithPermit(
        bytes32 channelId,
        uint128 additionalDeposit,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external guarded {
        Record memory record = _records[channelId];
        _requireSender(record, msg.sender);
        address token = _credit(channelId, record, msg.sender, additionalDeposit);
        _expectPull(token);
        _permit(token, additionalDeposit, deadline, v, r, s);
        _pull(token, additionalDeposit);
    }

    /// @dev May fail, as `openWithPermit` says; the pull decides.
    function _permit(address token, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        if (token.code.length == 0) revert InvalidToken();
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }
}
