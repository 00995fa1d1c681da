// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IFundedByTransfer} from "../../src/interfaces/IFundedByTransfer.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev Moves exactly what it should, and lets somebody act once just before or just after it does, as a token with hooks
///      for both sides would.
contract HookToken is PlainToken(18) {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    bool private planned;
    bool private early;
    address private actor;
    address private target;
    bytes private act;

    bool public acted;
    bool public succeeded;

    function plan(bool early_, address actor_, address target_, bytes calldata act_) external {
        (planned, acted, succeeded) = (true, false, false);
        (early, actor, target, act) = (early_, actor_, target_, act_);
    }

    /// @dev ERC-223.
    function transfer(address to, uint256 value, bytes calldata data) external returns (bool) {
        _transfer(msg.sender, to, value);
        IFundedByTransfer(to).tokenFallback(msg.sender, value, data);
        return true;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        strike(true);
        super.transfer(to, value);
        strike(false);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        strike(true);
        super.transferFrom(from, to, value);
        strike(false);
        return true;
    }

    function strike(bool isEarly) private {
        if (!planned || isEarly != early) return;
        (planned, acted) = (false, true);
        VM.prank(actor);
        (succeeded,) = target.call(act);
    }
}
