// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IChannelEscrowEvents} from "./IChannelEscrowEvents.sol";
import {IFundedByTransfer} from "./IFundedByTransfer.sol";
import {IOperators} from "./IOperators.sol";
import {IRelayed} from "./IRelayed.sol";

/// @title Escrow of one-way payment channels
/// @notice A sender puts a deposit into a channel to one receiver and then pays by signatures: each voucher promises
///         the receiver a cumulative amount of the deposit. The receiver takes what it was promised whenever it likes;
///         the rest goes back to the sender. The sender can end the channel alone, after a challenge period.
/// @dev All of draft-evm-session-00, the relayed profile included, with extensions that are marked as such. Anyone can use any ERC-20
///      token that moves exactly what it is told to move: no fee on transfers, no rebasing. Nobody owns this contract,
///      nothing in it can be changed, and a token that misbehaves reaches no channel in another token.
interface IChannelEscrow is IChannelEscrowEvents, IFundedByTransfer, IRelayed, IOperators {
    /// @notice All about a channel. Amounts are in token base units.
    /// @param finalized Closed or withdrawn: nothing can happen to the channel any more.
    /// @param closeRequestedAt Unix time at which the sender asked to close; 0 if it did not, or after the end.
    /// @param signer Key that signs the vouchers, or zero if the sender does.
    /// @param deposit All put in so far. Never falls, not even when it is paid out.
    /// @param settled What of it the receiver has been paid. Never falls.
    struct Channel {
        bool finalized;
        uint64 closeRequestedAt;
        address sender;
        address receiver;
        address token;
        address signer;
        uint128 deposit;
        uint128 settled;
    }

    /// @notice One row of `settleMany`. The fields are those of `settle`.
    struct Settlement {
        bytes32 channelId;
        uint128 cumulativeAmount;
        bytes signature;
    }

    /// @notice Opens a channel from the caller and takes the deposit, for which the caller has approved this contract.
    /// @param receiver Who is paid.
    /// @param token ERC-20 token of the channel.
    /// @param deposit First deposit.
    /// @param salt Makes the id unique among channels with the same terms. Ids are never free again.
    /// @param signer Key that signs the vouchers; zero for the sender itself. May be a contract (ERC-1271).
    /// @return channelId See `computeChannelId`.
    function open(address receiver, address token, uint128 deposit, bytes32 salt, address signer)
        external
        returns (bytes32 channelId);

    /// @notice Opens a channel of another: the caller pays the deposit, which it has approved, and `sender` is the sender.
    ///         Extension.
    /// @dev What is not used goes to the sender, who may ask for it at any time: the deposit is a gift. The salt in the
    ///      terms of the channel is keccak256(abi.encode(msg.sender, salt)), so that nobody can take an id that the sender
    ///      is about to open itself.
    /// @param salt As in `open`, among the caller's.
    function openFor(address sender, address receiver, address token, uint128 deposit, bytes32 salt, address signer)
        external
        returns (bytes32 channelId);

    /// @notice `open` with an ERC-2612 permit in place of the approval. Extension.
    /// @dev A permit that fails is ignored: someone may have sent it already, and if it was no good then the deposit
    ///      cannot be taken. The permit is the caller's own; it never spends for anyone else.
    function openWithPermit(
        address receiver,
        address token,
        uint128 deposit,
        bytes32 salt,
        address signer,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 channelId);

    /// @notice Adds to the deposit. Only the sender. Withdraws its request to close, if there is one.
    function topUp(bytes32 channelId, uint128 additionalDeposit) external;

