/** Requests of one client that are on their way at the same time. */
import type { ChannelKey } from '../channel/channel.ts'

type Inside = {
  readonly live: {
    readonly lanes: Map<string, Promise<void>>
    readonly inFlight: Map<ChannelKey, Set<Ticket>>
  }
}

/** Runs `work` after all that was put in the same lane before it. */
export async function inTurn<T>({ live }: Inside, lane: string, work: () => Promise<T>): Promise<T> {
  const mine = (live.lanes.get(lane) ?? Promise.resolve()).then(work)
  const done = mine.then(
    () => undefined,
    () => undefined,
  )
  live.lanes.set(lane, done)
  try {
    return await mine
  } finally {
    if (live.lanes.get(lane) === done) live.lanes.delete(lane)
  }
}

/** One request on its way, from before its reservation until its books are done. */
export type Ticket = {
  /** Base units that it has reserved on the channel, less what was taken back. */
  reserved: bigint
  /** Whether another request was on its way on this channel meanwhile. */
  overlapped: boolean
}

/** Call before anything is reserved: what is not on the list cannot be reckoned with. */
export function enter({ live }: Inside, key: ChannelKey): Ticket {
  const others = live.inFlight.get(key) ?? new Set<Ticket>()
  for (const other of others) other.overlapped = true
  const ticket = { reserved: 0n, overlapped: others.size > 0 }
  live.inFlight.set(key, others.add(ticket))
  return ticket
}

export function leave({ live }: Inside, key: ChannelKey, ticket: Ticket): void {
  const all = live.inFlight.get(key)
  all?.delete(ticket)
  if (all?.size === 0) live.inFlight.delete(key)
}

/** Base units that all requests on their way on a channel have reserved. */
export function reservedOn({ live }: Inside, key: ChannelKey): bigint {
  let sum = 0n
  for (const { reserved } of live.inFlight.get(key) ?? []) sum += reserved
  return sum
}
