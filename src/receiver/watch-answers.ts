/**
 * Which requested closes are being answered, and when those are tried again that could not be.
 *
 * An answer that was sent is not the end: the chain may take it back. So each is looked at again until it is confirmed.
 */
import type { ChannelKey } from '../channel/channel.ts'

export type Answers = {
  /** Whether it is time for a try. If so it is under way until `end`. */
  begin(key: ChannelKey): boolean
  end(key: ChannelKey, outcome: 'sent' | 'failed'): void
  forget(key: ChannelKey): void
}

/** How many at once: a thousand senders may leave on one day. */
const AT_ONCE = 16

const FIRST_MS = 1_000
/** A challenge period is ten minutes at least. */
const MOST_MS = 30_000

type Try = { readonly untilMs: number; readonly waitMs: number }

export function createAnswers(now: () => number = () => Date.now()): Answers {
  const underWay = new Set<ChannelKey>()
  const tried = new Map<ChannelKey, Try>()
  return {
    begin(key) {
      if (underWay.has(key) || underWay.size >= AT_ONCE || (tried.get(key)?.untilMs ?? 0) > now()) return false
      underWay.add(key)
      return true
    },
    end(key, outcome) {
      underWay.delete(key)
      const before = tried.get(key)?.waitMs ?? FIRST_MS / 2
      const waitMs = outcome === 'sent' ? MOST_MS : Math.min(MOST_MS, 2 * before)
      tried.set(key, { untilMs: now() + waitMs, waitMs: outcome === 'sent' ? FIRST_MS : waitMs })
    },
    forget: (key) => void tried.delete(key),
  }
}
