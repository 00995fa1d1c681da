// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Record, Records} from "./Records.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title The channels and the money in them
/// @dev What all the ways to fund a channel share: storage, the guard against re-entry, the booking of a deposit and the
///      two directions in which tokens move.
abstract contract Channels is IChannelEscrow {
    using SafeERC20 for IERC20;
    using Records for Record;

    uint256 private constant BUSY = 1 << 160;

    mapping(bytes32 channelId => Record) internal _records;
    mapping(bytes32 channelId => address) private _signers;

    /// @dev 0 between calls, then `BUSY`, with the address of the token in its low bits while a deposit is pulled.
    uint256 private transient _busy;

    /// @dev For every function that changes anything, hooks included, so that no token and no wallet gets in between.
    modifier guarded() {
        _enter(BUSY);
        _;
        _busy = 0;
    }

    /// @dev As `guarded`, around a pull of `token`.
    modifier guardedPull(address token) {
        _enter(BUSY | uint160(token));
        _;
        _busy = 0;
    }

    /// @dev Makes sure that a deposit arrived, all of it and no more, whatever the token answered.
    modifier arriving(address token, uint256 amount) {
        uint256 before = _balance(token);
        _;
        unchecked {
            if (_balance(token) - before != amount) revert InexactTransfer();
        }
    }

    /// @inheritdoc IChannelEscrow
    function getChannel(bytes32 channelId) external view returns (Channel memory) {
        Record memory record = _records[channelId];
        return Channel({
            finalized: record.finalized(),
            closeRequestedAt: uint64(record.closeRequestedAt()),
            sender: record.sender(),
            receiver: record.receiver(),
            token: record.token(),
            signer: _signers[channelId],
            deposit: uint128(record.deposit()),
            settled: uint128(record.settled())
        });
    }

    /// @inheritdoc IChannelEscrow
    function computeChannelId(address sender, address receiver, address token, bytes32 salt, address signer)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(sender, receiver, token, salt, signer, address(this), block.chainid));
    }

    /// @dev Books a new channel. Its deposit has come in already, or the caller of this pulls it next.
    function _create(address sender, address receiver, address token, uint256 deposit, bytes32 salt, address signer)
        internal
        returns (bytes32 channelId)
    {
        if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver();
        if (deposit == 0) revert ZeroDeposit();
        if (deposit > type(uint128).max) revert DepositOverflow();
        channelId = computeChannelId(sender, receiver, token, salt, signer);
        Record storage record = _records[channelId];
        if (record.amounts != 0) revert ChannelAlreadyExists();

        (uint256 tokenHigh, uint256 receiverSide) = Records.packToken(token, receiver);
        record.senderSide = (tokenHigh << 160) | uint160(sender);
        record.amounts = deposit;
        if (signer == address(0)) {
            record.receiverSide = receiverSide;
        } else {
            record.receiverSide = receiverSide | Records.HAS_SIGNER;
            _signers[channelId] = signer;
        }
        emit ChannelOpened(channelId, sender, receiver, token, signer, salt, deposit);
    }

    /// @dev `_create` for a sender that did not call and whose token did not speak for it. A sender needs an address to
    ///      which the rest of the deposit can go back.
    function _createFor(address sender, address receiver, address token, uint256 deposit, bytes32 salt, address signer)
        internal
        returns (bytes32)
    {
        if (sender == address(0) || sender == address(this)) revert InvalidSender();
        return _create(sender, receiver, token, deposit, salt, signer);
    }

    /// @dev Books an addition to the deposit, as `_create` does the first one, and says in which token it must be. Only the
    ///      sender's own money takes its request to close back: else anyone could hold the rest of its deposit for ever,
    ///      with a base unit in each challenge period.
    function _credit(bytes32 channelId, Record memory record, address from, uint256 additionalDeposit)
        internal
        returns (address token)
    {
        if (additionalDeposit == 0) revert ZeroDeposit();
        uint256 deposit = record.deposit();
        if (additionalDeposit > type(uint128).max - deposit) revert DepositOverflow();

        deposit += additionalDeposit;
        address sender = record.sender();
        _records[channelId].amounts = Records.packAmounts(deposit, record.settled());
        emit TopUp(channelId, sender, record.receiver(), additionalDeposit, deposit);
        if (from == sender && record.closeRequestedAt() != 0) {
            _records[channelId].receiverSide = record.reopened();
            emit CloseRequestCancelled(channelId, sender, record.receiver());
        }
        return record.token();
    }

    /// @dev That there is a channel, and that it has not ended.
    function _requireLive(Record memory record) internal pure {
        if (record.amounts == 0) revert ChannelNotFound();
        if (record.finalized()) revert ChannelFinalized();
    }

    /// @dev `_requireLive`, and that this is the sender.
    function _requireSender(Record memory record, address sender) internal pure {
        _requireLive(record);
        if (sender != record.sender()) revert NotSender();
    }

    /// @dev Never zero in a channel that exists.
    function _signerOf(bytes32 channelId, Record memory record) internal view returns (address) {
        return record.hasSigner() ? _signers[channelId] : record.sender();
    }

    /// @dev Takes a deposit that the caller has approved.
    function _pull(address token, uint128 amount) internal arriving(token, amount) {
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @dev Announces a pull whose token was not known yet when the function was entered.
    function _expectPull(address token) internal {
        _busy = BUSY | uint160(token);
    }

    function _isPulling(address token) internal view returns (bool) {
        return _busy == BUSY | uint160(token);
    }

    function _pay(address token, address to, uint256 amount) internal {
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }

    /// @dev What this contract has of `token`. In assembly because this also finds, for the gas of the call alone, that
    ///      there is no token: an address without code answers nothing.
    function _balance(address token) internal view returns (uint256 held) {
        bytes4 balanceOf = IERC20.balanceOf.selector;
        bool answered;
        assembly ("memory-safe") {
            mstore(0, balanceOf)
            mstore(4, address())
            answered := staticcall(gas(), token, 0, 0x24, 0, 0x20)
            answered := and(answered, gt(returndatasize(), 0x1f))
            held := mload(0)
        }
        if (!answered) revert InvalidToken();
    }

    function _enter(uint256 busy) private {
        if (_busy != 0) revert Reentrancy();
        _busy = busy;
    }
}
