// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Keeps what it is told of a transfer.
contract ERC223Recipient {
    address public from;
    uint256 public value;
    bytes public data;

    function tokenReceived(address from_, uint256 value_, bytes calldata data_) external returns (bytes4) {
        (from, value, data) = (from_, value_, data_);
        return 0x8943ec02;
    }
}

/// @dev As it was before 2021.
contract OldERC223Recipient {
    address public from;
    uint256 public value;
    bytes public data;

    function tokenFallback(address from_, uint256 value_, bytes calldata data_) external {
        (from, value, data) = (from_, value_, data_);
    }
}

/// @dev Has both functions, and refuses what it is told by the newer one.
contract ChoosyERC223Recipient is OldERC223Recipient {
    error NoTea();

    function tokenReceived(address, uint256, bytes calldata) external pure returns (bytes4) {
        revert NoTea();
    }
}
