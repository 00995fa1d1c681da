// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev What is stored of a channel, from the high bits to the low ones:
///      32: second block | 32: first block | 96: amount | 96: deposit
///
///                                second block    first block     amount
///      open                      0               opened          withdrawn
///      closing                   opened          may settle      closing balance; nothing was withdrawn
///      closing, owing            may settle      opened          withdrawn; the closing balance is that and `owed`
///
///      A channel may settle after it was opened. So the order of the two blocks tells the last two apart.
type RaidenWord is uint256;

/// @dev The word, and what a sender who closes still owes to a receiver who has withdrawn before. Only then is there a
///      second word, and only if that is not nothing.
struct RaidenRecord {
    RaidenWord word;
    uint256 owed;
}

using RaidenRecords for RaidenWord global;

/// @title How a channel of `RaidenChannels` is stored
library RaidenRecords {
    /// @dev The most that a deposit can be.
    uint256 internal constant MAX_DEPOSIT = type(uint96).max;

    /// @dev Left behind by a channel that ended in the block in which it was opened, so that there cannot be another one
    ///      with its key. It has no first block, as what does not exist, and it is not zero, as what does.
    RaidenWord private constant ENDED = RaidenWord.wrap(1);
    RaidenWord private constant FREE = RaidenWord.wrap(0);

    uint256 private constant AMOUNT_SHIFT = 96;
    uint256 private constant FIRST_SHIFT = 192;
    uint256 private constant SECOND_SHIFT = 224;

    /// @dev A key is a hash, so it is as good a slot as the hash that a mapping would make of it.
    function locate(bytes32 key) internal pure returns (RaidenRecord storage record) {
        assembly ("memory-safe") {
            record.slot := key
        }
    }

    /// @dev The word of a new channel.
    function pack(uint256 deposit_, uint256 openBlock_) internal pure returns (RaidenWord) {
        return RaidenWord.wrap((openBlock_ << FIRST_SHIFT) | deposit_);
    }

    function isFree(RaidenWord word) internal pure returns (bool) {
        return RaidenWord.unwrap(word) == 0;
    }

    function exists(RaidenWord word) internal pure returns (bool) {
        return RaidenWord.unwrap(word) >> FIRST_SHIFT != 0;
    }

    function isClosing(RaidenWord word) internal pure returns (bool) {
        return secondBlock(word) != 0;
    }

    /// @dev Whether the channel is closing and the closing balance is what was withdrawn and `owed`.
    function isOwing(RaidenWord word) internal pure returns (bool) {
        return secondBlock(word) > firstBlock(word);
    }

    function deposit(RaidenWord word) internal pure returns (uint256) {
        return uint96(RaidenWord.unwrap(word));
    }

    function openBlock(RaidenWord word) internal pure returns (uint256) {
        return isClosing(word) && !isOwing(word) ? secondBlock(word) : firstBlock(word);
    }

    /// @dev The last block of the challenge period; 0 if the channel is not closing.
    function settleBlock(RaidenWord word) internal pure returns (uint256) {
        return isOwing(word) || !isClosing(word) ? secondBlock(word) : firstBlock(word);
    }

    /// @dev What the receiver has taken so far.
    function withdrawn(RaidenWord word) internal pure returns (uint256) {
        return isClosing(word) && !isOwing(word) ? 0 : amount(word);
    }

    /// @dev What the sender of a closing channel says that it owes, in all.
    function closingBalance(RaidenRecord storage record, RaidenWord word) internal view returns (uint256) {
        return isOwing(word) ? amount(word) + record.owed : amount(word);
    }

    function toppedUp(RaidenWord word, uint256 added) internal pure returns (RaidenWord) {
        unchecked {
            return RaidenWord.wrap(RaidenWord.unwrap(word) + added);
        }
    }

    /// @dev With `paid` more withdrawn.
    function paidOut(RaidenWord word, uint256 paid) internal pure returns (RaidenWord) {
        unchecked {
            return RaidenWord.wrap(RaidenWord.unwrap(word) + (paid << AMOUNT_SHIFT));
        }
    }

    /// @dev Makes an open channel a closing one. `balance` is at least what was withdrawn.
    function close(RaidenRecord storage record, RaidenWord word, uint256 balance, uint256 settleBlock_) internal {
        uint256 bits = RaidenWord.unwrap(word);
        uint256 paid = amount(word);
        if (paid == 0) {
            bits = (firstBlock(word) << SECOND_SHIFT) | (settleBlock_ << FIRST_SHIFT) | (balance << AMOUNT_SHIFT)
                | deposit(word);
        } else {
            bits |= settleBlock_ << SECOND_SHIFT;
            if (balance != paid) record.owed = balance - paid;
        }
        record.word = RaidenWord.wrap(bits);
    }

    /// @dev Ends the channel. The slot is given back, except in the block in which the channel was opened.
    function end(RaidenRecord storage record, RaidenWord word, uint256 openBlock_) internal {
        if (isOwing(word)) record.owed = 0;
        record.word = openBlock_ == block.number ? ENDED : FREE;
    }

    function firstBlock(RaidenWord word) private pure returns (uint256) {
        return uint32(RaidenWord.unwrap(word) >> FIRST_SHIFT);
    }

    function secondBlock(RaidenWord word) private pure returns (uint256) {
        return RaidenWord.unwrap(word) >> SECOND_SHIFT;
    }

    function amount(RaidenWord word) private pure returns (uint256) {
        return uint96(RaidenWord.unwrap(word) >> AMOUNT_SHIFT);
    }
}
