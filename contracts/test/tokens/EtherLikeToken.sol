// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PlainToken} from "./PlainToken.sol";

/// @dev Has a fallback that takes every call it does not know for a deposit of ether, as WETH9 does.
contract EtherLikeToken is PlainToken(18) {
    fallback() external payable {
        _mint(msg.sender, msg.value);
    }

    receive() external payable {
        _mint(msg.sender, msg.value);
    }
}
