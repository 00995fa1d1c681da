/**
 * For how many senders this receiver pays gas.
 *
 * Whoever asks has signed a deposit, which is real money, but could open and close again and again. So deposits are
 * counted: each once, however often it is asked for.
 */
import type { Address } from 'viem'
import { PaymentUnsupportedError } from '../base/errors.ts'
import type { TokenFacts } from '../escrow/session-token.ts'

/** Up to what a receiver sends deposits that others signed. */
export type RelayLimits = {
  /** The least deposit that is worth its gas, in base units. */
  readonly minDeposit: bigint
  /** Deposits of one sender in an hour. Default 4. */
  readonly perSenderPerHour?: number
  /** Deposits of all senders in an hour. Default 60. */
  readonly perHour?: number
  /** Most units of gas for one deposit. Default 1,000,000. */
  readonly gas?: bigint
}

/** What a sender can do instead. */
export const BY_ITSELF = 'Send the deposit by a transaction of your own and name it with type hash.'

export type Relays = {
  /** Which ways tokens have to take a signed deposit, by rail. */
  readonly ways: Map<object, TokenWays>
  /** What was sent in the last hour, by its name. */
  readonly sent: Map<string, { readonly from: Address; readonly atMs: number }>
}

/** A token, and whether Permit2 is there to move it. */
export type TokenWays = { readonly facts: TokenFacts; readonly permit2: boolean }

export function createRelays(): Relays {
  return { ways: new Map(), sent: new Map() }
}

const HOUR_MS = 3_600_000

/** Counts a deposit that is about to be sent. @throws {PaymentUnsupportedError} if there were too many */
export function count({ sent }: Relays, limits: RelayLimits, name: string, from: Address): void {
  const { perSenderPerHour = 4, perHour = 60 } = limits
  const since = Date.now() - HOUR_MS
  for (const [past, { atMs }] of sent) if (atMs <= since) sent.delete(past)
  if (sent.has(name)) return
  const own = [...sent.values()].filter((one) => one.from === from).length
  if (own >= perSenderPerHour || sent.size >= perHour) {
    const whose = own >= perSenderPerHour ? 'of one sender' : 'of others'
    throw new PaymentUnsupportedError(`more deposits ${whose} that it would have to send in this hour`, BY_ITSELF)
  }
  sent.set(name, { from, atMs: Date.now() })
}

/** It was not sent after all. */
export function uncount({ sent }: Relays, name: string): void {
  sent.delete(name)
}
