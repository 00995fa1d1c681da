/** What follows from a settlement that went well or did not: who is left alone for how long, and who has to hear of it. */
import { CallRevertedError } from '../base/faults.ts'
import type { ChannelKey } from '../channel/channel.ts'
import { setAside } from './aside.ts'
import type { Context } from './context.ts'

type Outcome = {
  readonly channel: ChannelKey
  readonly ok: boolean
  readonly reason?: string
  /** Absent, or a call that reverts: it is the voucher that was not wanted. */
  readonly error?: unknown
}

/** After this long without success an operator has to look, in milliseconds. */
const OVERDUE_MS = 600_000

export function noteOutcomes({ live, alarms }: Context, outcomes: readonly Outcome[], nowMs = Date.now()): void {
  for (const { channel, ok, reason = 'It failed.', error } of outcomes) {
    if (ok) {
      live.aside.delete(channel)
      // The next look forgets it, unless it has earned again.
      live.earnings.note(channel, nowMs)
      alarms.clear('voucher-refused', channel)
      alarms.clear('settle-overdue', channel)
      continue
    }
    const { sinceMs } = setAside(live, channel, nowMs)
    if (error === undefined || error instanceof CallRevertedError) {
      alarms.raise('voucher-refused', channel, `The escrow does not pay its voucher: ${reason}`)
    } else if (nowMs - sinceMs >= OVERDUE_MS) {
      alarms.raise(
        'settle-overdue',
        channel,
        `It could not be settled for ${minutes(nowMs - sinceMs)} minutes: ${reason}`,
      )
    }
  }
}

function minutes(ms: number): number {
  return Math.floor(ms / 60_000)
}
