// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev A channel as it is stored: three words, and a fourth elsewhere for the few that have a separate signer.
///      senderSide      96 bits: high bits of the token                | 160 bits: sender
///      receiverSide    32 bits: status | 64 bits: rest of the token   | 160 bits: receiver
///      amounts        128 bits: settled                               | 128 bits: deposit, which is never 0
struct Record {
    uint256 senderSide;
    uint256 receiverSide;
    uint256 amounts;
}

/// @title How a channel is stored
/// @dev The status is one bit for "has a separate signer" above 31 bits: 0, or the time of the request to close, or all
///      ones in a finalized channel whose deposit is 2^127 or more.
///
///      Any other channel is finalized by storing the complement of `settled`. That is over the deposit, as nothing
///      settled ever is, so it cannot be mistaken; and the last payment and the end of the channel are one write.
///
///      Times are kept modulo 68 years: a request left alone for that long looks new again, which costs its sender one
///      more challenge period and nobody any money.
library Records {
    uint256 internal constant HAS_SIGNER = 1 << 255;
    uint256 private constant CLOSING_SHIFT = 224;
    uint256 private constant CLOSING_MASK = (2 ** 31 - 1) << CLOSING_SHIFT;
    uint256 private constant TIME_MODULUS = 2 ** 31 - 2;

    /// @dev What `senderSide >> 160` and `receiverSide` are in an open channel without a separate signer.
    function packToken(address token_, address receiver_) internal pure returns (uint256 tokenHigh, uint256 side) {
        tokenHigh = uint160(token_) >> 64;
        side = (uint256(uint64(uint160(token_))) << 160) | uint160(receiver_);
    }

    function packAmounts(uint256 deposit_, uint256 settled_) internal pure returns (uint256) {
        return (settled_ << 128) | deposit_;
    }

    /// @dev Whether the channel pays the token and the receiver for which `packToken` gave these words.
    function pays(Record memory record, uint256 tokenHigh, uint256 side) internal pure returns (bool) {
        return record.senderSide >> 160 == tokenHigh && uint224(record.receiverSide ^ side) == 0;
    }

    function sender(Record memory record) internal pure returns (address) {
        return address(uint160(record.senderSide));
    }

    function receiver(Record memory record) internal pure returns (address) {
        return address(uint160(record.receiverSide));
    }

    function token(Record memory record) internal pure returns (address) {
        return address(uint160(((record.senderSide >> 160) << 64) | uint64(record.receiverSide >> 160)));
    }

    function deposit(Record memory record) internal pure returns (uint256) {
        return uint128(record.amounts);
    }

    function settled(Record memory record) internal pure returns (uint256) {
        uint256 stored = record.amounts >> 128;
        return stored > uint128(record.amounts) ? stored ^ type(uint128).max : stored;
    }

    function hasSigner(Record memory record) internal pure returns (bool) {
        return record.receiverSide & HAS_SIGNER != 0;
    }

    function finalized(Record memory record) internal pure returns (bool) {
        return record.amounts >> 128 > uint128(record.amounts) || record.receiverSide & CLOSING_MASK == CLOSING_MASK;
    }

    /// @dev Unix time of the sender's request to close; 0 if there is none, and after the end.
    function closeRequestedAt(Record memory record) internal view returns (uint256) {
        uint256 time = (record.receiverSide & CLOSING_MASK) >> CLOSING_SHIFT;
        if (time == 0 || finalized(record)) return 0;
        uint256 elapsed = (block.timestamp + TIME_MODULUS + 1 - time) % TIME_MODULUS;
        return block.timestamp - elapsed;
    }

    /// @dev `receiverSide` of an open channel whose sender asks to close it now.
    function closing(Record memory record) internal view returns (uint256) {
        return record.receiverSide | ((block.timestamp % TIME_MODULUS + 1) << CLOSING_SHIFT);
    }

    /// @dev `receiverSide` of a channel whose sender takes such a request back.
    function reopened(Record memory record) internal pure returns (uint256) {
        return record.receiverSide & ~CLOSING_MASK;
    }

    /// @dev Ends the channel for good, with `settled_` in all for the receiver.
    function end(Record storage record, uint256 deposit_, uint256 settled_) internal {
        if (deposit_ < 2 ** 127) {
            record.amounts = packAmounts(deposit_, settled_ ^ type(uint128).max);
        } else {
            record.amounts = packAmounts(deposit_, settled_);
            record.receiverSide |= CLOSING_MASK;
        }
    }
}
