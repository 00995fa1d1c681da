// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRaidenChannels} from "../../src/interfaces/IRaidenChannels.sol";
import {PlainToken} from "../tokens/PlainToken.sol";
import {RaidenTest} from "./RaidenTest.sol";

contract RaidenConstructorTest is RaidenTest {
    address[] private nobody;

    function test_KeepsWhatItIsGiven() public view {
        assertEq(escrow.token(), address(token));
        assertEq(escrow.challenge_period(), PERIOD);
        assertEq(escrow.owner_address(), address(this));
        assertEq(escrow.version(), "0.2.0");
        assertEq(escrow.channel_deposit_bugbounty_limit(), 2 ** 96 - 1);
    }

    /// forge-config: default.fuzz.runs = 100
    function testFuzz_TakesAnyChallengePeriodFrom500Blocks(uint32 period) public {
        period = uint32(bound(period, 500, type(uint32).max));
        assertEq(attempt(address(token), period, nobody).challenge_period(), period);
    }

    function test_RevertsUnder500Blocks() public {
        vm.expectRevert(ChallengePeriodTooShort.selector);
        attempt(address(token), 499, nobody);
    }

    function test_TrustsTheContractsAndNoAccounts() public {
        address[] memory accounts = new address[](3);
        (accounts[0], accounts[1], accounts[2]) = (address(token), stranger, address(this));
        vm.recordLogs();
        escrow = attempt(address(token), PERIOD, accounts);

        assertEq(vm.getRecordedLogs().length, 2);
        assertTrue(escrow.trusted_contracts(address(token)));
        assertFalse(escrow.trusted_contracts(stranger));
        assertTrue(escrow.trusted_contracts(address(this)));
    }

    function test_RevertsWithoutAToken() public {
        vm.expectRevert(InvalidToken.selector);
        attempt(address(0), PERIOD, nobody);
    }

    function test_RevertsWhenTheTokenHasNoCode() public {
        vm.expectRevert(InvalidToken.selector);
        attempt(stranger, PERIOD, nobody);
    }

    function test_RevertsWhenTheTokenHasNoSupply() public {
        PlainToken none = new PlainToken(18);
        vm.expectRevert(InvalidToken.selector);
        attempt(address(none), PERIOD, nobody);
    }

    function test_RevertsWhenTheTokenIsNone() public {
        vm.expectRevert();
        attempt(address(this), PERIOD, nobody);
    }

    function attempt(address token_, uint32 period, address[] memory trusted) private returns (IRaidenChannels made) {
        bytes memory code = abi.encodePacked(vm.getCode("RaidenChannels.sol"), abi.encode(token_, period, trusted));
        assembly {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
