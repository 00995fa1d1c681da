/** Requests of one client that are on their way at the same time. */
import type { ChannelKey } from '../channel/channel.ts'
import type { Context } from './context.ts'

/** Runs `work` after all that was put in the same lane before it. */
export async function inTurn<T>({ live }: Context, lane: string, work: () => Promise<T>): Promise<T> {
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

/** Whether a request was the only one on its channel from its reservation to its receipt. */
export function enter({ live }: Context, key: ChannelKey) {
  const others = live.inFlight.get(key) ?? new Set<{ overlapped: boolean }>()
  for (const other of others) other.overlapped = true
  const self = { overlapped: others.size > 0 }
  live.inFlight.set(key, others.add(self))
  return {
    alone: () => !self.overlapped,
    leave: () => {
      others.delete(self)
      if (others.size === 0) live.inFlight.delete(key)
    },
  }
}
