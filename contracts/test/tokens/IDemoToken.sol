// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1363} from "@openzeppelin/contracts/interfaces/IERC1363.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC3009, IERC3009WithBytes} from "../../src/interfaces/IERC3009.sol";

/// @dev What the demo token can do.
interface IDemoToken is IERC1363, IERC20Metadata, IERC20Permit, IERC3009, IERC3009WithBytes {
    function mint(address to, uint256 amount) external;
    function transfer(address to, uint256 value, bytes calldata data) external returns (bool);
}
