/**
 * What a contract that holds deposits means: how it names a channel, what a
 * voucher signs, which calls and events it has. Data and pure functions; it
 * returns a {@link Call} and `chain/` sends it.
 */
import type { Abi, Address, Hash, Hex, Log } from 'viem'
import type { Channel } from '../channel/channel.ts'
import type { ChainEvent } from '../channel/events.ts'

/** One contract on one chain. */
export type Deployment = { readonly chainId: number; readonly address: Address }

/** A transaction, or a question to a node. */
export type Call = { readonly to: Address; readonly data: Hex }

/** The 32 bytes that the signer signs to authorize `cumulativeAmount` on the channel `id`. */
export type Digest = (id: Hash, cumulativeAmount: bigint) => Uint8Array

/** What fixes a channel's id. */
export type Identity<terms> = {
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  readonly signer: Address
  readonly terms: terms
}

/** What a receiver takes in one settlement of several channels. */
export type Escrow<terms> = {
  readonly name: string
  readonly abi: Abi

  /** @throws {MalformedPaymentError} if `terms` lack what the id is made of */
  channelId(identity: Identity<terms>, at: Deployment): Hash
  /** Lays out once what every voucher of a contract has in common. */
  digester(at: Deployment): Digest
  /** undefined: not an event of this escrow. */
  event(log: Log, at: Deployment): ChainEvent | undefined
  /** Topics of a log query for the channels of one sender or one receiver. */
  topics(of: { readonly sender: Address } | { readonly receiver: Address }): (Hex | Hex[] | null)[]

  /** Asks for a channel; `channel` reads the answer given at `block`, undefined when there is none. */
  readonly queries: {
    channel(id: Hash, at: Deployment): Call
    challengePeriod(at: Deployment): Call
  }
  channel(id: Hash, answer: Hex, block: bigint, at: Deployment): Channel<terms> | undefined
  /** Seconds. */
  challengePeriod(answer: Hex): bigint

  /** Questions whose answers show that the contract is this kind of escrow, on this chain. */
  selfTest(receiver: Address, at: Deployment): { readonly call: Call; readonly expected: Hex }[]

  readonly calls: {
    open(identity: Identity<terms>, deposit: bigint, at: Deployment): Call
    /** The data that makes one token transfer open a channel, or top one up. */
    openByTransfer(identity: Identity<terms>): Hex
    topUpByTransfer(channel: Channel): Hex
    topUp(channel: Channel, amount: bigint): Call
    /** The best voucher's whole amount. Caller: the receiver. */
    settle(channel: Channel): Call
    settleMany(channels: readonly Channel[]): Call
    /** Takes `amount`, at most what the best voucher authorizes, and gives the rest back. Caller: the receiver. */
    close(channel: Channel, amount: bigint): Call
    /** Pays `owed`, cumulative, and starts the challenge period. Caller: the sender. */
    requestClose(channel: Channel, owed: bigint): Call
    withdraw(channel: Channel): Call
  }
}
