// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Authorizations} from "./Authorizations.sol";
import {Endings} from "./Endings.sol";
import {FundedByAuthorization} from "./FundedByAuthorization.sol";
import {FundedByPermit2} from "./FundedByPermit2.sol";
import {FundedBySignature} from "./FundedBySignature.sol";
import {FundedByTransfer} from "./FundedByTransfer.sol";
import {Record} from "./Records.sol";
import {IChannelEscrow} from "./interfaces/IChannelEscrow.sol";

/// @title The escrow: a channel from its opening to its end
/// @dev Documented in `IChannelEscrow`. Here are the ways to fund a channel from an approval; the other ways, and what
///      comes after, are in the contracts it consists of.
contract ChannelEscrow is Authorizations, FundedByTransfer, FundedBySignature, FundedByAuthorization, FundedByPermit2 {
    /// @param closeGracePeriod Challenge period in seconds, for every channel.
    constructor(uint64 closeGracePeriod) Endings(closeGracePeriod) {}

    /// @inheritdoc IChannelEscrow
    function open(address receiver, address token, uint128 deposit, bytes32 salt, address signer)
        external
        guardedPull(token)
        returns (bytes32 channelId)
    {
        channelId = _create(msg.sender, receiver, token, deposit, salt, signer);
        _pull(token, deposit);
    }

    /// @inheritdoc IChannelEscrow
    function openFor(address sender, address receiver, address token, uint128 deposit, bytes32 salt, address signer)
        external
        guardedPull(token)
        returns (bytes32 channelId)
    {
        bytes32 ownSalt = keccak256(abi.encode(msg.sender, salt));
        channelId = _createFor(sender, receiver, token, deposit, ownSalt, signer);
        _pull(token, deposit);
    }

    /// @inheritdoc IChannelEscrow
    function topUp(bytes32 channelId, uint128 additionalDeposit) external guarded {
        Record memory record = _records[channelId];
        _requireSender(record, msg.sender);
        address token = _credit(channelId, record, msg.sender, additionalDeposit);
        _expectPull(token);
        _pull(token, additionalDeposit);
    }
}
