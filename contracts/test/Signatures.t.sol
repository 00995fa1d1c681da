// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {EscrowTest} from "./EscrowTest.sol";
import "./Wallets.sol" as Wallets;

/// @dev Who has signed, decided alike by `settle`, `settleMany` and both forms of `close`.
contract SignaturesTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    address private owner;
    uint256 private ownerKey;

    function setUp() public override {
        super.setUp();
        (owner, ownerKey) = makeAddrAndKey("owner");
    }

    function test_TakesTheSendersSignature() public {
        bytes32 id = open(DEPOSIT);
        assertTaken(id, sign(id, 100));
    }

    function testFuzz_TakesTheSignatureOfAnyKey(uint256 key, uint128 amount) public {
        key = boundPrivateKey(key);
        amount = uint128(bound(amount, 1, DEPOSIT));
        bytes32 id = open(DEPOSIT, SALT, vm.addr(key));

        vm.prank(receiver);
        escrow.settle(id, amount, sign(key, id, amount));
        assertEq(settled(id), amount);
    }

    function test_RefusesTheMalleatedSignature() public {
        bytes32 id = open(DEPOSIT);
        assertRefused(id, malleate(sign(id, 100)));
    }

    function testFuzz_RefusesASignatureWithABitFlipped(uint256 bit) public {
        bytes32 id = open(DEPOSIT);
        bytes memory signature = sign(id, 100);
        bit = bound(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        assertRefused(id, signature);
    }

    function testFuzz_RefusesEveryOtherLength(uint256 length, bytes32 filling) public {
        length = bound(length, 0, 200);
        vm.assume(length != 65);
        bytes32 id = open(DEPOSIT);
        bytes memory padded = abi.encodePacked(sign(id, 100), filling, filling, filling, filling, filling);
        bytes memory signature = new bytes(length);
        for (uint256 i; i < length; ++i) {
            signature[i] = padded[i];
        }
        assertRefused(id, signature);
    }

    function test_RefusesTheCompactForm() public {
        bytes32 id = open(DEPOSIT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(senderKey, digestOf(id, 100));
        bytes32 vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
        assertRefused(id, abi.encodePacked(r, vs));
    }

    function test_RefusesAVOf0Or1() public {
        bytes32 id = open(DEPOSIT);
        bytes memory signature = sign(id, 100);
        signature[64] = bytes1(uint8(signature[64]) - 27);
        assertRefused(id, signature);
    }

    function test_RefusesValuesOffTheCurve() public {
        bytes32 id = open(DEPOSIT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(senderKey, digestOf(id, 100));
        assertRefused(id, abi.encodePacked(bytes32(0), s, v));
        assertRefused(id, abi.encodePacked(r, bytes32(0), v));
        assertRefused(id, abi.encodePacked(ORDER, s, v));
        assertRefused(id, abi.encodePacked(r, ORDER, v));
        assertRefused(id, new bytes(65));
    }

    function test_RefusesTheVoucherOfAnotherChain() public {
        bytes32 id = open(DEPOSIT);
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        bytes memory signature = sign(id, 100);
        vm.chainId(here);
        assertRefused(id, signature);
    }

    function test_RefusesTheVoucherOfAnotherEscrow() public {
        bytes32 id = open(DEPOSIT);
        IChannelEscrow mine = escrow;
        escrow = IChannelEscrow(stranger);
        bytes memory signature = sign(id, 100);
        escrow = mine;
        assertRefused(id, signature);
    }

    function test_FollowsAChainThatSplits() public {
        bytes32 id = open(DEPOSIT);
        bytes memory before = sign(id, 100);
        vm.chainId(block.chainid + 1);
        assertRefused(id, before);
        assertTaken(id, sign(id, 100));
    }

    function test_AsksAContractThatIsTheSigner() public {
        address wallet = address(new Wallets.KeyWallet(owner));
        bytes32 id = open(DEPOSIT, SALT, wallet);
        assertTaken(id, sign(ownerKey, id, 100));
        assertRefused(id, sign(senderKey, id, 100));
    }

    function test_AsksAContractThatIsTheSender() public {
        sender = address(new Wallets.KeyWallet(owner));
        token.mint(sender, DEPOSIT);
        vm.prank(sender);
        token.approve(address(escrow), DEPOSIT);
        bytes32 id = open(DEPOSIT);
        assertTaken(id, sign(ownerKey, id, 100));
        assertRefused(id, sign(ownerKey, id, 101));
    }

    function test_HandsTheWalletTheDigestAndTheSignatureAsTheyAre() public {
        address wallet = address(new Wallets.WordWallet(bytes32(IERC1271.isValidSignature.selector)));
        bytes32 id = open(DEPOSIT, SALT, wallet);
        bytes memory signature = "of any length, in any form, of 67 bytes, and so not a whole word..";
        vm.expectCall(wallet, abi.encodeCall(IERC1271.isValidSignature, (digestOf(id, 100), signature)), 4);
        assertTaken(id, signature);
    }

    function test_TakesAnEmptySignatureIfTheWalletDoes() public {
        address wallet = address(new Wallets.WordWallet(bytes32(IERC1271.isValidSignature.selector)));
        assertTaken(open(DEPOSIT, SALT, wallet), NO_SIGNATURE);
    }

    function test_RefusesAnyOtherAnswer() public {
        bytes32 yes = bytes32(IERC1271.isValidSignature.selector);
        assertWalletRefused(address(new Wallets.WordWallet(0)));
        assertWalletRefused(address(new Wallets.WordWallet(bytes32(uint256(1)))));
        assertWalletRefused(address(new Wallets.WordWallet(yes | bytes32(uint256(1)))));
        assertWalletRefused(address(new Wallets.WordWallet(yes >> 224)));
        assertWalletRefused(address(new Wallets.ShortWallet()));
    }

    function test_RefusesAContractThatAnswersNothing() public {
        assertWalletRefused(address(token));
    }

    function test_RefusesAWalletThatReverts() public {
        assertWalletRefused(address(new Wallets.RevertingWallet()));
    }

    function test_RefusesAWalletThatWrites() public {
        assertWalletRefused(address(new Wallets.WritingWallet()));
    }

    /// @dev 400 kB of memory cost 343,000 gas. The wallet pays that once; the escrow does not pay it again.
    function test_ReadsOneWordOfALongAnswer() public {
        bytes32 id = open(DEPOSIT, SALT, address(new Wallets.TalkativeWallet(400_000)));
        vm.prank(receiver);
        uint256 start = gasleft();
        escrow.settle(id, 100, NO_SIGNATURE);
        assertLt(start - gasleft(), 343_000 + 100_000);
    }

    function test_AMegabyteIsMoreThanAWalletCanPayFor() public {
        assertWalletRefused(address(new Wallets.TalkativeWallet(1_000_000)));
    }

    function test_AWalletCostsNoMoreThanItsLimit() public {
        address[2] memory wallets = [address(new Wallets.BurningWallet()), address(new Wallets.GrumblingWallet())];
        for (uint256 i; i < 2; ++i) {
            bytes32 id = open(DEPOSIT, SALT, wallets[i]);
            uint256 start = gasleft();
            assertEq(trySettle(id, NO_SIGNATURE, 10_000_000), bytes4(InvalidSignature.selector));
            assertLt(start - gasleft(), escrow.SIGNATURE_GAS_LIMIT() + 60_000);
        }
    }

    function test_AWalletThatNeedsNearlyItsLimitGetsIt() public {
        assertTaken(open(DEPOSIT, SALT, address(new Wallets.HungryWallet(490_000))), NO_SIGNATURE);
    }

    function test_AWalletThatNeedsMoreThanItsLimitCannotSign() public {
        assertWalletRefused(address(new Wallets.HungryWallet(510_000)));
    }

    function test_AWalletCanChangeItsMind() public {
        Wallets.FickleWallet wallet = new Wallets.FickleWallet();
        bytes32 id = open(DEPOSIT, SALT, address(wallet));
        assertTaken(id, NO_SIGNATURE);
        wallet.change();
        assertRefused(id, NO_SIGNATURE);
    }

    function test_AKeyStaysGoodWhenItsAccountGetsCode() public {
        bytes32 id = open(DEPOSIT);
        vm.etch(sender, address(new Wallets.RevertingWallet()).code);
        assertTaken(id, sign(id, 100));
    }

    function test_AnAccountWithCodeMaySignAsAContractToo() public {
        bytes32 id = open(DEPOSIT);
        vm.etch(sender, address(new Wallets.KeyWallet(owner)).code);
        assertTaken(id, sign(ownerKey, id, 100));
    }

    /// @dev A delegation of EIP-7702 as a client stores it: 0xef0100 and an address.
    function test_FollowsADelegation() public {
        bytes32 id = open(DEPOSIT);
        vm.etch(sender, abi.encodePacked(hex"ef0100", address(new Wallets.KeyWallet(owner))));
        assertTaken(id, sign(id, 100));
        assertTaken(id, sign(ownerKey, id, 100));
    }

    function testFuzz_NeverTakesAStarvedWalletForOneThatRefuses(uint256 gasLimit) public {
        bytes32 id = open(DEPOSIT, SALT, address(new Wallets.HungryWallet(400_000)));
        gasLimit = bound(gasLimit, 30_000, 800_000);
        bytes4 failure = trySettle(id, NO_SIGNATURE, gasLimit);
        assertTrue(failure == 0 || failure == bytes4(InsufficientGas.selector) || failure == bytes4("none"));

        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](1);
        rows[0] = IChannelEscrow.Settlement(id, 200, NO_SIGNATURE);
        vm.prank(receiver);
        vm.recordLogs();
        (bool done,) =
            address(escrow).call{gas: gasLimit}(abi.encodeCall(IChannelEscrow.settleMany, (address(token), rows)));
        if (done) assertEq(settled(id), 200, "a good row is never skipped");
    }

    function test_SaysThatTheGasWasTooLittle() public {
        bytes32 id = open(DEPOSIT, SALT, address(new Wallets.HungryWallet(400_000)));
        assertEq(trySettle(id, NO_SIGNATURE, 300_000), bytes4(InsufficientGas.selector));
    }

    function assertWalletRefused(address wallet) private {
        assertRefused(open(DEPOSIT, bytes32(uint256(uint160(wallet))), wallet), NO_SIGNATURE);
    }

    /// @dev In every function that looks at a signature, over a voucher of 100.
    function assertTaken(bytes32 id, bytes memory signature) private {
        (bytes[4] memory calls,) = everyCall(id, signature);
        for (uint256 i; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(receiver);
            (bool done,) = address(escrow).call(calls[i]);
            assertTrue(done);
            assertEq(settled(id), 100);
            vm.revertToState(snapshot);
        }
    }

    function assertRefused(bytes32 id, bytes memory signature) private {
        (bytes[4] memory calls, bytes memory batch) = everyCall(id, signature);
        for (uint256 i; i < 4; ++i) {
            if (keccak256(calls[i]) == keccak256(batch)) {
                vm.expectEmit(address(escrow));
                emit SettlementSkipped(id, InvalidSignature.selector);
            }
            vm.prank(receiver);
            (bool done, bytes memory reason) = address(escrow).call(calls[i]);
            if (!done) assertEq(bytes4(reason), InvalidSignature.selector);
            assertEq(settled(id), 0);
            assertFalse(escrow.getChannel(id).finalized);
        }
    }

    function everyCall(bytes32 id, bytes memory signature)
        private
        view
        returns (bytes[4] memory calls, bytes memory batch)
    {
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](1);
        rows[0] = IChannelEscrow.Settlement(id, 100, signature);
        batch = abi.encodeCall(IChannelEscrow.settleMany, (address(token), rows));
        calls[0] = abi.encodeCall(IChannelEscrow.settle, (id, 100, signature));
        calls[1] = batch;
        calls[2] = abi.encodeWithSignature("close(bytes32,uint128,bytes)", id, uint128(100), signature);
        calls[3] =
            abi.encodeWithSignature("close(bytes32,uint128,uint128,bytes)", id, uint128(100), uint128(100), signature);
    }

    /// @dev The selector of the failure, 0 if there was none, "none" if it failed without a word.
    function trySettle(bytes32 id, bytes memory signature, uint256 gasLimit) private returns (bytes4) {
        vm.prank(receiver);
        (bool done, bytes memory reason) =
            address(escrow).call{gas: gasLimit}(abi.encodeCall(IChannelEscrow.settle, (id, 100, signature)));
        if (done) return 0;
        return reason.length == 0 ? bytes4("none") : bytes4(reason);
    }
}
