/**
 * How the receiver takes what it earned: several channels in one transaction.
 *
 * One channel that cannot be settled never blocks the rest. The escrow is asked about each before anything is sent, and
 * whoever is refused is named and left out; what goes bad in between is skipped by the escrow. So is every channel of a
 * transaction that failed named.
 */
import { keccak256, type Hash } from 'viem'
import { CallRevertedError, TransactionRevertedError, TransactionUnknownError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { hash, lower } from '../base/read.ts'
import type { Mined, Wallet } from '../chain/chain.ts'
import { authorized, type Channel, type ChannelKey } from '../channel/channel.ts'
import { settledAfter } from '../channel/events.ts'
import type { SettleCall } from '../escrow/escrow.ts'
import { isAside } from './aside.ts'
import { batchesOf } from './batch.ts'
import type { Context } from './context.ts'
import { noteOutcomes } from './outcomes.ts'
import { dueByPolicy } from './policy.ts'
import { pressed } from './press.ts'
import type { AnyRail } from './rail.ts'
import { simulate } from './simulate.ts'

export type Settlement = {
  readonly channel: ChannelKey
  /** Base units that this settlement brought; 0 where it failed. */
  readonly amount: bigint
  /** undefined: none was sent. */
  readonly transaction: Hash | undefined
  readonly ok: boolean
  /** Why not, for the operator. Only where `ok` is false. */
  readonly reason?: string
  /** What the wallet threw. Absent where the escrow did not want this channel's voucher. */
  readonly error?: unknown
}

/**
 * Settles every channel that `wanted` picks and that has something to take. What fails is said of each channel, not
 * thrown.
 */
export function settle(receiver: Context, wanted: (channel: Channel) => boolean = () => true): Promise<Settlement[]> {
  return settleFrom(receiver, receiver.store.list('unsettled'), wanted)
}

/** Settles what the policy wants settled now, and what nears a cap. */
export async function settleByPolicy(receiver: Context): Promise<void> {
  const { live, wallet, policy } = receiver
  if (!wallet) return
  const due = [...(await pressed(receiver)), ...(policy ? await dueByPolicy(receiver, policy) : [])]
  const once = new Map(due.map((channel) => [channel.key, channel]))
  await settleFrom(receiver, once.values(), ({ key }) => !isAside(live, key))
}

async function settleFrom(
  receiver: Context,
  channels: AsyncIterable<Channel> | Iterable<Channel>,
  wanted: (channel: Channel) => boolean,
): Promise<Settlement[]> {
  const settlements: Settlement[] = []
  for (const { rail, channels: due } of await batchesOf(receiver, channels, wanted)) {
    settlements.push(...(await settleBatch(receiver, rail, due)))
  }
  noteOutcomes(receiver, settlements)
  return settlements
}

/** As many transactions as the escrow needs. One that fails is named; the others go on. */
async function settleBatch(receiver: Context, rail: AnyRail, channels: readonly Channel[]): Promise<Settlement[]> {
  const { wallet } = receiver
  if (!wallet) throw new Error('this receiver has no key, so it cannot settle')
  try {
    const callsFor = (some: readonly Channel[]) => rail.escrow.calls.settle(some, lower(wallet.address))
    // Where each has a transaction of its own, the wallet asks by itself.
    const isShared = callsFor(channels).some((call) => call.channels.length > 1)
    const { sound, refused } = isShared ? await sorted(receiver, rail, channels) : { sound: channels, refused: [] }
    const sent = await Promise.all(callsFor(sound).map((call) => send(receiver, wallet, rail, call)))
    return [...refused, ...sent.flat()]
  } catch (error) {
    receiver.log('error', 'settle-failed', { channels: channels.length, message: messageOf(error) })
    return channels.map((channel) => failedBy(channel, error))
  }
}

/** Which of them the escrow would pay. */
async function sorted(receiver: Context, rail: AnyRail, channels: readonly Channel[]) {
  const sound: Channel[] = []
  const refused: Settlement[] = []
  for (const { channel, verdict } of await simulate(receiver, rail, channels)) {
    if (verdict.is === 'sound') sound.push(channel)
    else if (verdict.is === 'settled') noteSettled(receiver, channel)
    else refused.push(refusedFor(channel, verdict.reason))
  }
  return { sound, refused }
}

async function send(receiver: Context, wallet: Wallet, rail: AnyRail, due: SettleCall): Promise<Settlement[]> {
  const { abi, alreadySettled } = rail.escrow
  // The same vouchers are shown once, whoever asks how often, before or after a restart.
  const intent = `settle:${keccak256(due.call.data)}`
  try {
    return settledBy(receiver, rail, await wallet.send(due.call, { abi, intent }), due.channels)
  } catch (error) {
    if (error instanceof CallRevertedError && error.reason === alreadySettled) {
      for (const channel of due.channels) noteSettled(receiver, channel)
      return []
    }
    receiver.log('error', 'settle-failed', { channels: due.channels.length, message: messageOf(error) })
    return due.channels.map((channel) =>
      error instanceof CallRevertedError ? refusedFor(channel, error.message, error) : failedBy(channel, error),
    )
  }
}

/** A transaction of before a restart took it, and the follower has not seen that yet. */
function noteSettled({ live }: Context, channel: Channel): void {
  live.settling.set(channel.key, authorized(channel))
}

function refusedFor({ key: channel }: Channel, reason: string, error?: CallRevertedError): Settlement {
  return { channel, amount: 0n, transaction: undefined, ok: false, reason, ...(error && { error }) }
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
