/**
 * What goes wrong around payments: configuration, node, store. Ordinary errors:
 * they are for the operator or the program, and their messages stay on this side.
 */

/** A setting is missing or wrong. `field` names it; the message says the fix. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly field: string
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`)
    this.field = field
  }
}

/** No node answered. */
export class ChainUnavailableError extends Error {
  override readonly name = 'ChainUnavailableError'
}

/** A server gave no answer. Names its URL without the query, which may hold a secret. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly url: string
  /** Whether the request may have arrived. */
  readonly isSent: boolean
  constructor({ origin, pathname }: URL, reason: string, { cause, isSent }: { cause: Error; isSent: boolean }) {
    const place = `${origin}${pathname}`
    const fix = isSent ? 'The request may have arrived.' : 'Nothing was sent. Is it running, and is the address right?'
    super(`${place} does not answer: ${reason}. ${fix}`, { cause })
    this.url = place
    this.isSent = isSent
  }
}

/** A call would revert, or did in a simulation: nothing was sent. */
export class CallRevertedError extends Error {
  override readonly name = 'CallRevertedError'
  /** The error's name when the escrow's ABI knows it, else the raw data. */
  readonly reason: string
  constructor(reason: string) {
    super(`The call reverts: ${reason}`)
    this.reason = reason
  }
}

/** A transaction was mined and reverted. */
export class TransactionRevertedError extends Error {
  override readonly name = 'TransactionRevertedError'
  readonly hash: string
  constructor(hash: string) {
    super(`Transaction ${hash} was mined and reverted.`)
    this.hash = hash
  }
}

/** A transaction was sent and nothing is known of it. It may still be mined. */
export class TransactionUnknownError extends Error {
  override readonly name = 'TransactionUnknownError'
  readonly hash: string
  constructor(hash: string) {
    super(`Nothing is known of transaction ${hash} yet. It may still be mined; look before you send it again.`)
    this.hash = hash
  }
}

/** The account cannot pay for gas. */
export class NoGasError extends Error {
  override readonly name = 'NoGasError'
  constructor(address: string, needed?: bigint) {
    super(
      `${address} cannot pay for the transaction. Send it ${needed === undefined ? 'some' : `at least ${needed} wei of`} the chain's own coin.`,
    )
  }
}

/** The chain was reorganised deeper than what was trusted. Somebody has to look. */
export class DeepReorgError extends Error {
  override readonly name = 'DeepReorgError'
  constructor(block: bigint) {
    super(
      `Block ${block} was final for us and is gone: a reorganisation deeper than the configured confirmations. ` +
        'Compare the ledger with the chain, raise `confirmations`, then start with a fresh cursor.',
    )
  }
}

/** The store cannot make a change durable now. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** Another process holds the store. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError'
  constructor(path: string) {
    super(`${path} is in use by another process. Stop that one, or give this one a store of its own.`)
  }
}
