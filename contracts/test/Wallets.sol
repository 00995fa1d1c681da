// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @dev What an honest contract wallet does: it asks for the signature of its owner's key.
contract KeyWallet is IERC1271 {
    address private immutable _OWNER;

    constructor(address owner) {
        _OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view virtual returns (bytes4) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature[:65]);
        return recovered == _OWNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @dev Answers with the word it was made with, and nothing else.
contract WordWallet {
    bytes32 private immutable _WORD;

    constructor(bytes32 word) {
        _WORD = word;
    }

    fallback() external {
        bytes32 word = _WORD;
        assembly {
            mstore(0, word)
            return(0, 32)
        }
    }
}

/// @dev Says yes, but with a byte too few.
contract ShortWallet {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 31)
        }
    }
}

/// @dev Says yes, and then as much more as it was made to.
contract TalkativeWallet {
    uint256 private immutable _LENGTH;

    constructor(uint256 length) {
        _LENGTH = length;
    }

    fallback() external {
        uint256 length = _LENGTH;
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, length)
        }
    }
}

/// @dev Says no in a megabyte.
contract GrumblingWallet {
    fallback() external {
        assembly {
            revert(0, 1000000)
        }
    }
}

/// @dev Says yes, and takes it back in the same breath.
contract RefusingWallet {
    fallback() external {
        assembly {
            mstore(0, shl(224, 0x1626ba7e))
            revert(0, 32)
        }
    }
}

contract RevertingWallet {
    fallback() external {
        revert("no");
    }
}

contract BurningWallet {
    fallback() external {
        assembly {
            invalid()
        }
    }
}

/// @dev Says yes after it has used about as much gas as it was made with.
contract HungryWallet {
    uint256 private immutable _APPETITE;

    constructor(uint256 appetite) {
        _APPETITE = appetite;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 start = gasleft();
        while (start - gasleft() < _APPETITE) {}
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Says what it was told last.
contract FickleWallet {
    bool private agrees = true;

    function change() external {
        agrees = !agrees;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return agrees ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @dev Tries to write while it is asked.
contract WritingWallet {
    uint256 private asked;

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        ++asked;
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev All of the above in one, as it was told last.
contract ChangingWallet {
    enum Mood {
        HONEST,
        EASY,
        STUBBORN,
        REVERTING,
        BURNING,
        SHORT,
        TALKATIVE,
        WRITING
    }

    address private immutable _OWNER;
    Mood private mood;
    uint256 private asked;

    constructor(address owner) {
        _OWNER = owner;
    }

    function change(Mood mood_) external {
        mood = mood_;
    }

    /// @dev What is to be expected of it.
    function takes(bool forged) external view returns (bool) {
        return mood == Mood.EASY || (mood == Mood.HONEST && !forged);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external returns (bytes4) {
        if (mood == Mood.STUBBORN) return 0xffffffff;
        if (mood == Mood.WRITING) ++asked;
        if (mood == Mood.HONEST) {
            (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
            return recovered == _OWNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
        }
        uint256 length = mood == Mood.SHORT ? 31 : mood == Mood.TALKATIVE ? 10 ** 7 : 32;
        (bool reverting, bool burning) = (mood == Mood.REVERTING, mood == Mood.BURNING);
        assembly {
            if burning { invalid() }
            mstore(0, shl(224, 0x1626ba7e))
            if reverting { revert(0, 32) }
            return(0, length)
        }
    }
}
