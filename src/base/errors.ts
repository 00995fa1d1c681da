/**
 * Why a payment was not taken: one class per code.
 *
 * A PaymentError is the sender's fault or news for the sender, so its message
 * goes out as it is: what is wrong, then what to do, never a key, a URL with
 * credentials or another error's message. Any other error ends as a 500
 * without details. `docs/errors.md` has a heading per code.
 */

/** Values from which a program can compute the fix, as strings. */
export type Details = Readonly<Record<string, string>>

export abstract class PaymentError extends Error {
  abstract readonly code: Code
  readonly details: Details
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined

  constructor(message: string, options: { details?: Details; retryAfter?: number } = {}) {
    super(message)
    this.name = this.constructor.name
    this.details = options.details ?? {}
    this.retryAfter = options.retryAfter
  }
}

export type Code =
  | 'payment-required'
  | 'malformed-payment'
  | 'payment-unsupported'
  | 'offer-not-found'
  | 'channel-not-found'
  | 'channel-pending'
  | 'channel-not-open'
  | 'wrong-channel'
  | 'invalid-signature'
  | 'deposit-exceeded'
  | 'underpaid'
  | 'overpaid'
  | 'transaction-reverted'
  | 'request-conflict'
  | 'answer-gone'
  | 'request-interrupted'
  | 'body-too-large'
  | 'too-many-failures'
  | 'receiver-unavailable'

/** The request carried no payment. `price` is in base units. */
export class PaymentRequiredError extends PaymentError {
  readonly code = 'payment-required'
  constructor(price: bigint) {
    super(`This costs ${price} base units of a token. Pay one of the offers in this answer and ask again.`)
  }
}

/** A header, a field or a number is not what its protocol says. `field` names it. */
export class MalformedPaymentError extends PaymentError {
  readonly code = 'malformed-payment'
  constructor(field: string, problem: string) {
    super(`The payment is malformed: ${field} ${problem}.`, { details: { field } })
  }
}

/** Well-formed, but of a kind that this receiver does not take. */
export class PaymentUnsupportedError extends PaymentError {
  readonly code = 'payment-unsupported'
  constructor(what: string, instead: string) {
    super(`This receiver does not take ${what}. ${instead}`)
  }
}

/** The offer that was paid is not ours, has expired, or was made for another resource. */
export class OfferNotFoundError extends PaymentError {
  readonly code = 'offer-not-found'
  constructor(reason: 'unknown' | 'expired' | 'another resource' | 'another price') {
    super(
      `The offer that this payment answers cannot be used (${reason}). Pay the offer in this answer; nothing was charged.`,
      {
        details: { reason },
      },
    )
  }
}

/** No such channel, as far as this receiver and the chain know. */
export class ChannelNotFoundError extends PaymentError {
  readonly code = 'channel-not-found'
  constructor() {
    super('There is no such channel to this receiver. Open one, and send the transaction hash with the first payment.')
  }
}

/** The deposit was seen on chain, or may be on its way, and is not deep enough to be trusted. */
export class ChannelPendingError extends PaymentError {
  readonly code = 'channel-pending'
  constructor(confirmations: number, needed: number, retryAfter: number) {
    super(`The deposit has ${confirmations} of ${needed} confirmations. Send the same payment again a little later.`, {
      details: { confirmations: `${confirmations}`, needed: `${needed}` },
      retryAfter,
    })
  }
}

/** A close was requested or made. Nothing more can be bought on this channel. */
export class ChannelNotOpenError extends PaymentError {
  readonly code = 'channel-not-open'
  constructor(status: 'closing' | 'closed') {
    super(`The channel is ${status}. Pay from another channel.`, { details: { state: status } })
  }
}

/** The channel exists, but it is another receiver's or holds another token, or its id is not made of what was said. */
export class WrongChannelError extends PaymentError {
  readonly code = 'wrong-channel'
  constructor(field: string) {
    super(`The channel's ${field} is not the one that this payment or the offer names.`, { details: { field } })
  }
}

/**
 * The chain would not take this signature: another key's, malformed, or with a high s. Or it was to prove something
 * else than a payment, and does not; then `problem` says why.
 */
export class InvalidSignatureError extends PaymentError {
  readonly code = 'invalid-signature'
  constructor(problem = BAD_VOUCHER) {
    super(problem)
  }
}

