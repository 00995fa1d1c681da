// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FundedBySignature} from "./FundedBySignature.sol";
import {FundedByTransfer} from "./FundedByTransfer.sol";
import {Vouchers} from "./Vouchers.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title The escrow: what a sender and a receiver can do with a channel
/// @dev Documented in `IChannelEscrow`.
contract ChannelEscrow is Vouchers, FundedByTransfer, FundedBySignature {
    /// @inheritdoc IChannelEscrow
    uint64 public immutable CLOSE_GRACE_PERIOD;

    /// @param closeGracePeriod Challenge period in seconds, for every channel.
    constructor(uint64 closeGracePeriod) {
        if (closeGracePeriod < 10 minutes || closeGracePeriod > 30 days) revert GracePeriodOutOfRange();
        CLOSE_GRACE_PERIOD = closeGracePeriod;
    }

    /// @inheritdoc IChannelEscrow
    function open(address receiver, address token, uint128 deposit, bytes32 salt, address signer)
        external
        guarded
        returns (bytes32 channelId)
    {
        channelId = _create(msg.sender, receiver, token, deposit, salt, signer);
        _pull(token, deposit);
    }

    /// @inheritdoc IChannelEscrow
    function topUp(bytes32 channelId, uint128 additionalDeposit) external guarded {
        address token = _credit(channelId, msg.sender, additionalDeposit);
        _pull(token, additionalDeposit);
    }

    /// @inheritdoc IChannelEscrow
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external guarded {
        Record storage record = _records[channelId];
        Channel memory channel = _read(record, channelId);
        _require(_refusalOfReceiver(channel));
        _require(_refusalOfVoucher(channelId, channel, cumulativeAmount, signature));

        uint128 paid = _settle(record, channelId, channel, cumulativeAmount);
        _pay(channel.token, channel.receiver, paid);
    }

    /// @inheritdoc IChannelEscrow
    function settleMany(address token, Settlement[] calldata settlements) external guarded returns (uint256 total) {
        for (uint256 i; i < settlements.length; ++i) {
            total += _settleRow(token, settlements[i]);
        }
        _pay(token, msg.sender, total);
    }

    /// @inheritdoc IChannelEscrow
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external guarded {
        Record storage record = _records[channelId];
        Channel memory channel = _read(record, channelId);
        _require(_refusalOfReceiver(channel));
        uint128 amount = channel.settled;
        if (cumulativeAmount > amount) {
            _require(_refusalOfVoucher(channelId, channel, cumulativeAmount, signature));
            amount = cumulativeAmount;
        }
        _close(record, channelId, channel, amount);
    }

    /// @inheritdoc IChannelEscrow
    function close(bytes32 channelId, uint128 amount, uint128 cumulativeAmount, bytes calldata signature)
        external
        guarded
    {
        Record storage record = _records[channelId];
        Channel memory channel = _read(record, channelId);
        _require(_refusalOfReceiver(channel));
        if (amount < channel.settled || amount > cumulativeAmount) revert AmountOutOfRange();
        if (cumulativeAmount > channel.settled) {
            _require(_refusalOfVoucher(channelId, channel, cumulativeAmount, signature));
        }
        _close(record, channelId, channel, amount);
    }

    /// @inheritdoc IChannelEscrow
    function requestClose(bytes32 channelId) external guarded {
        Record storage record = _records[channelId];
        Channel memory channel = _live(record, channelId);
        if (msg.sender != channel.sender) revert NotSender();
        _requestClose(record, channelId, channel);
    }

    /// @inheritdoc IChannelEscrow
    function requestClose(bytes32 channelId, uint128 owed) external guarded {
        Record storage record = _records[channelId];
        Channel memory channel = _live(record, channelId);
        if (msg.sender != channel.sender) revert NotSender();
        if (owed < channel.settled || owed > channel.deposit) revert AmountOutOfRange();

        uint128 paid = owed == channel.settled ? 0 : _settle(record, channelId, channel, owed);
        _requestClose(record, channelId, channel);
        _pay(channel.token, channel.receiver, paid);
    }

    /// @inheritdoc IChannelEscrow
    function withdraw(bytes32 channelId) external guarded {
        Record storage record = _records[channelId];
        Channel memory channel = _live(record, channelId);
        if (msg.sender != channel.sender) revert NotSender();
        uint256 requestedAt = channel.closeRequestedAt;
        if (requestedAt == 0 || block.timestamp < requestedAt + CLOSE_GRACE_PERIOD) revert CloseNotReady();

        _close(record, channelId, channel, channel.settled);
        emit ChannelExpired(channelId, channel.sender, channel.receiver);
    }

    function _settleRow(address token, Settlement calldata row) private returns (uint256) {
        Record storage record = _records[row.channelId];
        Channel memory channel = _read(record, row.channelId);
        bytes4 reason = _refusalOfReceiver(channel);
        if (reason == 0 && channel.token != token) reason = InvalidToken.selector;
        if (reason == 0) reason = _refusalOfVoucher(row.channelId, channel, row.cumulativeAmount, row.signature);
        if (reason == 0) return _settle(record, row.channelId, channel, row.cumulativeAmount);
        emit SettlementSkipped(row.channelId, reason);
        return 0;
    }

    /// @dev Zero, or the selector of the reason why the caller cannot act as the receiver of this channel.
    function _refusalOfReceiver(Channel memory channel) private view returns (bytes4) {
        if (channel.deposit == 0) return ChannelNotFound.selector;
        if (channel.finalized) return ChannelFinalized.selector;
        if (msg.sender != channel.receiver) return NotReceiver.selector;
        return 0;
    }

    /// @dev Zero, or the selector of the reason why this voucher is worth nothing now.
    function _refusalOfVoucher(
        bytes32 channelId,
        Channel memory channel,
        uint128 cumulativeAmount,
        bytes calldata signature
    ) private view returns (bytes4) {
        if (cumulativeAmount <= channel.settled) return AmountNotIncreasing.selector;
        if (cumulativeAmount > channel.deposit) return AmountExceedsDeposit.selector;
        address signer = channel.signer == address(0) ? channel.sender : channel.signer;
        if (!_isSigned(signer, getVoucherDigest(channelId, cumulativeAmount), signature)) {
            return InvalidSignature.selector;
        }
        return 0;
    }

    function _require(bytes4 refusal) private pure {
        if (refusal == 0) return;
        assembly ("memory-safe") {
            mstore(0, refusal)
            revert(0, 4)
        }
    }

    /// @dev Books a settlement; the caller of this pays it.
    function _settle(Record storage record, bytes32 channelId, Channel memory channel, uint128 cumulativeAmount)
        private
        returns (uint128 paid)
    {
        paid = cumulativeAmount - channel.settled;
        record.settled = cumulativeAmount;
        emit Settled(channelId, channel.sender, channel.receiver, cumulativeAmount, paid, cumulativeAmount);
    }

    function _requestClose(Record storage record, bytes32 channelId, Channel memory channel) private {
        if (channel.closeRequestedAt != 0) return;
        _startClosing(record);
        emit CloseRequested(channelId, channel.sender, channel.receiver, block.timestamp + CLOSE_GRACE_PERIOD);
    }

    function _close(Record storage record, bytes32 channelId, Channel memory channel, uint128 amount) private {
        uint128 refund = channel.deposit - amount;
        _finalize(record, amount);
        emit ChannelClosed(channelId, channel.sender, channel.receiver, amount, refund);
        _pay(channel.token, channel.receiver, amount - channel.settled);
        _pay(channel.token, channel.sender, refund);
    }
}
