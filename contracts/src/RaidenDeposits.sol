// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {RaidenDelegates} from "./RaidenDelegates.sol";
import {RaidenRecord, RaidenRecords, RaidenWord} from "./RaidenRecords.sol";
import {IRaidenChannels} from "./interfaces/IRaidenChannels.sol";

/// @title How money comes into the channels of `RaidenChannels`
/// @dev There is no guard against re-entry. A channel is booked before its deposit is pulled, but nothing that is taken
///      out of it meanwhile can go unnoticed: the balance must have grown by the whole deposit in the end.
abstract contract RaidenDeposits is RaidenDelegates {
    using SafeERC20 for IERC20;

    /// @inheritdoc IRaidenChannels
    address public immutable token;

    /// @inheritdoc IRaidenChannels
    uint256 public constant channel_deposit_bugbounty_limit = RaidenRecords.MAX_DEPOSIT;

    constructor(address token_) {
        if (token_.code.length == 0 || IERC20(token_).totalSupply() == 0) revert InvalidToken();
        token = token_;
    }

    /// @inheritdoc IRaidenChannels
    function createChannel(address _receiver_address, uint192 _deposit) external {
        _create(msg.sender, _receiver_address, _deposit);
        _pull(_deposit);
    }

    /// @inheritdoc IRaidenChannels
    function createChannelDelegate(address _sender_address, address _receiver_address, uint192 _deposit) external {
        _requireTrusted(msg.sender);
        _requireSender(_sender_address);
        _create(_sender_address, _receiver_address, _deposit);
        _pull(_deposit);
    }

    /// @inheritdoc IRaidenChannels
    function topUp(address _receiver_address, uint32 _open_block_number, uint192 _added_deposit) external {
        _credit(msg.sender, _receiver_address, _open_block_number, _added_deposit);
        _pull(_added_deposit);
    }

    /// @inheritdoc IRaidenChannels
    function topUpDelegate(
        address _sender_address,
        address _receiver_address,
        uint32 _open_block_number,
        uint192 _added_deposit
    ) external {
        _requireTrusted(msg.sender);
        _credit(_sender_address, _receiver_address, _open_block_number, _added_deposit);
        _pull(_added_deposit);
    }

    /// @inheritdoc IRaidenChannels
    function tokenFallback(address _sender_address, uint256 _deposit, bytes calldata _data) external {
        _received(_sender_address, _deposit, _data);
    }

    /// @inheritdoc IRaidenChannels
    function tokenReceived(address _sender_address, uint256 _deposit, bytes calldata _data) external returns (bytes4) {
        _received(_sender_address, _deposit, _data);
        return IRaidenChannels.tokenReceived.selector;
    }

    /// @inheritdoc IRaidenChannels
    function getKey(address _sender_address, address _receiver_address, uint32 _open_block_number)
        public
        pure
        returns (bytes32 data)
    {
        return _keyOf(_sender_address, _receiver_address, _open_block_number);
    }

    function _received(address from, uint256 amount, bytes calldata data) private {
        if (msg.sender != token) revert NotToken();
        if (data.length != 40 && data.length != 44) revert InvalidTransferData();
        (address sender, address receiver, uint32 openBlock) = _decode(data);
        if (from != sender) _requireTrusted(from);
        if (data.length == 40) {
            _requireSender(sender);
            _create(sender, receiver, amount);
        } else {
            _credit(sender, receiver, openBlock, amount);
        }
    }

    /// @dev `openBlock` is of no meaning in 40 bytes.
    function _decode(bytes calldata data) private pure returns (address sender, address receiver, uint32 openBlock) {
        assembly ("memory-safe") {
            sender := shr(96, calldataload(data.offset))
            receiver := shr(96, calldataload(add(data.offset, 20)))
            openBlock := shr(224, calldataload(add(data.offset, 40)))
        }
    }

    /// @dev keccak256(abi.encodePacked(sender, receiver, uint32(openBlock))), without the copies.
    function _keyOf(address sender, address receiver, uint256 openBlock) internal pure returns (bytes32 key) {
        assembly ("memory-safe") {
            mstore(0x20, or(shl(192, receiver), shl(160, openBlock)))
            mstore(0, or(shl(96, sender), shr(160, shl(96, receiver))))
            key := keccak256(0, 44)
        }
    }

    function _pay(address to, uint256 amount) internal {
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }

    /// @dev Books a new channel. Its deposit has come in already, or the caller of this pulls it next.
    function _create(address sender, address receiver, uint256 deposit) private {
        if (!_isParty(receiver)) revert InvalidReceiver();
        if (deposit > RaidenRecords.MAX_DEPOSIT) revert DepositOverflow();
        if (block.number > type(uint32).max) revert BlockOverflow();
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(sender, receiver, block.number));
        if (!record.word.isFree()) revert ChannelAlreadyExists();

        record.word = RaidenRecords.pack(deposit, block.number);
        emit ChannelCreated(sender, receiver, uint192(deposit));
    }

    /// @dev Books an addition to the deposit, as `_create` does the first one.
    function _credit(address sender, address receiver, uint32 openBlock, uint256 added) private {
        if (added == 0) revert ZeroDeposit();
        RaidenRecord storage record = RaidenRecords.locate(_keyOf(sender, receiver, openBlock));
        RaidenWord word = record.word;
        if (!word.exists()) revert ChannelNotFound();
        if (word.isClosing()) revert ChannelClosing();
        if (added > RaidenRecords.MAX_DEPOSIT - word.deposit()) revert DepositOverflow();

        record.word = word.toppedUp(added);
        emit ChannelToppedUp(sender, receiver, openBlock, uint192(added));
    }

    /// @dev Takes a deposit from the caller and makes sure that all of it arrived.
    function _pull(uint256 amount) private {
        if (amount == 0) return;
        uint256 before = _balance();
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        unchecked {
            if (_balance() - before != amount) revert InexactTransfer();
        }
    }

    /// @dev What this contract has of the token; 0 if the token does not say, and then nothing can have arrived.
    function _balance() private view returns (uint256 held) {
        bytes4 balanceOf = IERC20.balanceOf.selector;
        address token_ = token;
        assembly ("memory-safe") {
            mstore(0, balanceOf)
            mstore(4, address())
            let answered := staticcall(gas(), token_, 0, 0x24, 0, 0x20)
            held := mul(mload(0), and(answered, gt(returndatasize(), 0x1f)))
        }
    }

    /// @dev A delegate can name anything.
    function _requireSender(address sender) private view {
        if (!_isParty(sender)) revert InvalidSender();
    }

    /// @dev Whether tokens can be paid to this account, and whether it could ever ask for them.
    function _isParty(address account) private view returns (bool) {
        return account != address(0) && account != token && account != address(this);
    }
}
