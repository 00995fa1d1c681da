/**
 * One payment channel, as both ends see it.
 *
 * Three amounts with three authorities: the sender authorizes (its best
 * voucher), the receiver charges (what it delivered), the chain settles (what
 * the receiver took). Always `settled <= authorized <= deposit` and
 * `charged <= authorized`. Amounts are base units of the token.
 */
import type { Address, Hash, Hex } from 'viem'
import { lower } from '../base/read.ts'

/** chain : escrow : id, in lower case, so that equal channels are equal strings. */
export type ChannelKey = `eip155:${number}:${Address}:${Hash}`

/** A signed promise of all that was ever authorized on a channel; never an increment. */
export type Voucher = { readonly cumulativeAmount: bigint; readonly signature: Hex }

/** When the sender may take the rest: some escrows count blocks, others seconds since 1970. */
export type WithdrawableAt = { readonly block: bigint } | { readonly time: bigint }

/** Where on a chain something was seen. */
export type Place = {
  readonly block: bigint
  /** Which log of the block it was; absent: the whole block. */
  readonly logIndex?: number
}

export type ChannelStatus = 'open' | 'closing' | 'closed'

export type Channel<terms = unknown> = Place & {
  readonly key: ChannelKey
  readonly id: Hash
  readonly chainId: number
  readonly escrow: Address

  /** Fixed when the channel was opened. `terms` is what only this kind of escrow needs. */
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  /** Whose signature a voucher needs; often not the sender itself. */
  readonly signer: Address
  readonly terms: terms

  /** What the escrow said, as of its place on the chain. */
  readonly status: ChannelStatus
  readonly deposit: bigint
  readonly settled: bigint
  /** What the sender said that it owes when it asked to close; absent where the escrow took it at once. */
  readonly closeStated?: bigint
  readonly withdrawableAt?: WithdrawableAt

  /** What this party accepted or signed, and what it delivered or received. */
  readonly voucher?: Voucher
  readonly charged: bigint
  /** What the receiver has signed that it takes at a close. From then on nothing is charged. */
  readonly closeAgreed?: bigint
  /** Of how many restores of its store from a backup this is level again; absent: of none. */
  readonly caughtUp?: number
}

export function channelKey(chainId: number, escrow: Address, id: Hash): ChannelKey {
  return `eip155:${chainId}:${lower(escrow)}:${lower(id)}`
}

/** All that the sender has authorized. What was settled was authorized, even if its voucher was lost. */
export function authorized(channel: Channel): bigint {
  const signed = channel.voucher?.cumulativeAmount ?? 0n
  return signed > channel.settled ? signed : channel.settled
}

/** Authorized and not charged yet: the sender's credit. */
export function credit(channel: Channel): bigint {
  return authorized(channel) - channel.charged
}

/** What the sender can still authorize before it has to top up. */
export function available(channel: Channel): bigint {
  return channel.deposit - channel.charged
}

/** What the receiver can still take with the best voucher. */
export function unsettled(channel: Channel): bigint {
  return authorized(channel) - channel.settled
}
