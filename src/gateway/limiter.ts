/**
 * Who has asked too much of late: one client, or all of them together.
 *
 * Each has room for a number of requests at once, which comes back evenly with
 * time. What is kept is one moment per client, of a bounded number of clients.
 *
 * @see the generic cell rate algorithm (GCRA), ITU-T I.371
 */

export type Limiter = {
  /** Takes room for one request. Returns 0, or the seconds to wait when there is none; then nothing is taken. */
  take(client: string): number
  /** Takes more for a request that was admitted and was dear, into debt if need be. */
  charge(client: string, cost: number): void
  /** Gives back what a request took. */
  giveBack(client: string): void
}

type Room = {
  /** Requests at once of one client. */
  readonly burst: number
  /** How long it takes until there is room for one more, in milliseconds. */
  readonly everyMs: number
  /** All clients together have so many times the room of one. */
  readonly clients: number
}

/** Clients whose past is remembered. Whoever was forgotten begins anew, and all together are counted still. */
const MOST_CLIENTS = 10_000

export function createLimiter({ burst, everyMs, clients }: Room, now: () => number): Limiter {
  const one = { everyMs, windowMs: (burst - 1) * everyMs }
  const all = { everyMs: everyMs / clients, windowMs: (burst - 1 / clients) * everyMs }
  /** When the room of a client would be whole again if nothing more was asked. */
  const fullAt = new Map<string, number>()
  let allFullAt = 0

  function charge(client: string, cost: number): void {
    const moved = Math.max(fullAt.get(client) ?? 0, now()) + cost * one.everyMs
    fullAt.delete(client) // the one that was heard last is last in line to be forgotten
    fullAt.set(client, moved)
    const [oldest] = fullAt.keys()
    if (fullAt.size > MOST_CLIENTS && oldest !== undefined) fullAt.delete(oldest)
    allFullAt = Math.max(allFullAt, now()) + cost * all.everyMs
  }

  return {
    take(client) {
      const ownMs = (fullAt.get(client) ?? 0) - now() - one.windowMs
      const waitMs = Math.max(ownMs, allFullAt - now() - all.windowMs)
      if (waitMs > 0) return Math.ceil(waitMs / 1000)
      charge(client, 1)
      return 0
    },
    charge,
    giveBack: (client) => charge(client, -1),
  }
}
