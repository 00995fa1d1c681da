// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";
import {IFundedByTransfer} from "../../src/interfaces/IFundedByTransfer.sol";
import {PlainToken} from "./PlainToken.sol";

/// @dev A token that does something else every time, as it was told last. Whatever it is, a deposit that the escrow books
///      has arrived, and no payment takes more than it says: so far it is honest.
contract ChangingToken is PlainToken(6) {
    enum Mood {
        HONEST,
        BLOCKING,
        DENYING,
        LAZY,
        TAXING,
        GENEROUS,
        BURNING,
        CALLING
    }

    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    Mood public mood;
    address private caller;
    address private target;
    bytes private call;

    uint256 public called;
    uint256 public succeeded;

    function change(Mood mood_) external {
        mood = mood_;
    }

    /// @dev What to do, and as whom, whenever it is told to move anything.
    function plan(address caller_, address target_, bytes calldata call_) external {
        (mood, caller, target, call) = (Mood.CALLING, caller_, target_, call_);
    }

    /// @dev ERC-223, ERC-1363 and ERC-677 in one: tells of a transfer that may have been one.
    function tell(address to, address from, uint256 value, bytes calldata data) external {
        _transfer(from, to, value);
        IFundedByTransfer(to).tokenReceived(from, value, data);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return act(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return act(from, to, value);
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
        act(from, to, value);
    }

    /// @dev It believes whoever asks for what.
    function act(address from, address to, uint256 value) private returns (bool) {
        if (mood == Mood.BLOCKING) revert("blocked");
        if (mood == Mood.DENYING) return false;
        if (mood == Mood.LAZY) return true;
        if (mood == Mood.CALLING) strike();
        if (mood == Mood.BURNING) {
            assembly {
                invalid()
            }
        }
        _transfer(from, to, value);
        if (mood == Mood.TAXING) _burn(to, value / 100 + 1);
        if (mood == Mood.GENEROUS) _mint(to, 1);
        return true;
    }

    function strike() private {
        ++called;
        VM.prank(caller);
        (bool done,) = target.call(call);
        if (done) ++succeeded;
    }
}
