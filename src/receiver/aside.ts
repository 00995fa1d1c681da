/**
 * Channels that could not be settled are left alone for a while, longer each time: neither a purse without coins nor
 * a signer that changed its mind shall be asked every second.
 *
 * This is for what the receiver does by itself. Whoever asks it to settle has all of them tried.
 */
import type { ChannelKey } from '../channel/channel.ts'

/** Milliseconds; `untilMs` and `sinceMs`, its first failure, since 1970. */
export type Aside = { readonly untilMs: number; readonly waitMs: number; readonly sinceMs: number }

type Asides = { readonly aside: Map<ChannelKey, Aside> }

const FIRST_MS = 1_000
const MOST_MS = 600_000

export function isAside({ aside }: Asides, key: ChannelKey, nowMs = Date.now()): boolean {
  return (aside.get(key)?.untilMs ?? 0) > nowMs
}

/** Leaves a channel alone that could not be settled, twice as long as the time before. */
export function setAside({ aside }: Asides, key: ChannelKey, nowMs = Date.now()): Aside {
  const known = aside.get(key)
  const waitMs = known ? Math.min(MOST_MS, 2 * known.waitMs) : FIRST_MS
  const set = { untilMs: nowMs + waitMs, waitMs, sinceMs: known?.sinceMs ?? nowMs }
  aside.set(key, set)
  return set
}
