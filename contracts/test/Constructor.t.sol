// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";

contract ConstructorTest is EscrowTest {
    function test_KeepsTheChallengePeriod() public view {
        assertEq(escrow.CLOSE_GRACE_PERIOD(), GRACE);
    }

    /// forge-config: default.fuzz.runs = 100
    function testFuzz_TakesAnyChallengePeriodFrom10MinutesTo30Days(uint64 period) public {
        period = uint64(bound(period, 10 minutes, 30 days));
        assertEq(deploy(period).CLOSE_GRACE_PERIOD(), period);
    }

    function test_RevertsUnder10Minutes() public {
        vm.expectRevert(GracePeriodOutOfRange.selector);
        deploy(10 minutes - 1);
    }

    function test_RevertsOver30Days() public {
        vm.expectRevert(GracePeriodOutOfRange.selector);
        deploy(30 days + 1);
    }

    function test_RevertsAtTheLongestPeriodThatTheTypeHolds() public {
        vm.expectRevert(GracePeriodOutOfRange.selector);
        deploy(type(uint64).max);
    }

    function deploy(uint64 period) private returns (IChannelEscrow made) {
        bytes memory code = abi.encodePacked(vm.getCode("ChannelEscrow.sol"), abi.encode(period));
        assembly {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}
