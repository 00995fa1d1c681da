// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title The channels and the money in them
/// @dev Storage, the guard against re-entry, and the two ways in which a deposit is booked. A channel takes three slots;
///      a separate signer, which few channels have, takes a fourth, so that the others pay nothing for it.
abstract contract Channels is IChannelEscrow {
    using SafeERC20 for IERC20;

    /// @dev Exactly three slots. The token fills the room that two addresses leave.
    ///      `status` is one bit for "has a separate signer" above 31 bits that are 0 (open), `FINALIZED`, or the time of
    ///      the request to close. The deposit of a channel that exists is never 0.
    struct Record {
        address sender;
        uint96 tokenHigh;
        address receiver;
        uint64 tokenLow;
        uint32 status;
        uint128 deposit;
        uint128 settled;
    }

    uint32 private constant HAS_SIGNER = 1 << 31;
    uint32 private constant FINALIZED = HAS_SIGNER - 1;
    /// @dev Request times are kept modulo 68 years, in 1 to `FINALIZED - 1`. A request that its sender leaves alone for
    ///      68 years looks new again, which costs the sender one more challenge period and nobody any money.
    uint256 private constant TIME_MODULUS = FINALIZED - 1;

    mapping(bytes32 channelId => Record) internal _records;
    mapping(bytes32 channelId => address) private _signers;

    /// @dev Zero between calls; the token while a deposit is pulled; else this contract.
    address private transient _busy;

    modifier guarded() {
        if (_busy != address(0)) revert Reentrancy();
        _busy = address(this);
        _;
        _busy = address(0);
    }

    /// @inheritdoc IChannelEscrow
    function getChannel(bytes32 channelId) external view returns (Channel memory) {
        return _read(_records[channelId], channelId);
    }

    /// @inheritdoc IChannelEscrow
    function computeChannelId(address sender, address receiver, address token, bytes32 salt, address signer)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(sender, receiver, token, salt, signer, address(this), block.chainid));
    }

    function _read(Record storage record, bytes32 channelId) internal view returns (Channel memory channel) {
        uint32 status = record.status;
        uint32 closing = status & ~HAS_SIGNER;
        channel.finalized = closing == FINALIZED;
        if (closing != 0 && closing != FINALIZED) {
            channel.closeRequestedAt =
                uint64(block.timestamp - (block.timestamp + TIME_MODULUS + 1 - closing) % TIME_MODULUS);
        }
        channel.sender = record.sender;
        channel.receiver = record.receiver;
        channel.token = address((uint160(record.tokenHigh) << 64) | record.tokenLow);
        if (status & HAS_SIGNER != 0) channel.signer = _signers[channelId];
        channel.deposit = record.deposit;
        channel.settled = record.settled;
    }

    function _live(Record storage record, bytes32 channelId) internal view returns (Channel memory channel) {
        channel = _read(record, channelId);
        if (channel.deposit == 0) revert ChannelNotFound();
        if (channel.finalized) revert ChannelFinalized();
    }

    /// @dev Books a new channel. The caller of this has taken the deposit, or takes it before it returns.
    function _create(address sender, address receiver, address token, uint256 deposit, bytes32 salt, address signer)
        internal
        returns (bytes32 channelId)
    {
        if (sender == address(0)) revert InvalidSender();
        if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver();
        if (token.code.length == 0) revert InvalidToken();
        if (deposit == 0) revert ZeroDeposit();
        if (deposit > type(uint128).max) revert DepositOverflow();
        channelId = computeChannelId(sender, receiver, token, salt, signer);
        Record storage record = _records[channelId];
        if (record.deposit != 0) revert ChannelAlreadyExists();

        record.sender = sender;
        record.tokenHigh = uint96(uint160(token) >> 64);
        record.receiver = receiver;
        record.tokenLow = uint64(uint160(token));
        record.deposit = uint128(deposit);
        if (signer != address(0)) {
            record.status = HAS_SIGNER;
            _signers[channelId] = signer;
        }
        emit ChannelOpened(channelId, sender, receiver, token, signer, salt, deposit);
    }

    /// @dev Books an addition to the deposit. `_create` says who takes it.
    function _credit(bytes32 channelId, address from, uint256 additionalDeposit) internal returns (address token) {
        Record storage record = _records[channelId];
        Channel memory channel = _live(record, channelId);
        if (from != channel.sender) revert NotSender();
        if (additionalDeposit == 0) revert ZeroDeposit();
        if (additionalDeposit > type(uint128).max - channel.deposit) revert DepositOverflow();

        uint256 newDeposit = channel.deposit + additionalDeposit;
        record.deposit = uint128(newDeposit);
        emit TopUp(channelId, from, channel.receiver, additionalDeposit, newDeposit);
        if (channel.closeRequestedAt != 0) {
            record.status &= HAS_SIGNER;
            emit CloseRequestCancelled(channelId, from, channel.receiver);
        }
        return channel.token;
    }

    /// @dev The first request stands.
    function _startClosing(Record storage record) internal {
        record.status |= uint32(block.timestamp % TIME_MODULUS + 1);
    }

    function _finalize(Record storage record, uint128 settled) internal {
        record.status |= FINALIZED;
        record.settled = settled;
    }

    /// @dev Takes `amount` from the caller. Some tokens tell the recipient of a `transferFrom` too; `_isOurPull` knows.
    function _pull(address token, uint128 amount) internal {
        _busy = token;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        if (IERC20(token).balanceOf(address(this)) != before + amount) revert InexactTransfer();
    }

    function _isOurPull(address token) internal view returns (bool) {
        return _busy == token;
    }

    function _pay(address token, address to, uint256 amount) internal {
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }
}
