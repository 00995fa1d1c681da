/** What a receiver does when much is at risk: it settles, and tells its operator. */
import type { Channel } from '../channel/channel.ts'
import type { Context } from './context.ts'
import type { Pressing } from './exposure.ts'

/** In parts of eight of a cap: from where channels are settled, and from where an operator should know. */
const SETTLE_FROM = 4n
const TELL_FROM = 6n

/** The channels to settle now so that their caps are not reached; none where a cap shall only refuse. */
export async function pressed({ exposure, caps, store }: Context): Promise<Channel[]> {
  if (!exposure || caps?.whenReached === 'refuse') return []
  const keys = new Set(exposure.pressing(SETTLE_FROM).flatMap(({ channels }) => channels))
  const channels = await Promise.all([...keys].map((key) => store.get(key)))
  return channels.filter((channel) => channel !== undefined)
}

/** Raises an alarm for what nears a cap, and ends it when that is settled. */
export function watchExposure({ exposure, alarms }: Context): void {
  const near = new Map(exposure?.pressing(TELL_FROM).map((pressing) => [subjectOf(pressing), pressing]))
  for (const { name, subject } of alarms.standing()) {
    if (name === 'exposure-high' && !near.has(subject)) alarms.clear(name, subject)
  }
  for (const [subject, { cap, atRisk, most }] of near) {
    const facts = { cap, atRisk: `${atRisk}`, most: `${most}` }
    alarms.raise('exposure-high', subject, `${atRisk} of ${most} base units are delivered and not settled.`, facts)
  }
}

/** A sender is called by one of its channels. */
function subjectOf({ cap, channels }: Pressing): string {
  const [first = ''] = [...channels].sort()
  if (cap === 'channel') return first
  return cap === 'sender' ? `sender of ${first}` : 'all channels'
}
