/**
 * What happens to a channel on chain, in the words of this project.
 *
 * An event that was applied before changes nothing, whoever sees it how often:
 * most amounts are cumulative, and one that only says by how much something
 * rose is known by its place on the chain.
 */
import type { Channel, ChannelKey, Place, WithdrawableAt } from './channel.ts'

export type ChainEvent = Place & { readonly key: ChannelKey } & (
    | { readonly type: 'opened'; readonly channel: Channel }
    /** `amount` is the whole deposit after a top up, or all that was ever settled. */
    | { readonly type: 'toppedUp' | 'settled'; readonly amount: bigint }
    /** Only the rise is known. */
    | { readonly type: 'toppedUpBy' | 'settledBy'; readonly added: bigint }
    /** Some escrows say when the sender may leave only when they are asked. */
    | { readonly type: 'closeRequested'; readonly withdrawableAt?: WithdrawableAt; readonly stated?: bigint }
    | { readonly type: 'closeCancelled' }
    | { readonly type: 'closed'; readonly settled: bigint }
  )

/**
 * The channel after `event`. What this party accepted and charged is kept.
 *
 * Returns undefined for an event of a channel that is not known: its opening was not seen.
 */
export function apply(channel: Channel | undefined, event: ChainEvent): Channel | undefined {
  if (event.type === 'opened') return channel ? merge(channel, event.channel) : event.channel
  if (!channel || channel.status === 'closed' || isPast(channel, event)) return channel
  const { logIndex: _past, ...rest } = channel
  const seen: Channel = { ...rest, ...placeAfter(channel, event) }
  switch (event.type) {
    case 'toppedUp':
      return { ...seen, deposit: max(channel.deposit, event.amount) }
    case 'toppedUpBy':
      return { ...seen, deposit: channel.deposit + event.added }
    case 'settled':
      return withSettled(seen, event.amount)
    case 'settledBy':
      return withSettled(seen, channel.settled + event.added)
    case 'closeRequested':
      return closing(seen, event)
    case 'closeCancelled':
      return reopened(seen)
    case 'closed':
      return { ...withSettled(seen, event.settled), status: 'closed' }
  }
}

/** All that was ever settled after this event; undefined for an event of another kind. */
export function settledAfter(channel: Channel, event: ChainEvent): bigint | undefined {
  if (event.type === 'settled') return event.amount
  return event.type === 'settledBy' ? channel.settled + event.added : undefined
}

/** What a channel was read of at a block holds all of that block; events say which of its logs they are. */
function isPast(channel: Channel, event: ChainEvent): boolean {
  if (event.block !== channel.block) return event.block < channel.block
  if (channel.logIndex !== undefined) return event.logIndex !== undefined && event.logIndex <= channel.logIndex
  return event.type === 'toppedUpBy' || event.type === 'settledBy'
}

function placeAfter(channel: Channel, { block, logIndex }: ChainEvent): Place {
  const wholeBlock = block === channel.block && channel.logIndex === undefined
  return { block, ...(logIndex !== undefined && !wholeBlock && { logIndex }) }
}

/**
 * The known channel with the newer of the two views of the chain.
 *
 * Never lowers what was charged and never drops a voucher, whoever replays an opening.
 */
export function merge(known: Channel, seen: Channel): Channel {
  if (seen.block < known.block || known.status === 'closed') return known
  if (seen.block === known.block && known.logIndex !== undefined && seen.logIndex !== undefined) {
    if (seen.logIndex <= known.logIndex) return known
  }
  const { voucher, charged, closeAgreed } = known
  const { voucher: _none, ...chainView } = seen
  const merged = withSettled(
    {
      ...chainView,
      terms: { ...asRecord(known.terms), ...asRecord(seen.terms) },
      charged,
      settled: known.settled,
      deposit: max(known.deposit, seen.deposit),
    },
    seen.settled,
  )
  return { ...merged, ...(voucher && { voucher }), ...(closeAgreed !== undefined && { closeAgreed }) }
}

/** What was settled was charged: a ledger that lost its history must not sell it again. */
function withSettled(channel: Channel, amount: bigint): Channel {
  const settled = max(channel.settled, amount)
  const signed = channel.voucher?.cumulativeAmount ?? 0n
  return { ...channel, settled, charged: signed >= settled ? channel.charged : max(channel.charged, settled) }
}

function closing(channel: Channel, { withdrawableAt, stated }: ChainEvent & { type: 'closeRequested' }): Channel {
  return {
    ...channel,
    status: 'closing',
    ...(withdrawableAt && { withdrawableAt }),
    ...(stated !== undefined && { closeStated: stated }),
  }
}

function reopened(channel: Channel): Channel {
  const { withdrawableAt: _end, closeStated: _stated, ...rest } = channel
  return { ...rest, status: 'open' }
}

function asRecord(terms: unknown): object {
  return typeof terms === 'object' && terms !== null ? terms : {}
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