    /// @notice `topUp` with an ERC-2612 permit in place of the approval. Extension. See `openWithPermit`.
    function topUpWithPermit(
        bytes32 channelId,
        uint128 additionalDeposit,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Pays the receiver what was authorized since the last settlement. The receiver calls, or its operator. The
    ///         channel stays open, also when the sender has asked to close it.
    /// @dev Amounts are cumulative: after a settlement of 100, a voucher for 250 pays 150.
    ///      Effects precede the transfer, so a token that calls back finds the voucher spent.
    /// @param cumulativeAmount Total authorized since the channel was opened: over `settled`, at most `deposit`.
    /// @param signature Over `getVoucherDigest`. ECDSA, 65 bytes r, s, v with low s and v 27 or 28; where that does not
    ///        give the signer and the signer has code, whatever its ERC-1271 `isValidSignature` accepts.
    function settle(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice Settles many channels of the caller in one token with one transfer. Extension.
    /// @dev A row that `settle` would refuse is left out and told by `SettlementSkipped`; it never holds up the others.
    ///      The batch reverts `InsufficientGas` rather than take a wallet that ran dry for one that refused. So give it
    ///      `SIGNATURE_GAS_LIMIT` more for each row with a contract as signer, and 15,000 once: then no wallet can hold
    ///      it up, whatever it did in a simulation.
    /// @return total What the caller was paid.
    function settleMany(address token, Settlement[] calldata settlements) external returns (uint256 total);

    /// @notice `settleMany` by the receiver or its operator. Extension.
    /// @dev Reverts `NotReceiver` for anyone else. A row of another receiver is skipped, also if it has this operator.
    /// @return total What the receiver was paid.
    function settleManyFor(address receiver, address token, Settlement[] calldata settlements)
        external
        returns (uint256 total);

    /// @notice Ends the channel: pays the receiver what was authorized and the sender the rest. The receiver calls, or
    ///         its operator.
    /// @dev With `cumulativeAmount` at or under `settled` the receiver forfeits, and `signature` is not looked at.
    ///      Both parties are paid here, so a token that blocks one of them makes this revert. Then the receiver still
    ///      has `settle`, and the sender `requestClose` and `withdraw`.
    function close(bytes32 channelId, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice Ends the channel at less than the voucher allows: the receiver charged only `amount`. Extension.
    /// @param amount Cumulative amount to be paid, `settled <= amount <= cumulativeAmount`.
    /// @param cumulativeAmount Amount of the voucher. At `settled`, nothing is paid and `signature` is not looked at.
    function close(bytes32 channelId, uint128 amount, uint128 cumulativeAmount, bytes calldata signature) external;

    /// @notice Starts the challenge period, after which the sender, who calls, can `withdraw`.
    /// @dev The first request stands: another one neither restarts the period nor reverts.
    function requestClose(bytes32 channelId) external;

    /// @notice Pays the receiver what the sender, who calls, says it owes, then as `requestClose`. Extension.
    /// @dev An honest sender leaves the receiver nothing to do. A further call may pay more; the period runs on.
    /// @param owed Cumulative amount, `settled <= owed <= deposit`.
    function requestClose(bytes32 channelId, uint128 owed) external;

    /// @notice Ends the channel after the challenge period: what was not settled goes to the sender, who calls.
    function withdraw(bytes32 channelId) external;

    /// @notice All about a channel. Zeros if there is none.
    function getChannel(bytes32 channelId) external view returns (Channel memory);

    /// @notice The id of the channel with these terms, at this contract on this chain, whether it exists or not.
    /// @return keccak256(abi.encode(sender, receiver, token, salt, signer, address(this), block.chainid))
    function computeChannelId(address sender, address receiver, address token, bytes32 salt, address signer)
        external
        view
        returns (bytes32);

    /// @notice The EIP-712 digest of a voucher: what its signer signs.
    function getVoucherDigest(bytes32 channelId, uint128 cumulativeAmount) external view returns (bytes32);

    /// @notice The EIP-712 domain separator: "EVM Payment Channel", version "1", this chain and this contract.
    function domainSeparator() external view returns (bytes32);

    /// @notice The challenge period in seconds.
    function CLOSE_GRACE_PERIOD() external view returns (uint64);

    /// @notice The most gas that a contract signer gets to check a voucher. A wallet that needs more cannot sign.
    function SIGNATURE_GAS_LIMIT() external view returns (uint256);
}
