/**
 * When the receiver takes what it earned, and how: several channels in one transaction.
 *
 * One channel that cannot be settled never blocks the rest: the escrow skips it
 * and says why, and it is named here and left for an operator to look at. So is
 * every channel of a transaction that failed.
 */
import type { Hash } from 'viem'
import { TransactionRevertedError, TransactionUnknownError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { hash, lower } from '../base/read.ts'
import type { Mined } from '../chain/chain.ts'
import { authorized, unsettled, type Channel, type ChannelKey } from '../channel/channel.ts'
import { settledAfter } from '../channel/events.ts'
import { isAside, noteOutcomes } from './aside.ts'
import type { Context, SettlePolicy } from './context.ts'
import { findRailOf } from './find.ts'
import type { AnyRail } from './rail.ts'

export type Settlement = {
  readonly channel: ChannelKey
  /** Base units that this settlement brought; 0 where it failed. */
  readonly amount: bigint
  /** undefined: none was sent. */
  readonly transaction: Hash | undefined
  readonly ok: boolean
  /** Why not, for the operator. Only where `ok` is false. */
  readonly reason?: string
  /** What the wallet threw. Absent where the transaction went well and the escrow skipped this channel. */
  readonly error?: unknown
}

/** Channels per transaction; about a third of a usual block's gas. */
const BATCH = 200

/**
 * Settles every channel that `wanted` picks and that has something to take. What fails is said of each channel, not
 * thrown.
 */
export function settle(receiver: Context, wanted: (channel: Channel) => boolean = () => true): Promise<Settlement[]> {
  return settleFrom(receiver, receiver.store.list('unsettled'), wanted)
}

/** Settles what the policy wants settled now. Looks only at channels that have earned something since. */
export async function settleByPolicy(receiver: Context, { amount, ageMs }: SettlePolicy): Promise<void> {
  const { live } = receiver
  const settlements = await settleFrom(receiver, earners(receiver), (channel) => {
    if (isAside(live, channel.key)) return false
    const since = live.earning.get(channel.key) ?? Date.now()
    const old = ageMs !== undefined && Date.now() - since >= ageMs
    return old || (amount !== undefined && unsettled(channel) >= amount)
  })
  noteOutcomes(live, settlements)
}

/** Channels that may have something to take; those that have not are forgotten until they earn again. */
async function* earners({ live, store }: Context): AsyncGenerator<Channel> {
  for (const key of [...live.earning.keys()]) {
    const channel = await store.get(key)
    if (channel && channel.status !== 'closed' && unsettled(channel) > 0n) yield channel
    else live.earning.delete(key)
  }
}

async function settleFrom(
  receiver: Context,
  channels: AsyncIterable<Channel>,
  wanted: (channel: Channel) => boolean,
): Promise<Settlement[]> {
  const byRail = new Map<AnyRail, Channel[]>()
  for await (const channel of channels) {
    const rail = findRailOf(receiver, channel)
    if (!rail || !isDue(receiver, channel) || !wanted(channel)) continue
    byRail.set(rail, [...(byRail.get(rail) ?? []), channel])
  }
  const settlements: Settlement[] = []
  for (const [rail, due] of byRail) {
    for (let from = 0; from < due.length; from += BATCH) {
      settlements.push(...(await settleBatch(receiver, rail, due.slice(from, from + BATCH))))
    }
  }
  return settlements
}

/** A channel whose end is under way is settled by its close; what was agreed for that must stay possible. */
function isDue({ live }: Context, channel: Channel): boolean {
  if (channel.status !== 'open' || authorized(channel) > (channel.closeAgreed ?? authorized(channel))) return false
  const settling = live.settling.get(channel.key) ?? 0n
  return unsettled(channel) > 0n && authorized(channel) > settling
}

/** As many transactions as the escrow needs. One that fails is named; the others go on. */
async function settleBatch(receiver: Context, rail: AnyRail, channels: readonly Channel[]): Promise<Settlement[]> {
  const { wallet, log } = receiver
  if (!wallet) throw new Error('this receiver has no key, so it cannot settle')
  const calls = rail.escrow.calls.settle(channels, lower(wallet.address))
  const outcomes = await Promise.allSettled(calls.map(({ call }) => wallet.send(call, { abi: rail.escrow.abi })))
  return outcomes.flatMap((outcome, at) => {
    const due = calls[at]?.channels ?? []
    if (outcome.status === 'fulfilled') return settledBy(receiver, rail, outcome.value, due)
    log('error', 'settle-failed', { channels: due.length, message: messageOf(outcome.reason) })
    return due.map((channel) => failedBy(channel, outcome.reason))
  })
}

/** A transaction that reverted, or of which nothing is known yet, has a name. */
function failedBy({ key: channel }: Channel, error: unknown): Settlement {
  const isNamed = error instanceof TransactionRevertedError || error instanceof TransactionUnknownError
  return {
    channel,
    amount: 0n,
    transaction: isNamed ? hash(error.hash, 'transaction') : undefined,
    ok: false,
    reason: messageOf(error),
    error,
  }
}

/**
 * What became of each channel, by the transaction's own events. Remembered until the follower sees them
 * confirmed, so that nothing is sent twice meanwhile.
 */
function settledBy({ live, log }: Context, rail: AnyRail, mined: Mined, due: readonly Channel[]): Settlement[] {
  const events = mined.logs.map((line) => rail.escrow.event(line, rail))
  return due.map((channel) => {
    const event = events.find((seen) => seen?.key === channel.key && settledAfter(channel, seen) !== undefined)
    const total = event && settledAfter(channel, event)
    if (total === undefined) log('error', 'settle-skipped', { channel: channel.id })
    else live.settling.set(channel.key, total)
    const named = { channel: channel.key, transaction: mined.hash }
    return total === undefined
      ? { ...named, amount: 0n, ok: false, reason: 'The escrow did not honour its voucher.' }
      : { ...named, amount: total - channel.settled, ok: true }
  })
}
