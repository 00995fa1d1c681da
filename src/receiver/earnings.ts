/**
 * Which channels have earned something that was not settled yet, and since when. Kept where a settle policy asks.
 *
 * Nothing here is looked through at every payment or every second: the oldest is at the front, and what has changed
 * since the last look is known by itself.
 */
import type { ChannelKey } from '../channel/channel.ts'

export type Earnings = {
  /** The channel has earned something at `atMs`, in milliseconds since 1970; never earlier than the note before. */
  note(key: ChannelKey, atMs: number): void
  /** It has nothing unsettled any more. */
  drop(key: ChannelKey): void
  /** Since when the oldest has been unsettled that is not `left` out. */
  sinceMs(left: { has(key: ChannelKey): boolean }): number | undefined
  /** Those unsettled since `untilMs` or before. */
  olderThan(untilMs: number): ChannelKey[]
  /** Those that have earned something since this was asked the last time. */
  takeChanged(): ChannelKey[]
  all(): ChannelKey[]
}

export function createEarnings(): Earnings {
  /** In the order of the times. */
  const since = new Map<ChannelKey, number>()
  const changed = new Set<ChannelKey>()
  return {
    note(key, atMs) {
      if (!since.has(key)) since.set(key, atMs)
      changed.add(key)
    },
    drop(key) {
      since.delete(key)
      changed.delete(key)
    },
    sinceMs(left) {
      for (const [key, atMs] of since) if (!left.has(key)) return atMs
      return undefined
    },
    olderThan(untilMs) {
      const old: ChannelKey[] = []
      for (const [key, atMs] of since) {
        if (atMs > untilMs) break
        old.push(key)
      }
      return old
    },
    takeChanged() {
      const taken = [...changed]
      changed.clear()
      return taken
    },
    all: () => [...since.keys()],
  }
}
