/**
 * Signing for more than the request at hand.
 *
 * Until it is used up such a voucher is presented again with every request: no
 * signature is made here, and none is checked at the receiver. What is
 * authorized and not charged yet is at risk: the receiver can take all of it on
 * chain without delivering anything. So it is limited by this policy, by the
 * deposit and by what the budget still allows to sign.
 */
import { ConfigError } from '../base/faults.ts'

/** How much more than the request at hand one voucher authorizes: so many requests at its price, or base units. */
export type Ahead = { readonly requests: number } | { readonly amount: bigint }

/** @throws {ConfigError} unless it is a whole number of requests, or base units, and not less than nothing */
export function checkAhead(ahead: Ahead | undefined): void {
  if (ahead === undefined) return
  const { requests, amount }: { readonly requests?: unknown; readonly amount?: unknown } = ahead
  if (requests !== undefined && amount !== undefined)
    throw new ConfigError('ahead', 'give requests or amount, not both')
  if (Number.isSafeInteger(requests) && Number(requests) >= 0) return
  if (typeof amount === 'bigint' && amount >= 0n) return
  throw new ConfigError('ahead', 'use { requests: 20 }, or { amount: 500n } in base units of the token')
}

/**
 * Base units to authorize beyond a request of this price, at most `room`.
 *
 * Counted in requests it is a whole number of them: what pays for none is not put at risk.
 */
export function beyond(ahead: Ahead, price: bigint, room: bigint): bigint {
  if (room <= 0n) return 0n
  if ('amount' in ahead) return smaller(ahead.amount, room)
  return price * smaller(BigInt(ahead.requests), room / price)
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
