/** Which channels are settled together. */
import { authorized, unsettled, type Channel } from '../channel/channel.ts'
import type { Context } from './context.ts'
import { findRailOf } from './find.ts'
import type { AnyRail } from './rail.ts'

export type Batch = { readonly rail: AnyRail; readonly channels: readonly Channel[] }

/** Channels per transaction; about a third of a usual block's gas. */
const MOST = 200

/** Those that have something to take and that `wanted` picks, by rail and in the order in which they come. */
export async function batchesOf(
  receiver: Context,
  channels: AsyncIterable<Channel> | Iterable<Channel>,
  wanted: (channel: Channel) => boolean,
): Promise<Batch[]> {
  const byRail = new Map<AnyRail, Channel[]>()
  for await (const channel of channels) {
    const rail = findRailOf(receiver, channel)
    if (!rail || !isDue(receiver, channel) || !wanted(channel)) continue
    const due = byRail.get(rail)
    if (due) due.push(channel)
    else byRail.set(rail, [channel])
  }
  const batches: Batch[] = []
  for (const [rail, due] of byRail) {
    for (let from = 0; from < due.length; from += MOST) batches.push({ rail, channels: due.slice(from, from + MOST) })
  }
  return batches
}

/** A channel whose end is under way is settled by its close; what was agreed for that must stay possible. */
function isDue({ live }: Context, channel: Channel): boolean {
  if (channel.status !== 'open' || authorized(channel) > (channel.closeAgreed ?? authorized(channel))) return false
  const settling = live.settling.get(channel.key) ?? 0n
  return unsettled(channel) > 0n && authorized(channel) > settling
}
