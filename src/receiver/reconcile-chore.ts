/** Compares the books with the chain while the receiver sells: slowly, every few hours, on from where it was. */
import { pause } from '../chain/pause.ts'
import type { ChannelKey } from '../channel/channel.ts'
import type { Context } from './context.ts'
import { compareHistory, compareHoldings, sumUp } from './reconcile-totals.ts'
import { reconcileChannels, type Disagreement } from './reconcile.ts'

/** Of a node that serves payments as well. A channel takes two or three questions. */
const CHANNELS_A_SECOND = 5
const EVERY_MS = 21_600_000
/** How many channels may be looked at twice after a restart. */
const NOTED_EVERY = 100
const PLACE = 'reconcile:place'

/** One pass, if it is time for one. Ends early when the receiver stops. */
export async function reconcileInTurn(receiver: Context): Promise<void> {
  const { live, log } = receiver
  if (Date.now() < live.reconcileMs || live.phase !== 'ready') return
  const { compared, disagreements } = await reconcileAll(receiver, {
    pauseMs: 1_000 / CHANNELS_A_SECOND,
    isOver: () => live.phase === 'stopping',
  })
  live.reconcileMs = Date.now() + EVERY_MS
  log('info', 'reconciled', { channels: compared, disagreements })
}

export type Pace = {
  /** Between one channel and the next, in milliseconds. */
  readonly pauseMs?: number
  /** Ends it early. */
  readonly isOver?: () => boolean
}

/** Raises an alarm for each that disagrees, and ends it for each that agrees again. */
export async function reconcileAll(receiver: Context, { pauseMs = 0, isOver = () => false }: Pace = {}) {
  const { store } = receiver
  const place = await store.readRecord(PLACE)
  let [compared, disagreements] = [0, 0]
  for await (const { key, disagreements: found } of reconcileChannels(receiver, keyIn(place))) {
    tell(receiver, key, found)
    compared += 1
    disagreements += found.length
    if (compared % NOTED_EVERY === 0) await store.writeRecord(PLACE, () => key)
    if (isOver()) return { compared, disagreements }
    if (pauseMs > 0) await pause(pauseMs)
  }
  await store.writeRecord(PLACE, () => undefined)
  for (const totals of await sumUp(receiver)) {
    const { rail } = totals
    const found = [...(await compareHoldings(receiver, totals)), ...(await compareHistory(receiver, totals))]
    tell(receiver, `${rail.address} ${rail.token}`, found)
    disagreements += found.length
  }
  return { compared, disagreements }
}

function tell({ alarms }: Context, subject: string, found: readonly Disagreement[]): void {
  if (found.length === 0) alarms.clear('books-disagree', subject)
  else {
    const words = found.map(({ what, ours, theirs }) => `${what}: ${ours} here, ${theirs} there`).join('; ')
    const facts = Object.fromEntries(found.map(({ what, ours, theirs }) => [what, `${ours} / ${theirs}`]))
    alarms.raise('books-disagree', subject, `Books and chain do not agree. ${words}.`, facts)
  }
}

/** undefined: from the beginning. Whatever it says, it is only compared. */
function keyIn(place: string | undefined): ChannelKey | undefined {
  return place !== undefined && isKey(place) ? place : undefined
}

function isKey(text: string): text is ChannelKey {
  return text.startsWith('eip155:')
}
