// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Script} from "forge-std/Script.sol";

/// @title Puts `ChannelEscrow` at the address that it has on every chain
/// @dev forge script contracts/script/DeployEscrow.s.sol --sig 'run(uint64)' 86400 --rpc-url URL --broadcast
///      What `farthing deploy escrow` does, for those who have forge and no Node.
contract DeployEscrow is Script {
    /// @notice Sends nothing if it is there already.
    /// @param closeGracePeriod Challenge period in seconds.
    function run(uint64 closeGracePeriod) external returns (address escrow) {
        bytes memory code = abi.encodePacked(vm.getCode("ChannelEscrow.sol"), abi.encode(closeGracePeriod));
        escrow = vm.computeCreate2Address(0, keccak256(code));
        if (escrow.code.length != 0) return escrow;
        vm.broadcast();
        (bool done,) = CREATE2_FACTORY.call(abi.encodePacked(bytes32(0), code));
        require(
            done && escrow.code.length != 0,
            "is there a deployment proxy at 0x4e59b44847b379578588920cA78FbF26c0B4956C?"
        );
    }
}
