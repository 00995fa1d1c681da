/**
 * Why a purchase was not made or did not end well: one class per code, for the
 * program or person that spends. `docs/errors.md` has a heading per code.
 */
import type { Details } from './errors.ts'

export abstract class SpendingError extends Error {
  abstract readonly code: SpendingCode
  readonly details: Details
  constructor(message: string, details: Details = {}) {
    super(message)
    this.name = this.constructor.name
    this.details = details
  }
}

export type SpendingCode =
  | 'over-budget'
  | 'no-acceptable-offer'
  | 'insecure-url'
  | 'no-tokens'
  | 'payment-refused'
  | 'payment-disputed'
  | 'deposit-not-confirmed'
  | 'no-such-channel'
  | 'not-withdrawable'

/** A limit of the budget would be exceeded. Nothing was signed. */
export class OverBudgetError extends SpendingError {
  readonly code = 'over-budget'
  constructor(limit: string, most: bigint, needed: bigint) {
    super(
      `This costs ${needed} and the budget's ${limit} is ${most}. Nothing was signed. Raise ${limit} if it is worth it.`,
      {
        limit,
        most: `${most}`,
        needed: `${needed}`,
      },
    )
  }
}

/** None of the offers in a 402 can be paid. The reasons are the receiver's or the configuration's. Nothing was signed. */
export class NoAcceptableOfferError extends SpendingError {
  readonly code = 'no-acceptable-offer'
  constructor(reasons: readonly string[]) {
    super(
      reasons.length === 0
        ? 'The answer asks for a payment, but offers no way that this client speaks. Nothing was signed.'
        : `No offer can be taken. Nothing was signed. ${reasons.join(' ')}`,
    )
  }
}

/** Vouchers over plain http could be read and used by others. */
export class InsecureUrlError extends SpendingError {
  readonly code = 'insecure-url'
  constructor(origin: string) {
    super(`${origin} is plain http and not this machine. Use https; nothing was signed.`)
  }
}

/** The account does not hold enough tokens for the deposit. */
export class NoTokensError extends SpendingError {
  readonly code = 'no-tokens'
  constructor(account: string, token: string, balance: bigint, needed: bigint) {
    super(
      `${account} holds ${balance} of token ${token} and the deposit is ${needed}. Send it tokens, or lower the deposit.`,
      {
        balance: `${balance}`,
        needed: `${needed}`,
      },
    )
  }
}

/** The receiver did not take the payment, after one correction where one was possible. */
export class PaymentRefusedError extends SpendingError {
  readonly code = 'payment-refused'
  readonly status: number
  constructor(status: number, said: string, details: Details) {
    super(`The receiver refused the payment (${status}): ${said}`, details)
    this.status = status
  }
}

/** The receiver says that more was charged than we can have spent. Not one unit more is signed for it. */
export class PaymentDisputedError extends SpendingError {
  readonly code = 'payment-disputed'
  constructor(claimed: bigint, known: bigint) {
    super(
      `The receiver claims to have charged ${claimed}; our own records say at most ${known}. Nothing more was signed. Close the channel if this goes on.`,
      {
        claimed: `${claimed}`,
        known: `${known}`,
      },
    )
  }
}

/** The deposit was sent and the receiver still waits for confirmations. */
export class DepositNotConfirmedError extends SpendingError {
  readonly code = 'deposit-not-confirmed'
  constructor(transaction: string) {
    super(
      `The receiver still waits for confirmations of ${transaction}. Ask again later: the deposit is not lost and is used then.`,
      {
        transaction,
      },
    )
  }
}

export class NoSuchChannelError extends SpendingError {
  readonly code = 'no-such-channel'
  constructor(id: string) {
    super(`There is no channel ${id} of this account. List them with \`farthing channels\`.`)
  }
}

/** The challenge period is not over, or was never started. */
export class NotWithdrawableError extends SpendingError {
  readonly code = 'not-withdrawable'
  constructor(status: string, when?: string) {
    super(
      when === undefined
        ? `The channel is ${status}. Request its close first; the rest can be withdrawn after the challenge period.`
        : `The challenge period is not over. Withdraw after ${when}.`,
    )
  }
}
