/**
 * How one HTTP protocol says an offer, a payment and a receipt. Codecs and two
 * facts given as data; no I/O and no clock.
 */
import type { Code } from '../base/errors.ts'
import type { HeaderReader } from '../base/read.ts'
import type { DueRule } from '../channel/ledger.ts'
import type { Offer, Payment, Receipt } from '../channel/messages.ts'

/** How this dialect says one of our codes: its status, and its word or problem type. */
export type Refusal = { readonly status: number; readonly word: string }

export type HeaderLines = readonly (readonly [name: string, value: string])[]

export type Dialect<terms> = {
  readonly name: string
  readonly due: DueRule
  readonly refusals: Readonly<Record<Code, Refusal>>
  /** Request headers that change the answer, for `Vary`. */
  readonly requestHeaders: readonly string[]

  /** Whether the request carries a payment of this dialect, well-formed or not. */
  speaks(headers: HeaderReader): boolean
  /** Whether a method only moves vouchers and money, and never asks for the resource. */
  updatesOnly(method: string): boolean

  writeOffer(offer: Offer): HeaderLines
  /** The offers of this dialect in a 402; those it cannot read are left out. */
  readOffers(headers: HeaderReader): Offer[]

  writePayment(offer: Offer, payment: Payment<terms>): HeaderLines
  /** @throws {MalformedPaymentError} | {@link PaymentUnsupportedError} */
  readPayment(headers: HeaderReader): Payment<terms>

  writeReceipt(receipt: Receipt): HeaderLines
  /** What this dialect says about the ledger, undefined when there is no readable receipt. */
  readReceipt(headers: HeaderReader): KnownReceipt | undefined
}

/** A receipt as the sender reads it: what was charged, and whatever else the dialect carries. */
export type KnownReceipt = Pick<Receipt, 'channelId' | 'charged'> & Partial<Receipt>

const farthing = (status: number, code: Code): Refusal => ({ status, word: `urn:farthing:${code}` })

/** What no protocol has a word for is said the same in all of them. */
export const commonRefusals = {
  'request-conflict': farthing(409, 'request-conflict'),
  'answer-gone': farthing(409, 'answer-gone'),
  'request-interrupted': farthing(409, 'request-interrupted'),
  'body-too-large': farthing(413, 'body-too-large'),
  'too-many-failures': farthing(429, 'too-many-failures'),
  'receiver-unavailable': farthing(503, 'receiver-unavailable'),
}
