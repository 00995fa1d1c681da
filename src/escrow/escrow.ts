/**
 * What a contract that holds deposits means: how it names a channel, what a
 * voucher signs, which calls and events it has. Data and pure functions; it
 * returns a {@link Call} and `chain/` sends it.
 */
import type { Abi, Address, Hash, Hex, Log, TypedDataDefinition } from 'viem'
import { lower } from '../base/read.ts'
import type { Channel } from '../channel/channel.ts'
import type { ChainEvent } from '../channel/events.ts'
import type { SignedDeposit, UnsignedDeposit } from '../channel/messages.ts'

/** One contract on one chain. */
export type Deployment = {
  readonly chainId: number
  readonly address: Address
  /** Where the contract holds one token only, and does not name it in its events: that token. */
  readonly token?: Address
}

/** A transaction, or a question to a node. */
export type Call = { readonly to: Address; readonly data: Hex }

/** What names a channel in calls and in what is signed. */
export type Named<terms> = Pick<Channel<terms>, 'id' | 'sender' | 'receiver' | 'terms'>

/** The 32 bytes that the signer signs to authorize `cumulativeAmount` on a channel. */
export type Digest = (channel: Named<unknown>, cumulativeAmount: bigint) => Uint8Array

/** How long a sender that leaves alone has to wait. */
export type ChallengePeriod = { readonly seconds: bigint } | { readonly blocks: bigint }

/** Token transfers that carry data and so put in a deposit by one transaction. */
export type TransferKind = 'transferAndCall' | 'transfer'

/** A question whose answer shows that the contract is the escrow that it is taken for. */
export type SelfTest = { readonly call: Call; readonly what: string; readonly passes: (answer: Hex) => boolean }

/** One transaction of a settlement, and the channels that it settles. */
export type SettleCall = { readonly call: Call; readonly channels: readonly Channel[] }

/** What fixes a channel's id. */
export type Identity<terms> = {
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  readonly signer: Address
  readonly terms: terms
}

/** What a deposit is for: a channel that it opens, or one that it tops up. */
export type Purpose<terms> =
  | { readonly action: 'open'; readonly identity: Identity<terms> }
  | { readonly action: 'topUp'; readonly channel: Channel<terms> }

/** An EIP-712 domain of a token. */
export type TokenDomain = {
  readonly name: string
  readonly version: string
  readonly chainId: number
  readonly verifyingContract: Address
}

/** An ERC-2612 approval of the escrow by its caller. `deadline` is in seconds since 1970. */
export type Permit = { readonly deadline: bigint; readonly signature: Hex }

/** Deposits that a signature puts in. Whoever has it can send it, for the purpose alone that it was signed for. */
export type SignedDeposits<terms> = {
  /** The error with which an open is refused whose channel is there. */
  readonly done: string
  /** Makes an ERC-3009 authorization one for this purpose. `salt`: of a top up, so that there can be another one. */
  nonce(purpose: Purpose<terms>, from: Address, amount: bigint, salt: Hash): Hash
  /** What `from` signs. `domain` is the token's, needed for ERC-3009 alone. */
  message(purpose: Purpose<terms>, deposit: UnsignedDeposit, at: Deployment, domain?: TokenDomain): TypedDataDefinition
  /** Caller: anyone. */
  call(purpose: Purpose<terms>, deposit: SignedDeposit, at: Deployment): Call
  /** Caller: the sender. */
  permitted(purpose: Purpose<terms>, amount: bigint, permit: Permit, at: Deployment): Call
}

export type Escrow<terms> = {
  readonly name: string
  readonly abi: Abi
  /** Whether vouchers are always signed by the sender itself, with its key. */
  readonly signedBySender: boolean
  /** Whether it takes the signature of a contract (ERC-1271) for a voucher. */
  readonly contractSigners: boolean
  /** Whether a close can pay the receiver less than the best voucher authorizes. */
  readonly closesAtLess: boolean
  /** The error with which it refuses a withdrawal before its time. */
  readonly tooEarly: string
  /** The error with which it refuses a settlement that would bring nothing. */
  readonly alreadySettled: string
  /** The transfers with data that it takes for a deposit. */
  readonly transfers: readonly TransferKind[]
  /** Absent: it takes no deposits by signature. */
  readonly signed?: SignedDeposits<terms>

  /** What a new channel of this sender shall be fixed by, as far as it can choose. `random`: 32 bytes. */
  freshTerms(random: Hash): terms
  /** @throws {MalformedPaymentError} if `terms` lack what the id is made of */
  channelId(identity: Identity<terms>, at: Deployment): Hash
  /** Lays out once what every voucher of a contract has in common. */
  digester(at: Deployment): Digest
  /** What the receiver signs to consent to a close at `amount`; undefined where its transaction says so. */
  consent(channel: Channel, amount: bigint): Uint8Array | undefined
  /** undefined: not an event of this escrow. */
  event(log: Log, at: Deployment): ChainEvent | undefined
  /** Topics of a log query for the channels of one sender or one receiver. */
  topics(of: { readonly sender: Address } | { readonly receiver: Address }): (Hex | Hex[] | null)[]

  /** Asks for a channel; `channel` reads the answer given at `block`, undefined when there is none. */
  readonly queries: {
    channel(channel: Named<terms>, at: Deployment): Call
    challengePeriod(at: Deployment): Call
    /** Answered with the only token that the contract holds; undefined where it holds any. */
    token(at: Deployment): Call | undefined
    /** Answered with who may settle and close in the name of a receiver; undefined where only itself may. */
    operator(receiver: Address, at: Deployment): Call | undefined
  }
  channel(channel: Named<terms>, answer: Hex, block: bigint, at: Deployment): Channel<terms> | undefined
  challengePeriod(answer: Hex): ChallengePeriod

  selfTest(receiver: Address, at: Deployment): SelfTest[]

  readonly calls: {
    open(identity: Identity<terms>, deposit: bigint, at: Deployment): Call
    /** The data that makes one token transfer open a channel, or top one up. */
    openByTransfer(identity: Identity<terms>): Hex
    topUpByTransfer(channel: Channel): Hex
    topUp(channel: Channel, amount: bigint): Call
    /**
     * The best vouchers' whole amounts, in as few transactions as the contract allows. `caller` is the receiver of
     * all of them, or its operator.
     */
    settle(channels: readonly Channel[], caller: Address): SettleCall[]
    /** What {@link settle} costs, in units of gas, about. `fixed` is of a transaction, `each` of a channel in it. */
    readonly settleGas: { readonly fixed: bigint; readonly each: bigint }
    /** Names who may settle and close for the caller, a receiver; undefined where nobody else may. */
    setOperator(operator: Address, at: Deployment): Call | undefined
    /**
     * Takes `amount`, at most what the best voucher authorizes, and gives the rest back. Caller: the receiver or its
     * operator; where the receiver has signed its {@link Escrow.consent}, anyone.
     */
    close(channel: Channel, amount: bigint, consent: Hex | undefined): Call
    /** Pays `owed`, cumulative, and starts the challenge period. Caller: the sender. */
    requestClose(channel: Channel, owed: bigint): Call
    withdraw(channel: Channel): Call
  }
}

/** The address in a 32-byte word of a log or of an answer, lower case. */
export function addressIn(word: Hex): Address {
  return lower(`0x${word.slice(26, 66)}`)
}
