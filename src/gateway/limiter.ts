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
  const fullAt = new Map<string, number>()
  const everybody = { fullAt: 0, everyMs: everyMs / clients }
  const windowMs = (burst - 1) * everyMs

  function move(client: string, cost: number): void {
    const moved = Math.max(fullAt.get(client) ?? 0, now()) + cost * everyMs
    fullAt.delete(client) // the one that was heard last is last in line to be forgotten
    fullAt.set(client, moved)
    const [oldest] = fullAt.keys()
    if (fullAt.size > MOST_CLIENTS && oldest !== undefined) fullAt.delete(oldest)
    everybody.fullAt = Math.max(everybody.fullAt, now()) + cost * everybody.everyMs
  }

  return {
    take(client) {
      const longest = Math.max(fullAt.get(client) ?? 0, everybody.fullAt)
      const waitMs = longest - now() - windowMs
      if (waitMs > 0) return Math.ceil(waitMs / 1000)
      move(client, 1)
      return 0
    },
    charge: move,
    giveBack: (client) => move(client, -1),
  }
}
