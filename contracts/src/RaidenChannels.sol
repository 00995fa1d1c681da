// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RaidenDeposits} from "./RaidenDeposits.sol";
import {RaidenRecord, RaidenRecords, RaidenWord} from "./RaidenRecords.sol";
import {RaidenSignatures} from "./RaidenSignatures.sol";
import {IRaidenChannels} from "./interfaces/IRaidenChannels.sol";

/// @title The escrow of µRaiden: how money leaves a channel, and what is known of it
/// @dev Documented in `IRaidenChannels`.
contract RaidenChannels is RaidenDeposits, RaidenSignatures {
    using RaidenRecords for RaidenRecord;

    /// @inheritdoc IRaidenChannels
    string public constant version = "0.2.0";

    /// @inheritdoc IRaidenChannels
    uint32 public immutable challenge_period;

    /// @param _token_address Token of all channels. It has code and a supply.
    /// @param _challenge_period Blocks that a receiver has to answer a close, at least 500.
    /// @param _trusted_contracts See `addTrustedContracts`.
    constructor(address _token_address, uint32 _challenge_period, address[] memory _trusted_contracts)
        RaidenDeposits(_token_address)
    {
        if (_challenge_period < 500) revert ChallengePeriodTooShort();
        challenge_period = _challenge_period;
        for (uint256 i; i < _trusted_contracts.length; ++i) {
            _trust(_trusted_contracts[i]);
        }
    }

    /// @inheritdoc IRaidenChannels
    function withdraw(uint32 _open_block_number, uint192 _balance, bytes calldata _balance_msg_sig) external {
        address sender = extractBalanceProofSignature(msg.sender, _open_block_number, _balance, _balance_msg_sig);
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(sender, msg.sender, _open_block_number));
        RaidenWord word = record.word;
        _requireOpen(word);
        uint256 withdrawn = word.withdrawn();
        if (_balance <= withdrawn) revert BalanceNotIncreasing();
        if (_balance > word.deposit()) revert BalanceExceedsDeposit();

        uint256 paid;
        unchecked {
            paid = _balance - withdrawn;
        }
        record.word = word.paidOut(paid);
        emit ChannelWithdraw(sender, msg.sender, _open_block_number, uint192(paid));
        _pay(msg.sender, paid);
    }

    /// @inheritdoc IRaidenChannels
    function cooperativeClose(
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _balance,
        bytes calldata _balance_msg_sig,
        bytes calldata _closing_sig
    ) external {
        address sender = extractBalanceProofSignature(_receiver_address, _open_block_number, _balance, _balance_msg_sig);
        if (extractClosingSignature(sender, _open_block_number, _balance, _closing_sig) != _receiver_address) {
            revert NotSignedByReceiver();
        }
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(sender, _receiver_address, _open_block_number));
        RaidenWord word = record.word;
        if (!word.exists()) revert ChannelNotFound();
        _requireInRange(word, _balance);
        _end(record, word, sender, _receiver_address, _open_block_number, _balance);
    }

    /// @inheritdoc IRaidenChannels
    function uncooperativeClose(address _receiver_address, uint32 _open_block_number, uint192 _balance) external {
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(msg.sender, _receiver_address, _open_block_number));
        RaidenWord word = record.word;
        _requireOpen(word);
        _requireInRange(word, _balance);
        uint256 settleBlock = block.number + challenge_period;
        if (settleBlock > type(uint32).max) revert BlockOverflow();

        record.close(word, _balance, settleBlock);
        emit ChannelCloseRequested(msg.sender, _receiver_address, _open_block_number, _balance);
    }

    /// @inheritdoc IRaidenChannels
    function settle(address _receiver_address, uint32 _open_block_number) external {
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(msg.sender, _receiver_address, _open_block_number));
        RaidenWord word = record.word;
        if (!word.exists()) revert ChannelNotFound();
        if (!word.isClosing()) revert CloseNotRequested();
        if (block.number <= word.settleBlock()) revert ChallengePeriodNotOver();
        _end(record, word, msg.sender, _receiver_address, _open_block_number, record.closingBalance(word));
    }

    /// @inheritdoc IRaidenChannels
    function getChannelInfo(address _sender_address, address _receiver_address, uint32 _open_block_number)
        external
        view
        returns (bytes32, uint192, uint32, uint192, uint192)
    {
        bytes32 key = _keyOf(_sender_address, _receiver_address, _open_block_number);
        (uint192 deposit, uint32 openBlock) = channels(key);
        if (openBlock == 0) revert ChannelNotFound();
        (uint192 closingBalance, uint32 settleBlock) = closing_requests(key);
        return (key, deposit, settleBlock, closingBalance, withdrawn_balances(key));
    }

    /// @inheritdoc IRaidenChannels
    function channels(bytes32 key) public view returns (uint192 deposit, uint32 open_block_number) {
        RaidenWord word = RaidenRecords.locate(key).word;
        if (word.exists()) return (uint192(word.deposit()), uint32(word.openBlock()));
    }

    /// @inheritdoc IRaidenChannels
    function closing_requests(bytes32 key) public view returns (uint192 closing_balance, uint32 settle_block_number) {
        RaidenRecord storage record = RaidenRecords.locate(key);
        RaidenWord word = record.word;
        if (word.isClosing()) return (uint192(record.closingBalance(word)), uint32(word.settleBlock()));
    }

    /// @inheritdoc IRaidenChannels
    function withdrawn_balances(bytes32 key) public view returns (uint192) {
        return uint192(RaidenRecords.locate(key).word.withdrawn());
    }

    /// @dev Ends the channel with `balance` in all for the receiver and the rest for the sender.
    function _end(
        RaidenRecord storage record,
        RaidenWord word,
        address sender,
        address receiver,
        uint32 openBlock,
        uint256 balance
    ) private {
        uint256 paid;
        uint256 refund;
        unchecked {
            paid = balance - word.withdrawn();
            refund = word.deposit() - balance;
        }
        record.end(word, openBlock);
        emit ChannelSettled(sender, receiver, openBlock, uint192(balance), uint192(paid));
        _pay(receiver, paid);
        _pay(sender, refund);
    }

    function _requireOpen(RaidenWord word) private pure {
        if (!word.exists()) revert ChannelNotFound();
        if (word.isClosing()) revert ChannelClosing();
    }

    function _requireInRange(RaidenWord word, uint256 balance) private pure {
        if (balance < word.withdrawn()) revert BalanceBelowWithdrawn();
        if (balance > word.deposit()) revert BalanceExceedsDeposit();
    }
}
