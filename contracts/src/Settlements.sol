// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Operators} from "./Operators.sol";
import {Record, Records} from "./Records.sol";
import {Vouchers} from "./Vouchers.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title What the receiver takes while a channel stays open
abstract contract Settlements is Operators, Vouchers {
    using Records for Record;

    /// @inheritdoc IChannelEscrow
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external guarded {
        Record memory record = _records[channelId];
        _requireReceiver(record);
        _redeem(channelId, record, cumulativeAmount, signature);
    }

    /// @inheritdoc IChannelEscrow
    function settleMany(address token, Settlement[] calldata settlements) external guarded returns (uint256 total) {
        return _redeemMany(msg.sender, token, settlements);
    }

    /// @inheritdoc IChannelEscrow
    function settleManyFor(address receiver, address token, Settlement[] calldata settlements)
        external
        guarded
        returns (uint256 total)
    {
        _requireCaller(receiver);
        return _redeemMany(receiver, token, settlements);
    }

    /// @dev Settles for a voucher, whoever has shown the right to, and pays the receiver.
    function _redeem(bytes32 channelId, Record memory record, uint128 cumulativeAmount, bytes calldata signature)
        internal
    {
        _require(_refusalOfVoucher(channelId, record, cumulativeAmount, signature));
        uint256 paid = _settle(channelId, record, cumulativeAmount);
        _pay(record.token(), record.receiver(), paid);
    }

    /// @dev Books a settlement; the caller of this pays it.
    function _settle(bytes32 channelId, Record memory record, uint128 cumulativeAmount)
        internal
        returns (uint256 paid)
    {
        unchecked {
            paid = cumulativeAmount - record.settled();
        }
        _records[channelId].amounts = Records.packAmounts(record.deposit(), cumulativeAmount);
        emit Settled(channelId, record.sender(), record.receiver(), cumulativeAmount, paid, cumulativeAmount);
    }

    /// @dev Zero, or the selector of the reason why this voucher is worth nothing now.
    function _refusalOfVoucher(
        bytes32 channelId,
        Record memory record,
        uint128 cumulativeAmount,
        bytes calldata signature
    ) internal view returns (bytes4) {
        if (cumulativeAmount <= record.settled()) return AmountNotIncreasing.selector;
        if (cumulativeAmount > record.deposit()) return AmountExceedsDeposit.selector;
        address signer = _signerOf(channelId, record);
        bytes32 digest = getVoucherDigest(channelId, cumulativeAmount);
        if (!_isSigned(signer, digest, signature)) return InvalidSignature.selector;
        return 0;
    }

    function _require(bytes4 refusal) internal pure {
        if (refusal == 0) return;
        assembly ("memory-safe") {
            mstore(0, refusal)
            revert(0, 4)
        }
    }

    function _redeemMany(address receiver, address token, Settlement[] calldata settlements)
        private
        returns (uint256 total)
    {
        bytes32 domain = domainSeparator();
        (uint256 tokenHigh, uint256 receiverSide) = Records.packToken(token, receiver);
        unchecked {
            for (uint256 i; i < settlements.length; ++i) {
                total += _settleRow(domain, tokenHigh, receiverSide, settlements, i);
            }
        }
        _pay(token, receiver, total);
    }

    /// @dev Nearly every row is of an open channel that its sender signs for. Its first two words then hold nothing but
    ///      the sender, the receiver and the token, so comparing them checks all but the voucher. A row that does not
    ///      pass is not refused by that: `_settleOrSkip` has the say.
    function _settleRow(
        bytes32 domain,
        uint256 tokenHigh,
        uint256 receiverSide,
        Settlement[] calldata settlements,
        uint256 index
    ) private returns (uint256 paid) {
        (bytes32 channelId, uint256 cumulativeAmount, bytes calldata signature) = _peek(settlements, index);
        Record storage record = _records[channelId];
        uint256 senderSide = record.senderSide;
        uint256 amounts = record.amounts;
        unchecked {
            paid = cumulativeAmount - (amounts >> 128);
            // The highest bit is set in a channel that was finalized, or settled for 2^127.
            if ((record.receiverSide ^ receiverSide) | ((senderSide >> 160) ^ tokenHigh) | (amounts >> 255) == 0) {
                // That is, 0 < paid <= deposit - settled.
                if (paid - 1 < uint128(amounts) - (amounts >> 128)) {
                    if (_recover(domain, channelId, cumulativeAmount, signature) == uint160(senderSide)) {
                        record.amounts = amounts + (paid << 128);
                        (address sender, address receiver) =
                            (address(uint160(senderSide)), address(uint160(receiverSide)));
                        emit Settled(channelId, sender, receiver, cumulativeAmount, paid, cumulativeAmount);
                        return paid;
                    }
                }
            }
        }
        return _settleOrSkip(tokenHigh, receiverSide, settlements[index]);
    }

    /// @dev A row, read without the compiler's checks of its place and of its amount, for the gas of it. Wherever a row
    ///      says that it lies, it lies in the calldata or is zeros; and what is read is used only if it is a voucher that
    ///      the sender signed, for an amount that the deposit covers. Any other row is read again, with the checks.
    function _peek(Settlement[] calldata settlements, uint256 index)
        private
        pure
        returns (bytes32 channelId, uint256 cumulativeAmount, bytes calldata signature)
    {
        assembly ("memory-safe") {
            let row := add(settlements.offset, calldataload(add(settlements.offset, shl(5, index))))
            channelId := calldataload(row)
            cumulativeAmount := calldataload(add(row, 0x20))
            let bytes_ := add(row, calldataload(add(row, 0x40)))
            signature.length := calldataload(bytes_)
            signature.offset := add(bytes_, 0x20)
        }
    }

    function _settleOrSkip(uint256 tokenHigh, uint256 receiverSide, Settlement calldata row) private returns (uint256) {
        bytes32 channelId = row.channelId;
        uint128 cumulativeAmount = row.cumulativeAmount;
        bytes calldata signature = row.signature;
        Record memory record = _records[channelId];
        bytes4 reason = _refusalOfRow(record, tokenHigh, receiverSide);
        if (reason == 0) reason = _refusalOfVoucher(channelId, record, cumulativeAmount, signature);
        if (reason == 0) return _settle(channelId, record, cumulativeAmount);
        emit SettlementSkipped(channelId, reason);
        return 0;
    }

    /// @dev Zero, or the selector of the reason why the batch cannot pay this channel.
    function _refusalOfRow(Record memory record, uint256 tokenHigh, uint256 receiverSide)
        private
        pure
        returns (bytes4)
    {
        if (record.amounts == 0) return ChannelNotFound.selector;
        if (record.finalized()) return ChannelFinalized.selector;
        if (record.receiver() != address(uint160(receiverSide))) return NotReceiver.selector;
        if (!record.pays(tokenHigh, receiverSide)) return InvalidToken.selector;
        return 0;
    }
}
