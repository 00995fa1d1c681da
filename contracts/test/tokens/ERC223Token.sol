// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IFundedByTransfer} from "../../src/interfaces/IFundedByTransfer.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev ERC-223: every transfer to a contract is told to it, and refused if the answer is not the right one.
contract ERC223Token is PlainToken(18) {
    function transfer(address to, uint256 value) public override returns (bool) {
        return transfer(to, value, "");
    }

    function transfer(address to, uint256 value, bytes memory data) public returns (bool) {
        _transfer(msg.sender, to, value);
        if (to.code.length != 0) {
            bytes4 answer = IFundedByTransfer(to).tokenReceived(msg.sender, value, data);
            require(answer == 0x8943ec02, "not a recipient");
        }
        return true;
    }
}

/// @dev ERC-223 as it was before 2021, with `tokenFallback`.
contract OldERC223Token is PlainToken(0) {
    function transfer(address to, uint256 value, bytes memory data) public returns (bool) {
        _transfer(msg.sender, to, value);
        if (to.code.length != 0) IFundedByTransfer(to).tokenFallback(msg.sender, value, data);
        return true;
    }
}
