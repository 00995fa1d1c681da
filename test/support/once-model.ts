/**
 * What a receiver that never sells twice must have charged and run, told by what its handlers saw.
 *
 * The model that test/once-property.test.ts holds the receiver against.
 */
import { expect } from 'vitest'

export const PRICE = 5n

/** One request as its buyer means it: sent again it is the same one, whatever voucher it carries then. */
export type Purchase = {
  /** undefined: without an Idempotency-Key, so each arrival is a request of its own. */
  readonly key: string | undefined
  readonly method: 'GET' | 'POST'
  readonly path: '/once' | '/again'
  readonly body: string
  /** What the handler does when it runs first. Later it answers. */
  readonly first: 'answers' | 'fails' | 'tears' | 'spends less'
}

/** One arrival of a purchase. */
export type Sending = {
  readonly id: string
  readonly purchase: Purchase
  readonly amount: bigint
  readonly forged: boolean
}

type Known = {
  readonly purchase: Purchase
  state: 'running' | 'answered' | 'given back' | 'interrupted'
  charged: bigint
  runs: number
  answer?: string
}

export type Model = ReturnType<typeof createModel>

export function createModel(deposit: bigint) {
  const known = new Map<string, Known>()
  const sums = { charged: 0n, authorized: 0n, deposit, isClosing: false, isClosed: false }

  /** A handler has begun: it was charged, or goes on from a charge that was interrupted. Returns how often it ran before. */
  function begins({ purchase, amount }: Sending): number {
    const past = purchase.key === undefined ? undefined : known.get(purchase.key)
    if (past?.state === 'interrupted') expect(mayRunAgain(purchase), 'ran again').toBe(true)
    else {
      if (past) expect(past.state, 'ran again').toBe('given back')
      sums.charged += PRICE
      // Of two that share a commit the one that lives on the other's credit may begin first: sums are compared at rest.
      if (amount > sums.authorized) sums.authorized = amount
    }
    const charged = past?.state === 'interrupted' ? past.charged : PRICE
    const runs = (past?.runs ?? 0) + 1
    if (purchase.key !== undefined) known.set(purchase.key, { purchase, state: 'running', charged, runs })
    return runs - 1
  }

  /** A handler has ended, and `unused` of its charge goes back. */
  function ends({ purchase, id }: Sending, state: 'answered' | 'given back' | 'interrupted', unused = 0n): void {
    const now = purchase.key === undefined ? undefined : known.get(purchase.key)
    sums.charged -= state === 'given back' ? (now?.charged ?? PRICE) : unused
    if (now) Object.assign(now, { state, charged: now.charged - unused, answer: id })
  }

  /** Whatever was running was interrupted. */
  function crashes(): void {
    for (const one of known.values()) if (one.state === 'running') one.state = 'interrupted'
  }

  /** What an arrival must come to while nothing else is under way: `runs`, `again`, the code of a refusal; undefined if it has to wait. */
  function foresee({ purchase, amount, forged }: Sending): string | undefined {
    if (forged) return 'invalid-signature'
    const past = purchase.key === undefined ? undefined : known.get(purchase.key)
    if (past && !isSame(past.purchase, purchase)) return 'request-conflict'
    if (past?.state === 'running') return undefined
    if (past?.state === 'answered') return 'again'
    if (past?.state === 'interrupted') return mayRunAgain(purchase) ? 'runs' : 'request-interrupted'
    if (sums.isClosed) return 'channel-not-open'
    if (amount > deposit) return 'deposit-exceeded'
    const least = sums.charged + PRICE
    return amount < least && sums.authorized < least ? 'underpaid' : 'runs'
  }

  return { sums, known, begins, ends, crashes, foresee }
}

export function isSame(one: Purchase, other: Purchase): boolean {
  return one.method === other.method && one.path === other.path && one.body === other.body
}

export function mayRunAgain({ method, path }: Purchase): boolean {
  return method === 'GET' || path === '/again'
}
