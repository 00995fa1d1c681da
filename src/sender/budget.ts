/**
 * What this sender will sign.
 *
 * Checked on the offer that is really taken, before a key is touched, and
 * durable: a program that is killed and started again has spent what it spent.
 * What was signed counts, whether or not it was delivered.
 */
import type { Address } from 'viem'
import { ownRecord } from '../base/read.ts'
import { OverBudgetError } from '../base/spending.ts'
import type { Offer } from '../channel/messages.ts'

/** Base units of the token. A limit that is left out does not limit. */
export type Budget = {
  /** Price of one request. */
  readonly perRequest: bigint
  /** Put into one channel, all top ups together. */
  readonly deposit: bigint
  /** Signed for one origin, ever. */
  readonly perOrigin?: bigint
  /** Signed in one day (UTC), for all origins together. */
  readonly perDay?: bigint
}

/** What may be spent where. Everything else is refused before anything is signed. */
export type Allowed = {
  readonly chainId: number
  readonly escrows: readonly Address[]
  readonly tokens: readonly Address[]
}

/** The name of the record that holds what was signed. */
export const SPENT = 'budget:signed'

/** Why this offer cannot be taken, in words; undefined if it can. */
export function objection(offer: Offer, allowed: Allowed): string | undefined {
  if (offer.chainId !== allowed.chainId)
    return `It is paid on chain ${offer.chainId}; this client is on chain ${allowed.chainId}.`
  if (!allowed.escrows.includes(offer.escrow))
    return `Escrow contract ${offer.escrow} is unknown; allow it with \`escrows\` if you trust it.`
  if (!allowed.tokens.includes(offer.token))
    return `Token ${offer.token} is not one to spend; allow it with \`tokens\`.`
  if (offer.expiresAtMs !== undefined && offer.expiresAtMs <= Date.now()) return 'It has expired.'
  if (offer.funding?.length === 0) return 'It takes no deposit that this client can make.'
  return undefined
}

/** @throws {OverBudgetError} if one request may not cost this much */
export function checkPrice({ perRequest }: Budget, price: bigint): void {
  if (price > perRequest) throw new OverBudgetError('perRequest', perRequest, price)
}

/**
 * Base units that may still be signed for `origin` today; undefined: without a limit.
 *
 * Nothing is left where a limit was lowered below what was signed.
 */
export function leftIn(
  record: string | undefined,
  budget: Budget,
  origin: string,
  now = new Date(),
): bigint | undefined {
  const { perOrigin, perDay } = budget
  if (perOrigin === undefined && perDay === undefined) return undefined
  const spent = read(record)
  const today = isNewDay(spent, now) ? 0n : BigInt(spent.today)
  const lefts = [
    ...(perDay === undefined ? [] : [perDay - today]),
    ...(perOrigin === undefined ? [] : [perOrigin - BigInt(spent.origins[origin] ?? '0')]),
  ]
  const least = lefts.reduce((a, b) => (a < b ? a : b))
  return least > 0n ? least : 0n
}

type Spent = { readonly day: string; readonly today: string; readonly origins: Readonly<Record<string, string>> }

/**
 * The record after signing `amount` more for `origin`.
 *
 * A clock that was set back does not open a new day: only a later day does. Signing nothing more is within any budget.
 * @throws {OverBudgetError}
 */
export function spend(
  record: string | undefined,
  budget: Budget,
  origin: string,
  amount: bigint,
  now = new Date(),
): string {
  if (record !== undefined && amount === 0n) return record
  const spent = read(record)
  const newDay = isNewDay(spent, now)
  const today = (newDay ? 0n : BigInt(spent.today)) + amount
  const total = BigInt(spent.origins[origin] ?? '0') + amount
  if (budget.perDay !== undefined && today > budget.perDay) throw new OverBudgetError('perDay', budget.perDay, today)
  if (budget.perOrigin !== undefined && total > budget.perOrigin)
    throw new OverBudgetError('perOrigin', budget.perOrigin, total)
  const next: Spent = {
    day: newDay ? dayOf(now) : spent.day,
    today: `${today}`,
    origins: { ...spent.origins, [origin]: `${total}` },
  }
  return JSON.stringify(next)
}

function read(record: string | undefined): Spent {
  return record === undefined ? { day: '', today: '0', origins: {} } : ownRecord<Spent>(record)
}

function isNewDay({ day }: Spent, now: Date): boolean {
  return dayOf(now) > day
}

function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10)
}
