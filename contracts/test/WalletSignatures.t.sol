// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {SignatureTest} from "./SignatureTest.sol";
import "./Wallets.sol" as Wallets;

/// @dev The signatures of contracts, by ERC-1271.
contract WalletSignaturesTest is SignatureTest {
    address private owner;
    uint256 private ownerKey;

    function setUp() public override {
        super.setUp();
        (owner, ownerKey) = makeAddrAndKey("owner");
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
        assertWalletRefused(address(new Wallets.RefusingWallet()));
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

    /// forge-config: default.fuzz.runs = 1000
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

    function test_WalletsCannotHoldUpABatchThatHasTheirLimits() public {
        address burning = address(new Wallets.BurningWallet());
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](6);
        for (uint256 i; i < 6; ++i) {
            bytes32 id = open(DEPOSIT, bytes32(i), i < 3 ? burning : address(0));
            rows[i] = IChannelEscrow.Settlement(id, 100, sign(id, 100));
        }
        uint256 enough = 6 * 20_000 + 60_000 + 3 * escrow.SIGNATURE_GAS_LIMIT() + 15_000;
        vm.prank(receiver);
        assertEq(escrow.settleMany{gas: enough}(address(token), rows), 300);
    }

    /// @dev A 64th of the gas stays behind, so a wallet may get less than its limit when the escrow has more than that.
    function test_KnowsHowMuchGasAWalletReallyGot() public {
        bytes32 id = open(DEPOSIT, SALT, address(new Wallets.HungryWallet(495_000)));
        for (uint256 gasLimit = 500_000; gasLimit < 560_000; gasLimit += 250) {
            uint256 snapshot = vm.snapshotState();
            assertNotEq(trySettle(id, NO_SIGNATURE, gasLimit), bytes4(InvalidSignature.selector));
            vm.revertToState(snapshot);
        }
    }

    function test_AKeyNeedsNoGasForAWallet() public {
        bytes32 id = open(DEPOSIT);
        assertEq(trySettle(id, NO_SIGNATURE, 60_000), bytes4(InvalidSignature.selector));
    }

    function test_SaysThatTheGasWasTooLittle() public {
        bytes32 id = open(DEPOSIT, SALT, address(new Wallets.HungryWallet(400_000)));
        assertEq(trySettle(id, NO_SIGNATURE, 300_000), bytes4(InsufficientGas.selector));
    }

    function assertWalletRefused(address wallet) private {
        assertRefused(open(DEPOSIT, bytes32(uint256(uint160(wallet))), wallet), NO_SIGNATURE);
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
