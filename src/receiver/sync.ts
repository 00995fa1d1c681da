/**
 * From the chain into the store: what happened to our channels, `confirmations` deep, in order.
 *
 * The cursor is in one commit with the last change that it covers, and those before it are in the store by then: it never
 * runs ahead. After a crash in between it may lag behind, and applying an event twice changes nothing. What is seen and not
 * confirmed is never credited, but a requested close stops credit at once.
 */
import { DeepReorgError, StoreUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { cursorAt, follow, type Seen } from '../chain/follow.ts'
import { readCursor, recordOf, writeCursor, type StoredCursor } from '../store/cursor.ts'
import { apply, settledAfter, type ChainEvent } from '../channel/events.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { noteDeepReorg, noteVanished, pendingBeside } from './alarm-deposits.ts'
import { noteHeard, noteUnseen } from './alarm-node.ts'
import { answerCloses } from './close.ts'
import type { Context, Live, PendingDeposit } from './context.ts'
import type { AnyRail } from './rail.ts'

/**
 * Follows one escrow until `signal` aborts. Calls `onCaughtUp` when the store is level with the chain.
 *
 * Ends with an error only when nothing can be trusted any more; then nothing is sold any more either.
 */
export async function sync(
  receiver: Context,
  rail: AnyRail,
  signal: AbortSignal,
  onCaughtUp: () => void,
): Promise<void> {
  const { chain, live, log } = receiver
  for (;;) {
    try {
      await followFromCursor(receiver, rail, signal, onCaughtUp)
      return
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || signal.aborted) {
        live.phase = error instanceof DeepReorgError ? 'reorg' : 'stopping'
        if (error instanceof DeepReorgError) noteDeepReorg(receiver, error)
        log('error', 'following-stopped', { message: messageOf(error) })
        throw error
      }
      // A full disk may have room again. The cursor is where it was, and an event may come twice.
      log('error', 'store-unavailable', { message: messageOf(error) })
      await new Promise((resolve) => setTimeout(resolve, chain.pollMs))
    }
  }
}

async function followFromCursor(
  receiver: Context,
  rail: AnyRail,
  signal: AbortSignal,
  onCaughtUp: () => void,
): Promise<void> {
  const { chain, address, store, live, log } = receiver
  const at = { chainId: rail.chainId, address: rail.address }
  const before = rail.fromBlock > 0n ? rail.fromBlock - 1n : 0n
  const from = (await readCursor(store, at)) ?? (await cursorAt(chain, before))
  const heard = () => {
    live.chainHeardMs = Date.now()
    noteHeard(receiver)
    live.chargedInSilence.clear()
  }
  const place = { chain, escrow: rail.escrow, at: { ...at, token: rail.token }, of: { receiver: address } }
  for await (const news of follow({ ...place, from, signal, onHeard: heard })) {
    if (news.type === 'unseen') {
      log('error', 'chain-unavailable', { message: news.error.message })
      noteUnseen(receiver, news)
      continue
    }
    await take(receiver, rail, news)
    if (news.caughtUp) onCaughtUp()
  }
}

async function take(
  receiver: Context,
  rail: AnyRail,
  { events, pending, cursor, head, caughtUp }: Seen,
): Promise<void> {
  const { live } = receiver
  if (head.number >= live.head) live.headTime = head.time
  live.head = head.number
  await fileAll(receiver, rail, events, cursor)
  const deposits = await pendingDeposits(receiver, pending, head.number)
  // Before the store is level with the chain, what was pending, and the end of a channel, may be in what was not read yet.
  if (caughtUp) await noteVanished(receiver, rail, deposits)
  live.pending = pendingBeside(receiver, rail, deposits)
  for (const event of pending) if (event.type === 'closeRequested') live.leaving.add(event.key)
  if (!caughtUp || live.closing.size === 0) return
  tellOfLeaving(receiver)
  void answerCloses(receiver)
}

