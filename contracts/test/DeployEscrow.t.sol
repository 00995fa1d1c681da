// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {DeployEscrow} from "../script/DeployEscrow.s.sol";
import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";

contract DeployEscrowTest is Test {
    DeployEscrow private script = new DeployEscrow();

    function test_PutsItWhereItIsOnEveryChain() public {
        address here = script.run(86_400);
        assertEq(IChannelEscrow(here).CLOSE_GRACE_PERIOD(), 86_400);
        vm.chainId(4_242);
        assertEq(script.run(86_400), here);
        assertNotEq(script.run(900), here);
    }

    function test_SendsNothingWhenItIsThere() public {
        address here = script.run(86_400);
        vm.etch(CREATE2_FACTORY, "");
        assertEq(script.run(86_400), here);
    }

    function test_RevertsWhereThereIsNoProxy() public {
        vm.etch(CREATE2_FACTORY, "");
        vm.expectRevert();
        script.run(86_400);
    }
}
