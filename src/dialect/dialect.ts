/**
 * How one HTTP protocol says an offer, a payment and a receipt. Codecs and two
 * facts given as data; no I/O and no clock.
 */
import type { Hex } from 'viem'
import type { Code, Details } from '../base/errors.ts'
import type { HeaderReader } from '../base/read.ts'
import type { Channel } from '../channel/channel.ts'
import type { DueRule } from '../channel/ledger.ts'
import type { Offer, Payment, Receipt } from '../channel/messages.ts'
import type { Proof } from '../escrow/proof.ts'

/** How this dialect says one of our codes: its status, and its word or problem type. */
export type Refusal = { readonly status: number; readonly word: string }

/** Why a payment was not taken, and the numbers that its sender may know. */
export type Refused = { readonly code: Code; readonly details: Details }

export type HeaderLines = readonly (readonly [name: string, value: string])[]

export type Dialect<terms> = {
  readonly name: string
  readonly due: DueRule
  readonly refusals: Readonly<Record<Code, Refusal>>
  /** Request headers that change the answer, for `Vary`. */
  readonly requestHeaders: readonly string[]
  /** Whether a payment can name the transaction that put its deposit in. Otherwise the receiver sees it on the chain. */
  readonly carriesFunding: boolean
  /** Whether a browser is told in cookies too what the headers of a 402 say. */
  readonly usesCookies: boolean
  /** How a sender asks the receiver to close: by a payment to any paid address, or as this says. */
  readonly closing: 'by payment' | Closing

  /** Whether the request carries a payment of this dialect, well-formed or not. */
  speaks(headers: HeaderReader): boolean
  /** Whether a method only moves vouchers and money, and never asks for the resource. */
  updatesOnly(method: string): boolean

  writeOffer(offer: Offer): HeaderLines
  /** What a 402 says beside its offers. */
  writeRefusal(refused: Refused): HeaderLines
  /** The offers of this dialect in a 402 from a server on this chain; those it cannot read are left out. */
  readOffers(headers: HeaderReader, chainId: number): Offer[]
  /** What the headers of a refusal say; undefined: nothing, or only what its body says too. */
  readRefusal(headers: HeaderReader): Refused | undefined

  writePayment(offer: Offer, payment: Payment<terms>): HeaderLines
  /** @throws {MalformedPaymentError} | {@link PaymentUnsupportedError} */
  readPayment(headers: HeaderReader): Payment<terms>

  writeReceipt(receipt: Receipt): HeaderLines
  /** What this dialect says about the ledger, undefined when there is no readable receipt. */
  readReceipt(headers: HeaderReader): KnownReceipt | undefined
}

/** A receipt as the sender reads it: whatever of one the dialect carries. */
export type KnownReceipt = Partial<Receipt>

/** The conversation in which a receiver signs its consent and the sender closes on chain. */
export type Closing = {
  /** What to ask for. `offer`: what a 402 of the receiver said. `proof`: the sender's signature that it asks. */
  request(offer: Offer, channel: Channel, amount: bigint, proof: Proof): ClosingRequest
  /** The consent in the answer. @throws {MalformedPaymentError} */
  readConsent(body: string): Hex
}

export type ClosingRequest = {
  readonly method: string
  readonly path: string
  readonly headers: HeaderLines
  readonly body: string
}

/** A refusal in our own word, for protocols that have none. */
export function ours(status: number, code: Code): Refusal {
  return { status, word: `urn:farthing:${code}` }
}

/** What no protocol has a word for is said the same in all of them. */
export const commonRefusals = {
  'request-conflict': ours(409, 'request-conflict'),
  'answer-gone': ours(409, 'answer-gone'),
  'request-interrupted': ours(409, 'request-interrupted'),
  'body-too-large': ours(413, 'body-too-large'),
  'too-many-failures': ours(429, 'too-many-failures'),
  'receiver-unavailable': ours(503, 'receiver-unavailable'),
}
