// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC3009} from "../../src/interfaces/IERC3009.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev Calls whatever it was told to call from within whatever function it was told to do it in, once, and keeps what
///      came of it.
contract HostileToken is PlainToken(6) {
    address private target;
    bytes private attack;
    bytes4 private moment;

    bool public attacked;
    bool public succeeded;
    bytes public answer;

    function plan(bytes4 within, address target_, bytes calldata attack_) external {
        (moment, target, attack, attacked) = (within, target_, attack_, false);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        strike();
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        strike();
        return super.transferFrom(from, to, value);
    }

    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) external {
        strike();
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        bytes calldata
    ) external {
        require(moment != IERC3009.receiveWithAuthorization.selector, "the other form is the moment");
        strike();
        _transfer(from, to, value);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        strike();
        _transfer(from, to, value);
    }

    /// @dev It signs everything.
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }

    function strike() private {
        if (attacked || msg.sig != moment) return;
        attacked = true;
        (succeeded, answer) = target.call(attack);
    }
}