/** Channels and top ups that are seen and not confirmed: known, and not trusted. */
async function pendingDeposits(
  { store }: Context,
  events: readonly ChainEvent[],
  head: bigint,
): Promise<Live['pending']> {
  const seen = new Map<ChannelKey, Channel>()
  const pending = new Map<ChannelKey, PendingDeposit>()
  for (const event of events) {
    const after = apply(seen.get(event.key) ?? (await store.get(event.key)), event)
    if (!after) continue
    seen.set(event.key, after)
    const putsIn = event.type === 'opened' || event.type === 'toppedUp' || event.type === 'toppedUpBy'
    if (putsIn) pending.set(event.key, { confirmations: depth(head, event), deposit: after.deposit })
  }
  return pending
}

/** The cursor is in one commit with the last change that it covers. */
async function fileAll(receiver: Context, rail: AnyRail, events: readonly ChainEvent[], cursor: StoredCursor) {
  const last = events.at(-1)
  for (const event of events) if (event !== last) await file(receiver, event)
  const isFiled = last && (await file(receiver, last, recordOf(rail, cursor)))
  if (!isFiled) await writeCursor(receiver.store, rail, cursor)
}

/** false: it is nothing to us. */
async function file(receiver: Context, event: ChainEvent, record?: ReturnType<typeof recordOf>): Promise<boolean> {
  const { store, rails, live } = receiver
  const known = await store.get(event.key)
  if (!known && !isServed(rails, event)) return false
  const change = (now: Channel | undefined) => required(apply(now, event))
  if (!record) await store.update(event.key, change)
  else await store.updateWithRecord(event.key, record.name, (now) => ({ channel: change(now), record: record.value }))
  if (event.type === 'closeCancelled') live.leaving.delete(event.key)
  if (known && (live.settling.get(event.key) ?? 0n) <= (settledAfter(known, event) ?? -1n))
    live.settling.delete(event.key)
  if (event.type === 'closed')
    for (const known of [live.failures, live.leaving, live.settling, live.aside]) known.delete(event.key)
  if (event.type === 'closed' || event.type === 'closeCancelled') noteEnd(receiver, event.key)
  else if (event.type === 'closeRequested') noteLeaving(receiver, event.key)
  else receiver.alarms.clear('deposit-vanished', event.key)
  if (known && event.type === 'closed') noteLoss(receiver, known, event.settled)
  return true
}

/** Whether it has ended or goes on, nobody has to be answered any more. */
function noteEnd({ live, alarms }: Context, key: ChannelKey): void {
  live.closing.delete(key)
  live.answers.forget(key)
  for (const name of ['close-requested', 'settle-overdue', 'deposit-vanished'] as const) alarms.clear(name, key)
}

/** `settled`: what the receiver had of the channel when it ended. */
function noteLoss({ alarms }: Context, { key, id, status, charged }: Channel, settled: bigint): void {
  if (status === 'closed' || settled >= charged) return
  const lost = charged - settled
  const message = `A channel has ended, and ${lost} base units that were charged on it were never taken. They are the sender's now.`
  alarms.raise('payment-lost', key, message, { channel: id, lost: `${lost}` })
}

/** A deposit in a token that no rail takes is nothing to us. */
function isServed(rails: Context['rails'], event: ChainEvent): boolean {
  if (event.type !== 'opened') return false
  const { escrow, token, chainId } = event.channel
  return rails.some((rail) => rail.address === escrow && rail.token === token && rail.chainId === chainId)
}

function noteLeaving({ live }: Context, key: ChannelKey): void {
  live.closing.add(key)
  live.answers.forget(key)
}

function tellOfLeaving({ alarms, live }: Context): void {
  for (const key of live.closing) alarms.raise('close-requested', key, LEAVES)
}

const LEAVES =
  'The sender of a channel has asked for the rest of its deposit. What it owes has to be taken before its challenge period is over.'

function depth(head: bigint, event: ChainEvent): number {
  return Number(head - event.block) + 1
}

function required(channel: Channel | undefined): Channel {
  if (!channel) throw new Error('an event of an unknown channel')
  return channel
}
