/**
 * What may be asked of a receiver's channels, and ordered: for whoever runs it.
 *
 * Nothing here asks who is asking. Amounts are base units.
 */
import type { Address, Hash } from 'viem'
import { authorized, type Channel, type ChannelKey } from '../channel/channel.ts'
import type { PendingDeposit } from './context.ts'
import { findRailOf, type Found } from './find.ts'
import { keyOf, type AnyRail } from './rail.ts'
import type { Receiver } from './receiver.ts'
import type { Settlement } from './settle.ts'

/** Every channel of a rail that is served, those that have ended too. */
export async function* listChannels(receiver: Receiver): AsyncGenerator<Found> {
  for await (const channel of receiver.channels()) {
    const rail = findRailOf(receiver, channel)
    if (rail) yield { rail, channel }
  }
}

/** How a channel is called where its id is not said. */
export type Opening = { readonly sender: Address; readonly openBlock: number }

/** A channel, or what is known of one whose deposit is not deep enough; both, where a top up is not. */
export type Seen = {
  readonly key: ChannelKey
  readonly channel: Channel | undefined
  readonly pending: PendingDeposit | undefined
}

/** The channel that a sender opened in a block, on a rail whose channels are called so. The chain is not asked. */
export async function getByOpening(receiver: Receiver, rail: AnyRail, { sender, openBlock }: Opening): Promise<Seen> {
  const { address, store, live } = receiver
  const identity = { sender, receiver: address, token: rail.token, signer: sender, terms: { openBlock } }
  const key = keyOf(rail, rail.escrow.channelId(identity, rail))
  const channel = await store.get(key)
  return { key, channel: channel?.token === rail.token ? channel : undefined, pending: live.pending.get(key) }
}

export type Statistics = {
  /** All that is authorized, and all that was put in. */
  readonly authorized: bigint
  readonly deposit: bigint
  /** Channels that are open on chain, and those of them whose close is agreed. */
  readonly open: number
  readonly agreed: number
  readonly senders: number
}

export function statisticsOf(channels: readonly Channel[]): Statistics {
  const sum = (amountOf: (channel: Channel) => bigint) =>
    channels.reduce((total, channel) => total + amountOf(channel), 0n)
  const open = channels.filter(({ status }) => status === 'open')
  return {
    authorized: sum(authorized),
    deposit: sum(({ deposit }) => deposit),
    open: open.length,
    agreed: open.filter(({ closeAgreed }) => closeAgreed !== undefined).length,
    senders: new Set(channels.map(({ sender }) => sender)).size,
  }
}

/** Channels of a rail that were seen opening and are not deep enough to be trusted. */
export async function countPending({ live, store }: Receiver, rail: AnyRail): Promise<number> {
  const place = keyOf(rail, '0x')
  let count = 0
  for (const key of live.pending.keys()) {
    if (key.startsWith(place) && (await store.get(key)) === undefined) count += 1
  }
  return count
}

/** What became of a channel that was to be closed. */
export type Closed =
  | { readonly outcome: 'closed'; readonly transaction: Hash; readonly block: bigint; readonly settled: bigint }
  /** Its escrow closes only with a voucher over all that was settled, and there is none. Only its sender can end it. */
  | { readonly outcome: 'no-voucher' }

/** Closes one channel on chain now, and waits until that is mined. @throws what `receiver.close` throws */
export async function closeOne(receiver: Receiver, { rail, channel }: Found): Promise<Closed> {
  if (channel.status !== 'closed' && !hasWhatCloses(rail, channel)) return { outcome: 'no-voucher' }
  const { hash, block, logs } = await receiver.close(channel.key)
  const end = logs
    .map((line) => rail.escrow.event(line, rail))
    .find((event) => event?.type === 'closed' && event.key === channel.key)
  const settled = end?.type === 'closed' ? end.settled : authorized(channel)
  return { outcome: 'closed', transaction: hash, block, settled }
}

export type ClosedOrFailed = Found & {
  readonly closed: Closed | { readonly outcome: 'failed'; readonly error: unknown }
}

/** Channels that are closed at the same time. */
const AT_ONCE = 16

/**
 * Closes every channel that has not ended, of every rail, and says of each what became of it. One that fails does
 * not hold up the others. Whoever stops listening stops it after those that are under way.
 */
export async function* closeAll(receiver: Receiver): AsyncGenerator<ClosedOrFailed> {
  let batch: Found[] = []
  for await (const found of listChannels(receiver)) {
    if (found.channel.status !== 'closed') batch.push(found)
    if (batch.length < AT_ONCE) continue
    yield* await closeBatch(receiver, batch)
    batch = []
  }
  yield* await closeBatch(receiver, batch)
}

/** Settles whatever there is to settle, on every rail, and says of each channel what became of it. */
export function settleAll(receiver: Receiver): Promise<Settlement[]> {
  return receiver.settle()
}

function closeBatch(receiver: Receiver, batch: readonly Found[]): Promise<ClosedOrFailed[]> {
  return Promise.all(
    batch.map(async (found) => {
      try {
        return { ...found, closed: await closeOne(receiver, found) }
      } catch (error) {
        return { ...found, closed: { outcome: 'failed' as const, error } }
      }
    }),
  )
}

/** Without a voucher there is nothing to show to an escrow that takes exactly what a voucher says. */
function hasWhatCloses({ escrow }: AnyRail, channel: Channel): boolean {
  return escrow.closesAtLess || channel.voucher?.cumulativeAmount === authorized(channel)
}
