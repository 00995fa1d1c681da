/**
 * Channels that could not be settled are left alone for a while, longer each time: neither a purse without coins nor
 * a signer that changed its mind shall be asked every second.
 *
 * This is for what the receiver does by itself. Whoever asks it to settle has all of them tried.
 */
import type { ChannelKey } from '../channel/channel.ts'

/** Milliseconds; `untilMs` since 1970. */
export type Aside = { readonly untilMs: number; readonly waitMs: number }

type Asides = { readonly aside: Map<ChannelKey, Aside> }

const FIRST_MS = 1_000
const MOST_MS = 600_000

export function isAside({ aside }: Asides, key: ChannelKey, nowMs = Date.now()): boolean {
  return (aside.get(key)?.untilMs ?? 0) > nowMs
}

/** What became of each channel: one that was settled is not aside any more. */
export function noteOutcomes(
  { aside }: Asides,
  outcomes: readonly { readonly channel: ChannelKey; readonly ok: boolean }[],
  nowMs = Date.now(),
): void {
  for (const { channel, ok } of outcomes) {
    const waitMs = Math.min(MOST_MS, 2 * (aside.get(channel)?.waitMs ?? FIRST_MS / 2))
    if (ok) aside.delete(channel)
    else aside.set(channel, { untilMs: nowMs + waitMs, waitMs })
  }
}