const BAD_VOUCHER =
  "The voucher's signature is not one that the escrow accepts from this channel's signer. " +
  'Sign with that key: 65 bytes, v 27 or 28, low s.'

/** What the signer of a channel may be told about it, with the signature that proves it. */
export type Standing = {
  readonly sender: string
  readonly charged: bigint
  readonly deposit: bigint
  readonly voucher?: { readonly cumulativeAmount: bigint; readonly signature: string }
}

/** The voucher promises more than the escrow holds. Thrown only after the signature was found good. */
export class DepositExceededError extends PaymentError {
  readonly code = 'deposit-exceeded'
  constructor(got: bigint, channel: Standing) {
    super('The voucher exceeds the deposit. Top up the channel.', { details: { got: `${got}`, ...told(channel) } })
  }
}

/** What is authorized does not cover the price. Thrown only after the signature was found good. */
export class UnderpaidError extends PaymentError {
  readonly code = 'underpaid'
  constructor({ least, got, price, channel }: { least: bigint; got: bigint; price: bigint; channel: Standing }) {
    super(`The voucher does not cover the price. Sign a cumulative amount of at least ${least}.`, {
      details: { price: `${price}`, least: `${least}`, got: `${got}`, ...told(channel) },
    })
  }
}

function told({ sender, charged, deposit, voucher }: Standing): Details {
  return {
    sender,
    charged: `${charged}`,
    authorized: `${voucher?.cumulativeAmount ?? 0n}`,
    deposit: `${deposit}`,
    ...(voucher && { signature: voucher.signature }),
  }
}

/** This dialect takes the exact price only. */
export class OverpaidError extends PaymentError {
  readonly code = 'overpaid'
  constructor(most: bigint, got: bigint) {
    super(`The voucher promises too much. Sign a cumulative amount of at most ${most}.`, {
      details: { most: `${most}`, got: `${got}` },
    })
  }
}

/** The transaction that a payment points to, or one the receiver sent for it, was mined and did nothing. */
export class TransactionRevertedPaymentError extends PaymentError {
  readonly code = 'transaction-reverted'
  constructor(hash: string) {
    super('The transaction was mined and reverted. Send a new one.', { details: { transaction: hash } })
  }
}

/** One idempotency key, two different requests. */
export class RequestConflictError extends PaymentError {
  readonly code = 'request-conflict'
  constructor() {
    super(
      'This Idempotency-Key was used for another method, URL or body. Use a new key for a new request; nothing was charged.',
    )
  }
}

/** The request was charged and answered; its answer is not kept any more. */
export class AnswerGoneError extends PaymentError {
  readonly code = 'answer-gone'
  constructor() {
    super(
      'This request was answered and charged once; its answer is not kept any more. Use a new Idempotency-Key to buy it again.',
    )
  }
}

/** The receiver stopped in the middle of a request that must not run twice. */
export class RequestInterruptedError extends PaymentError {
  readonly code = 'request-interrupted'
  constructor() {
    super(
      'This request was charged once and interrupted; it may or may not have taken effect, so it does not run again. ' +
        'Find out, then use a new Idempotency-Key.',
    )
  }
}

/** The body is longer than can be remembered with an Idempotency-Key. */
export class BodyTooLargeError extends PaymentError {
  readonly code = 'body-too-large'
  constructor(most: number) {
    super(`With an Idempotency-Key the body may have at most ${most} bytes. Send less, or leave the key out.`, {
      details: { most: `${most}` },
    })
  }
}

/** Too many charges of this channel were given back because its requests failed. */
export class TooManyFailuresError extends PaymentError {
  readonly code = 'too-many-failures'
  constructor(retryAfter: number) {
    super('Too many requests of this channel failed lately. Ask again later; nothing was charged.', { retryAfter })
  }
}

/** The chain, the store or the receiver itself cannot vouch for a payment now. Nothing is sold meanwhile. */
export class ReceiverUnavailableError extends PaymentError {
  readonly code = 'receiver-unavailable'
  constructor(reason: 'starting' | 'chain' | 'store' | 'reorg' | 'stopping' | 'exposure') {
    super('Payments cannot be taken at the moment. Ask again later; nothing was charged.', {
      details: { reason },
      retryAfter: 5,
    })
  }
}
