// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Record, Records} from "./Records.sol";
import {Settlements} from "./Settlements.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title How a channel ends: by its receiver at once, by its sender after the challenge period
abstract contract Endings is Settlements {
    using Records for Record;

    /// @inheritdoc IChannelEscrow
    uint64 public immutable CLOSE_GRACE_PERIOD;

    /// @param closeGracePeriod Challenge period in seconds, for every channel.
    constructor(uint64 closeGracePeriod) {
        if (closeGracePeriod < 10 minutes || closeGracePeriod > 30 days) revert GracePeriodOutOfRange();
        CLOSE_GRACE_PERIOD = closeGracePeriod;
    }

    /// @inheritdoc IChannelEscrow
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external guarded {
        Record memory record = _records[channelId];
        _requireReceiver(record);
        _closeFor(channelId, record, cumulativeAmount, signature);
    }

    /// @inheritdoc IChannelEscrow
    function close(bytes32 channelId, uint128 amount, uint128 cumulativeAmount, bytes calldata signature)
        external
        guarded
    {
        Record memory record = _records[channelId];
        _requireReceiver(record);
        uint256 settled = record.settled();
        if (amount < settled || amount > cumulativeAmount) revert AmountOutOfRange();
        if (cumulativeAmount > settled) _require(_refusalOfVoucher(channelId, record, cumulativeAmount, signature));
        _close(channelId, record, amount);
    }

    /// @inheritdoc IChannelEscrow
    function requestClose(bytes32 channelId) external guarded {
        Record memory record = _records[channelId];
        _requireSender(record, msg.sender);
        _requestClose(channelId, record);
    }

    /// @inheritdoc IChannelEscrow
    function requestClose(bytes32 channelId, uint128 owed) external guarded {
        Record memory record = _records[channelId];
        _requireSender(record, msg.sender);
        uint256 settled = record.settled();
        if (owed < settled || owed > record.deposit()) revert AmountOutOfRange();

        uint256 paid = owed == settled ? 0 : _settle(channelId, record, owed);
        _requestClose(channelId, record);
        _pay(record.token(), record.receiver(), paid);
    }

    /// @inheritdoc IChannelEscrow
    function withdraw(bytes32 channelId) external guarded {
        Record memory record = _records[channelId];
        _requireSender(record, msg.sender);
        uint256 requestedAt = record.closeRequestedAt();
        if (requestedAt == 0 || block.timestamp < requestedAt + CLOSE_GRACE_PERIOD) revert CloseNotReady();

        emit ChannelExpired(channelId, msg.sender, record.receiver());
        _close(channelId, record, record.settled());
    }

    /// @dev Ends the channel for a voucher, whoever has shown the right to; or for no more than was settled.
    function _closeFor(bytes32 channelId, Record memory record, uint128 cumulativeAmount, bytes calldata signature)
        internal
    {
        uint256 amount = record.settled();
        if (cumulativeAmount > amount) {
            _require(_refusalOfVoucher(channelId, record, cumulativeAmount, signature));
            amount = cumulativeAmount;
        }
        _close(channelId, record, amount);
    }

    /// @dev Does nothing when a request stands already.
    function _requestClose(bytes32 channelId, Record memory record) private {
        if (record.closeRequestedAt() != 0) return;
        _records[channelId].receiverSide = record.closing();
        emit CloseRequested(channelId, msg.sender, record.receiver(), block.timestamp + CLOSE_GRACE_PERIOD);
    }

    /// @dev Ends the channel with `amount` for the receiver, cumulative, and the rest for the sender.
    function _close(bytes32 channelId, Record memory record, uint256 amount) private {
        (address sender, address receiver, address token) = (record.sender(), record.receiver(), record.token());
        uint256 deposit = record.deposit();
        uint256 paid;
        uint256 refund;
        unchecked {
            paid = amount - record.settled();
            refund = deposit - amount;
        }
        Records.end(_records[channelId], deposit, amount);
        emit ChannelClosed(channelId, sender, receiver, amount, refund);
        _pay(token, receiver, paid);
        _pay(token, sender, refund);
    }
}
