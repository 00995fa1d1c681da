// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IFundedByTransfer} from "../../src/interfaces/IFundedByTransfer.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev Takes a hundredth of every transfer, but tells a hook of ERC-677 the amount before that.
contract FeeToken is PlainToken(6) {
    function transferAndCall(address to, uint256 value, bytes calldata data) external {
        transfer(to, value);
        IFundedByTransfer(to).onTokenTransfer(msg.sender, value, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}

/// @dev Gives the recipient more than was sent.
contract GenerousToken is PlainToken(6) {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0)) super._update(address(0), to, 1);
    }
}

/// @dev Says yes to a transfer and moves nothing.
contract LazyToken is PlainToken(6) {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// @dev Blocks whom it is told to block.
contract BlockListToken is PlainToken(6) {
    mapping(address => bool) public blocked;

    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!blocked[from] && !blocked[to], "blocked");
        super._update(from, to, value);
    }
}

/// @dev Returns false instead of reverting.
contract FalseToken is PlainToken(6) {
    bool public broken;

    function setBroken(bool value) external {
        broken = value;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return !broken && super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return !broken && super.transferFrom(from, to, value);
    }
}

/// @dev Cannot tell a balance once it is broken.
contract BlindToken is PlainToken(6) {
    bool public broken;

    function setBroken(bool value) external {
        broken = value;
    }

    function balanceOf(address account) public view override returns (uint256) {
        require(!broken, "blind");
        return super.balanceOf(account);
    }
}

/// @dev Tells the recipient of a `transferFrom` too, in every way it knows.
contract TellingToken is PlainToken(6) {
    bytes public told;

    function setTold(bytes calldata data) external {
        told = data;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        super.transferFrom(from, to, value);
        IFundedByTransfer(to).tokenReceived(from, value, told);
        IFundedByTransfer(to).tokenFallback(from, value, told);
        IFundedByTransfer(to).onTransferReceived(from, from, value, told);
        IFundedByTransfer(to).onTokenTransfer(from, value, told);
        return true;
    }
}

/// @dev Returns nothing from a transfer, as the token of Tether does. Not an ERC-20 for the compiler.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
