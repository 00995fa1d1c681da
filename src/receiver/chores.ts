/**
 * What a receiver does without being asked.
 *
 * Each chore has a clock of its own: one that waits for the chain, perhaps for minutes, holds up no other. One that
 * fails is said, and done again at its next turn.
 */
import { messageOf } from '../base/log.ts'
import { pause } from '../chain/pause.ts'
import { unsettled } from '../channel/channel.ts'
import { watchDeadlines } from './alarm-closes.ts'
import { watchGasMoney } from './alarm-money.ts'
import { watchHead } from './alarm-node.ts'
import { watchTransactions } from './alarm-transactions.ts'
import { answerCloses } from './close.ts'
import type { Context } from './context.ts'
import { forget } from './once.ts'
import { reconcileInTurn } from './reconcile-chore.ts'
import { watchExposure } from './press.ts'
import { giveBackOwed } from './sale.ts'
import { settleByPolicy } from './settle.ts'

type Chore = {
  readonly name: string
  /** Between the end of one turn and the next, in milliseconds. */
  readonly everyMs: number
  readonly work: (receiver: Context) => unknown
}

const chores: readonly Chore[] = [
  { name: 'answer closes', everyMs: 1_000, work: answerCloses },
  { name: 'settle', everyMs: 1_000, work: settleByPolicy },
  { name: 'watch exposure', everyMs: 1_000, work: watchExposure },
  { name: 'file earnings', everyMs: 60_000, work: fileEarnings },
  { name: 'give back', everyMs: 1_000, work: giveBackOwed },
  { name: 'forget', everyMs: 1_000, work: forget },
  { name: 'watch deadlines', everyMs: 5_000, work: watchDeadlines },
  { name: 'watch the head', everyMs: 15_000, work: watchHead },
  { name: 'watch coins for gas', everyMs: 60_000, work: watchGasMoney },
  { name: 'watch transactions', everyMs: 15_000, work: watchTransactions },
  { name: 'reconcile', everyMs: 60_000, work: reconcileInTurn },
]

/** Does them until `signal` aborts. Resolves when the last one has ended. */
export async function doChores(receiver: Context, signal: AbortSignal): Promise<void> {
  await remember(receiver, signal)
  // One of its own for each: Node warns of a leak when a dozen listen to the same one.
  await Promise.all(chores.map((chore) => repeat(receiver, chore, AbortSignal.any([signal]))))
}

/**
 * Since when the oldest channel has been unsettled. After a restart it counts for all: some are settled before their
 * time then, and none after it, however often a receiver is restarted.
 */
const SINCE = 'settle:since'

async function fileEarnings({ store, live, policy }: Context): Promise<void> {
  const sinceMs = live.earnings.sinceMs(live.aside)
  if (!policy || sinceMs === live.filedSinceMs) return
  await store.writeRecord(SINCE, () => (sinceMs === undefined ? undefined : `${sinceMs}`))
  live.filedSinceMs = sinceMs
}

async function repeat(receiver: Context, { name, everyMs, work }: Chore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work(receiver)
    } catch (error) {
      receiver.log('error', 'chore-failed', { chore: name, message: messageOf(error) })
    }
    await pause(everyMs, signal)
  }
}

/** After a restart: whose close may not be answered yet, and, where a policy asks, which channels have earned something. */
async function remember({ store, live, policy }: Context, signal: AbortSignal): Promise<void> {
  for await (const { key } of store.list('closing')) live.closing.add(key)
  if (!policy) return
  const sinceMs = Number((await store.readRecord(SINCE)) ?? Date.now())
  for await (const channel of store.list('unsettled')) {
    if (signal.aborted) return
    if (unsettled(channel) > 0n) live.earnings.note(channel.key, sinceMs)
  }
}
