// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IChannelEscrow} from "../src/interfaces/IChannelEscrow.sol";
import {IERC3009, IERC3009WithBytes} from "../src/interfaces/IERC3009.sol";
import {IFundedByTransfer} from "../src/interfaces/IFundedByTransfer.sol";
import {IOperators} from "../src/interfaces/IOperators.sol";
import {IRelayed} from "../src/interfaces/IRelayed.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {PERMIT2, putPermit2} from "./Permit2.sol";
import {ERC223Token} from "./tokens/ERC223Token.sol";
import {HostileToken} from "./tokens/HostileToken.sol";

/// @dev A hostile token that is the sender and the receiver of channels in itself, so that nothing but the guard is
///      between it and any function. It enters every function from within every function that calls it.
contract ReentrancyTest is EscrowTest {
    uint128 private constant DEPOSIT = 10 * 10 ** 6;
    uint256 private constant NEVER = type(uint256).max;
    HostileToken private hostile;
    bytes32 private id;
    bytes32 private bystander;
    bytes[] private attacks;

    function setUp() public override {
        super.setUp();
        bystander = open(DEPOSIT);
        putPermit2();
        hostile = new HostileToken();
        hostile.mint(address(hostile), 1_000 * DEPOSIT);
        vm.startPrank(address(hostile));
        hostile.approve(address(escrow), type(uint256).max);
        hostile.approve(PERMIT2, type(uint256).max);
        id = escrow.open(address(hostile), address(hostile), DEPOSIT, "first", address(this));
        escrow.open(address(hostile), address(hostile), DEPOSIT, "second", address(this));
        vm.stopPrank();
        bytes memory terms = abi.encode(receiver, keccak256("new"), address(0));
        IChannelEscrow.Settlement[] memory rows = new IChannelEscrow.Settlement[](1);
        rows[0] = IChannelEscrow.Settlement(id, 9, NO_SIGNATURE);

        attacks.push(abi.encodeCall(IChannelEscrow.open, (receiver, address(hostile), 1, "new", address(0))));
        attacks.push(
            abi.encodeCall(
                IChannelEscrow.openWithPermit, (receiver, address(hostile), 1, "new", address(0), 0, 0, 0, 0)
            )
        );
        attacks.push(abi.encodeCall(IChannelEscrow.topUp, (id, 1)));
        attacks.push(abi.encodeCall(IChannelEscrow.topUpWithPermit, (id, 1, 0, 0, 0, 0)));
        attacks.push(abi.encodeCall(IChannelEscrow.settle, (id, 9, NO_SIGNATURE)));
        attacks.push(abi.encodeCall(IChannelEscrow.settleMany, (address(hostile), rows)));
        attacks.push(abi.encodeWithSignature("close(bytes32,uint128,bytes)", id, 9, NO_SIGNATURE));
        attacks.push(abi.encodeWithSignature("close(bytes32,uint128,uint128,bytes)", id, 9, 9, NO_SIGNATURE));
        attacks.push(abi.encodeWithSignature("requestClose(bytes32)", id));
        attacks.push(abi.encodeWithSignature("requestClose(bytes32,uint128)", id, 9));
        attacks.push(abi.encodeCall(IChannelEscrow.withdraw, (id)));
        attacks.push(abi.encodeCall(IFundedByTransfer.tokenReceived, (address(hostile), 1, terms)));
        attacks.push(abi.encodeCall(IFundedByTransfer.tokenFallback, (address(hostile), 1, terms)));
        attacks.push(abi.encodeCall(IFundedByTransfer.onTransferReceived, (stranger, address(hostile), 1, terms)));
        attacks.push(abi.encodeCall(IFundedByTransfer.onTokenTransfer, (address(hostile), 1, terms)));
        attacks.push(abi.encodeCall(IFundedByTransfer.tokenReceived, (address(hostile), 1, abi.encode(id))));
        addRelayedAttacks(rows);
    }

    /// @dev Numbers 16 to 24.
    function addRelayedAttacks(IChannelEscrow.Settlement[] memory rows) private {
        (address self, bytes memory any) = (address(hostile), new bytes(65));
        bytes32 nonce = keccak256(abi.encode(self, receiver, self, SALT, address(0)));
        attacks.push(
            abi.encodeCall(
                IRelayed.openWithAuthorization, (receiver, self, 1, SALT, address(0), self, 0, NEVER, nonce, any)
            )
        );
        nonce = keccak256(abi.encode(id, 1, self, SALT));
        attacks.push(abi.encodeCall(IRelayed.topUpWithAuthorization, (id, 1, self, SALT, 0, NEVER, nonce, any)));
        attacks.push(
            abi.encodeCall(IRelayed.openWithPermit2, (receiver, self, 1, SALT, address(0), self, 0, NEVER, any))
        );
        attacks.push(abi.encodeCall(IRelayed.topUpWithPermit2, (id, 1, self, 0, NEVER, any)));
        attacks.push(abi.encodeCall(IRelayed.settleWithAuthorization, (id, 9, 0, NEVER, any, any)));
        attacks.push(abi.encodeCall(IRelayed.closeWithAuthorization, (id, 9, 0, NEVER, any, any)));
        attacks.push(abi.encodeCall(IChannelEscrow.openFor, (stranger, receiver, self, 1, SALT, address(0))));
        attacks.push(abi.encodeCall(IChannelEscrow.settleManyFor, (self, self, rows)));
        attacks.push(abi.encodeCall(IOperators.setOperator, (stranger)));
    }

    /// @dev The signer of the hostile channels agrees to everything, so that no attack fails for a signature.
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0x1626ba7e;
    }

    function test_EveryAttackWorksWhenItIsNotFromWithin() public {
        for (uint256 i; i < attacks.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (bytes4(attacks[i]) == IChannelEscrow.withdraw.selector) {
                vm.prank(address(hostile));
                escrow.requestClose(id);
                skip(GRACE);
            }
            vm.prank(address(hostile));
            (bool done,) = address(escrow).call(attacks[i]);
            assertTrue(done, "an attack that fails anyway shows nothing");
            vm.revertToState(snapshot);
        }
    }

    function test_NothingIsEnteredFromOpen() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[0]);
    }

    function test_NothingIsEnteredFromOpenWithPermit() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[1]);
        assertGuarded(IERC20Permit.permit.selector, attacks[1]);
    }

    function test_NothingIsEnteredFromTopUp() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[2]);
    }

    function test_NothingIsEnteredFromTopUpWithPermit() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[3]);
        assertGuarded(IERC20Permit.permit.selector, attacks[3]);
    }

    function test_NothingIsEnteredFromSettle() public {
        assertGuarded(IERC20.transfer.selector, attacks[4]);
    }

    function test_NothingIsEnteredFromSettleMany() public {
        assertGuarded(IERC20.transfer.selector, attacks[5]);
    }

    function test_NothingIsEnteredFromClose() public {
        assertGuarded(IERC20.transfer.selector, attacks[6]);
        assertGuarded(IERC20.transfer.selector, attacks[7]);
    }

    function test_NothingIsEnteredFromARequestToCloseThatPays() public {
        assertGuarded(IERC20.transfer.selector, attacks[9]);
    }

    function test_NothingIsEnteredFromWithdraw() public {
        vm.prank(address(hostile));
        escrow.requestClose(id);
        skip(GRACE);
        assertGuarded(IERC20.transfer.selector, attacks[10]);
    }

    function test_NothingIsEnteredFromTheAuthorizationsOfAToken() public {
        for (uint256 i = 16; i < 18; ++i) {
            assertGuarded(IERC3009WithBytes.receiveWithAuthorization.selector, attacks[i]);
            assertGuarded(IERC3009.receiveWithAuthorization.selector, attacks[i]);
        }
    }

    function test_NothingIsEnteredFromPermit2() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[18]);
        assertGuarded(IERC20.transferFrom.selector, attacks[19]);
    }

    function test_NothingIsEnteredFromTheAuthorizationsOfAReceiver() public {
        assertGuarded(IERC20.transfer.selector, attacks[20]);
        assertGuarded(IERC20.transfer.selector, attacks[21]);
    }

    function test_NothingIsEnteredFromOpenFor() public {
        assertGuarded(IERC20.transferFrom.selector, attacks[22]);
    }

    function test_NothingIsEnteredFromSettleManyFor() public {
        assertGuarded(IERC20.transfer.selector, attacks[23]);
    }

    /// @dev While one token is pulled, only that token may call without data. Another's transfer would be lost.
    function test_NoOtherTokenIsTakenForTheOneThatIsPulled() public {
        ERC223Token other = new ERC223Token();
        other.mint(address(hostile), 100);
        hostile.plan(
            IERC20.transferFrom.selector, address(other), abi.encodeCall(IERC20.transfer, (address(escrow), 100))
        );
        vm.prank(address(hostile));
        escrow.topUp(id, 1);

        assertTrue(hostile.attacked());
        assertFalse(hostile.succeeded());
        assertEq(bytes4(hostile.answer()), Reentrancy.selector);
        assertEq(other.balanceOf(address(hostile)), 100);
    }

    function test_ATokenThatLiesHarmsOnlyItself() public {
        vm.startPrank(address(hostile));
        bytes memory terms = abi.encode(address(hostile), keccak256("lie"), address(this));
        escrow.tokenReceived(address(hostile), 2 * DEPOSIT, terms);
        bytes32 lie = escrow.computeChannelId(
            address(hostile), address(hostile), address(hostile), keccak256("lie"), address(this)
        );
        escrow.settle(lie, 2 * DEPOSIT, NO_SIGNATURE);
        vm.stopPrank();

        assertEq(hostile.balanceOf(address(escrow)), 0, "it took what other channels in it had");
        assertEq(token.balanceOf(address(escrow)), DEPOSIT);
        close(bystander, 100);
        assertEq(token.balanceOf(receiver), 100);
        assertEq(token.balanceOf(sender), FORTUNE - 100);
    }

    /// @dev Runs `call` as the hostile token once for each attack, which strikes when the escrow calls `within`.
    function assertGuarded(bytes4 within, bytes memory call) private {
        for (uint256 i; i < attacks.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            hostile.plan(within, address(escrow), attacks[i]);
            vm.prank(address(hostile));
            (bool done,) = address(escrow).call(call);
            assertTrue(done);
            assertTrue(hostile.attacked());
            assertFalse(hostile.succeeded());
            assertEq(bytes4(hostile.answer()), Reentrancy.selector);
            vm.revertToState(snapshot);
        }
    }
}
