// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IFundedByTransfer} from "../../src/interfaces/IFundedByTransfer.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev ERC-677 as LINK has it: a transfer to a contract with data calls `onTokenTransfer`.
contract ERC677Token is PlainToken(18) {
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool) {
        transfer(to, value);
        if (to.code.length != 0) IFundedByTransfer(to).onTokenTransfer(msg.sender, value, data);
        return true;
    }
}
