/** The three messages that every dialect writes and reads: an offer, a payment, a receipt. */
import type { Address, Hash, Hex } from 'viem'
import type { Voucher } from './channel.ts'

/** What a 402 asks for, on one rail. */
export type Offer = {
  /** Cost of one request, in base units of `token`. */
  readonly price: bigint
  readonly token: Address
  readonly receiver: Address
  readonly chainId: number
  readonly escrow: Address
  /** The deposit that the receiver suggests. A hint; the sender's budget decides. */
  readonly deposit?: bigint
  /** The least by which a voucher must rise. */
  readonly step?: bigint
  /** Milliseconds since 1970. */
  readonly expiresAtMs?: number
  /** Which resource the offer is for. A payment made for another one is refused. */
  readonly resource?: string
  readonly description?: string
  /** Takes only vouchers that rise by exactly the price, one request at a time. */
  readonly exact?: true
  /** How the deposit may be put in, best first. Absent: by a transaction of the sender. */
  readonly funding?: readonly Funding['by'][]
  /** What the dialect must see again; opaque to everyone else. */
  readonly echo?: unknown
}

/** How a payment proves that a deposit was put in, or lets the receiver put it in. */
export type Funding = SentDeposit | SignedDeposit

/** The sender has sent the transaction. */
export type SentDeposit = {
  readonly by: 'transaction'
  readonly action: 'open' | 'topUp'
  readonly hash: Hash
  /** Base units that a top up added. */
  readonly amount?: bigint
}

/** A transfer into one channel that was signed. Whoever sends it pays the gas, and can change nothing of it. */
export type SignedDeposit = UnsignedDeposit & { readonly signature: Hex; readonly hash?: undefined }

/** What is signed for a deposit. Times are in seconds since 1970. */
export type UnsignedDeposit = {
  readonly action: 'open' | 'topUp'
  /** Whose tokens they are. */
  readonly from: Address
  /** Base units. */
  readonly amount: bigint
} & (
  | {
      readonly by: 'eip3009'
      readonly validAfter: bigint
      readonly validBefore: bigint
      readonly nonce: Hash
      /** What the nonce of a top up is made of, beside what everybody knows. */
      readonly salt?: Hash
    }
  | { readonly by: 'permit2'; readonly token: Address; readonly nonce: bigint; readonly deadline: bigint }
)

/** What a request carries. Whatever it says of the channel must agree with what we know. */
export type Payment<terms = unknown> = {
  readonly chainId?: number
  readonly escrow?: Address
  readonly channelId?: Hash
  readonly sender?: Address
  readonly receiver?: Address
  readonly signer?: Address
  readonly terms?: terms
  /** Absent only when the payment does nothing but fund. */
  readonly voucher?: Voucher
  readonly funding?: Funding
  /** The sender asks the receiver to close. */
  readonly close?: true
  /** The offer that is paid, where the dialect echoes it; `genuine` once the dialect has seen that it is ours. */
  readonly offer?: Offer
  readonly genuine?: boolean
}

/** What a paid answer carries. */
export type Receipt = {
  readonly channelId: Hash
  readonly chainId: number
  readonly sender: Address
  readonly receiver: Address
  readonly token: Address
  readonly escrow: Address
  readonly atMs: number
  /** Charged for this request. */
  readonly price: bigint
  readonly charged: bigint
  readonly authorized: bigint
  readonly deposit: bigint
  readonly settled: bigint
  readonly transaction?: Hash
  readonly offer?: Offer
}
