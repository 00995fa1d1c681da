// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {BatchTest} from "./BatchTest.sol";

/// @dev Batches read their rows without all the checks of the compiler. Whatever the caller sends instead of rows, no
///      channel pays but for a voucher that its sender signed.
contract SettleManyCalldataTest is BatchTest {
    /// @dev Selector, token, place of the rows and their number come before the places of the rows.
    uint256 private constant FIRST_PLACE = 4 + 3 * 32;

    function setUp() public override {
        super.setUp();
        add(open(DEPOSIT, "first"), 100);
        add(open(DEPOSIT, "second"), 20);
        vm.prank(sender);
        add(escrow.open(stranger, address(token), DEPOSIT, SALT, address(0)), 3);
    }

    function test_RevertsForARowThatLiesNowhere() public {
        assertRefused(changed(FIRST_PLACE, bytes32(uint256(1 << 255))));
        assertRefused(changed(FIRST_PLACE, bytes32(uint256(1 << 20))));
    }

    function test_RevertsForAnAmountThatIsNone() public {
        assertRefused(changed(wordOf(0, 1), bytes32(uint256(1 << 128 | 100))));
    }

    function test_RevertsForASignatureThatLiesNowhere() public {
        assertRefused(changed(wordOf(0, 2), bytes32(uint256(1 << 20))));
    }

    function test_RevertsForASignatureThatIsCutShort() public {
        bytes memory batch = batchOf();
        assembly ("memory-safe") {
            mstore(batch, sub(mload(batch), 64))
        }
        rows.pop();
        assertRefused(batch);
    }

    function test_PaysARowThatIsNamedTwiceOnce() public {
        bytes memory batch = batchOf();
        assertEq(send(changed(FIRST_PLACE + 32, wordAt(batch, FIRST_PLACE))), 100);
        assertEq(settled(rows[0].channelId), 100);
        assertEq(settled(rows[1].channelId), 0);
    }

    /// @dev Any two words of the call, at any places, instead of any others.
    function testFuzz_PaysForVouchersOnly(uint256[2] memory places, uint256[2] memory words, uint8[2] memory kinds)
        public
    {
        bytes memory batch = batchOf();
        for (uint256 i; i < 2; ++i) {
            change(batch, places[i], words[i], kinds[i]);
        }

        vm.prank(receiver);
        (bool done, bytes memory answer) = address(escrow).call(batch);
        uint256 paid;
        for (uint256 i; i < rows.length; ++i) {
            uint128 now_ = settled(rows[i].channelId);
            assertTrue(now_ == 0 || now_ == rows[i].cumulativeAmount, "nobody signed for that");
            paid += now_;
        }
        assertEq(settled(rows[2].channelId), 0, "it is not the caller's");
        assertEq(token.balanceOf(receiver), paid);
        assertEq(token.balanceOf(address(escrow)), 3 * DEPOSIT - paid);
        if (!done) assertEq(paid, 0);
        else assertEq(abi.decode(answer, (uint256)), paid);
    }

    /// @dev Mostly a whole word, and a small number, the negative of one, or a word that the batch has elsewhere.
    function change(bytes memory batch, uint256 place, uint256 word, uint8 kind) private pure {
        uint256 length = batch.length;
        place = bound(place, 4, length - 32);
        if (kind & 4 == 0) place = 4 + (place - 4) / 32 * 32;
        if (kind % 4 == 0) word = bound(word, 0, length);
        if (kind % 4 == 1) word = type(uint256).max - bound(word, 0, length);
        if (kind % 4 == 2) word = uint256(wordAt(batch, 4 + (word % ((length - 4) / 32)) * 32));
        put(batch, place, bytes32(word));
    }

    function batchOf() private view returns (bytes memory) {
        return abi.encodeCall(IChannelEscrow.settleMany, (address(token), rows));
    }

    /// @dev The batch with another word at a place of it.
    function changed(uint256 place, bytes32 word) private view returns (bytes memory batch) {
        batch = batchOf();
        put(batch, place, word);
    }

    function put(bytes memory batch, uint256 place, bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(batch, 0x20), place), word)
        }
    }

    function wordAt(bytes memory batch, uint256 place) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(batch, 0x20), place))
        }
    }

    /// @dev Where a word of a row is.
    function wordOf(uint256 row, uint256 index) private view returns (uint256) {
        return FIRST_PLACE + uint256(wordAt(batchOf(), FIRST_PLACE + 32 * row)) + 32 * index;
    }

    function send(bytes memory batch) private returns (uint256) {
        vm.prank(receiver);
        (bool done, bytes memory answer) = address(escrow).call(batch);
        assertTrue(done);
        return abi.decode(answer, (uint256));
    }

    function assertRefused(bytes memory batch) private {
        vm.prank(receiver);
        (bool done,) = address(escrow).call(batch);
        assertFalse(done);
        assertEq(settled(rows[0].channelId), 0);
        assertEq(token.balanceOf(receiver), 0);
    }
}
