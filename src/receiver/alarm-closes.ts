/**
 * How much of a challenge period is over, and the alarm when that is too much.
 *
 * The contract goes by the time of blocks, or by their number. While no node
 * says what that is, the clock of this machine stands in for it.
 */
import type { ChallengePeriod } from '../escrow/escrow.ts'
import { closeTakes, isLeftToSender } from './close.ts'
import type { Context } from './context.ts'
import { findRailOf, type Found } from './find.ts'
import type { AnyRail } from './rail.ts'

/** From here on an answer is late. It is due before the half of the period is over. */
export const OVERDUE = 0.25

/** Raises an alarm for each requested close that should be answered by now. */
export async function watchDeadlines(receiver: Context): Promise<void> {
  const { live, store, alarms } = receiver
  for (const key of live.closing) {
    const channel = await store.get(key)
    const rail = channel && findRailOf(receiver, channel)
    if (!rail || channel.status !== 'closing' || isLeftToSender(receiver, channel)) continue
    const owed = closeTakes(rail, channel) - channel.settled
    if (owed <= 0n) continue
    const elapsed = await elapsedOf(receiver, { rail, channel })
    if (elapsed < OVERDUE) continue
    const percent = `${Math.floor(elapsed * 100)}`
    alarms.raise('settle-overdue', key, overdue(elapsed), { channel: channel.id, owed: `${owed}`, percent })
  }
}

/** What a requested close has had of its challenge period: 0 at its start, 1 when the sender may leave. */
export async function elapsedOf(receiver: Context, { rail, channel }: Found): Promise<number> {
  const { live } = receiver
  const { withdrawableAt, block } = channel
  const period = await periodOf(receiver, rail)
  if ('blocks' in period) {
    const end = withdrawableAt && 'block' in withdrawableAt ? withdrawableAt.block : block + period.blocks + 1n
    return 1 - Number(end - live.head) / Number(period.blocks)
  }
  if (!withdrawableAt || !('time' in withdrawableAt)) return 0
  const now = Math.max(Number(live.headTime), Date.now() / 1_000)
  return 1 - (Number(withdrawableAt.time) - now) / Number(period.seconds)
}

function overdue(elapsed: number): string {
  if (elapsed >= 1)
    return 'A requested close was not answered in time. The sender may take what is owed; answer it still.'
  return `A requested close is not answered, and ${Math.floor(elapsed * 100)} % of its challenge period is over. Look at coins for gas, nodes and stuck transactions.`
}

/** A contract never changes it. */
async function periodOf({ chain, live }: Context, rail: AnyRail): Promise<ChallengePeriod> {
  const known = live.periods.get(rail)
  if (known) return known
  const period = rail.escrow.challengePeriod(await chain.call(rail.escrow.queries.challengePeriod(rail)))
  live.periods.set(rail, period)
  return period
}
