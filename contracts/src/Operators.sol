// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channels} from "./Channels.sol";
import {Record, Records} from "./Records.sol";
import {IOperators} from "./interfaces/IOperators.sol";

/// @title Who may act as a receiver
abstract contract Operators is Channels {
    using Records for Record;

    /// @inheritdoc IOperators
    mapping(address receiver => address) public operatorOf;

    /// @inheritdoc IOperators
    function setOperator(address operator) external guarded {
        operatorOf[msg.sender] = operator;
        emit OperatorChanged(msg.sender, operator);
    }

    /// @dev `_requireLive`, and that the caller may act as the receiver.
    function _requireReceiver(Record memory record) internal view {
        _requireLive(record);
        _requireCaller(record.receiver());
    }

    /// @dev Looks at the operator only when the receiver itself does not call, which then costs it nothing.
    function _requireCaller(address receiver) internal view {
        if (msg.sender != receiver && msg.sender != operatorOf[receiver]) revert NotReceiver();
    }
}
