/**
 * What happens to a channel on chain, in the words of this project.
 *
 * Amounts in events are cumulative and `apply` ignores what is older than the
 * channel it is applied to, so that an event seen twice changes nothing.
 */
import type { Channel, ChannelKey, WithdrawableAt } from './channel.ts'

export type ChainEvent =
  | { readonly type: 'opened'; readonly key: ChannelKey; readonly channel: Channel; readonly block: bigint }
  /** `amount` is the whole deposit after a top up, or all that was ever settled. */
  | { readonly type: 'toppedUp' | 'settled'; readonly key: ChannelKey; readonly amount: bigint; readonly block: bigint }
  | {
      readonly type: 'closeRequested'
      readonly key: ChannelKey
      readonly withdrawableAt: WithdrawableAt
      readonly block: bigint
    }
  | { readonly type: 'closeCancelled'; readonly key: ChannelKey; readonly block: bigint }
  | { readonly type: 'closed'; readonly key: ChannelKey; readonly settled: bigint; readonly block: bigint }

/**
 * The channel after `event`. What this party accepted and charged is kept.
 *
 * Returns undefined for an event of a channel that is not known: its opening was not seen.
 */
export function apply(channel: Channel | undefined, event: ChainEvent): Channel | undefined {
  if (event.type === 'opened') return channel ? merge(channel, event.channel) : event.channel
  if (!channel || event.block < channel.block || channel.status === 'closed') return channel
  const seen = { ...channel, block: event.block }
  switch (event.type) {
    case 'toppedUp':
      return { ...seen, deposit: max(channel.deposit, event.amount) }
    case 'settled':
      return withSettled(seen, event.amount)
    case 'closeRequested':
      return { ...seen, status: 'closing', withdrawableAt: event.withdrawableAt }
    case 'closeCancelled':
      return reopened(seen)
    case 'closed':
      return { ...withSettled(seen, event.settled), status: 'closed' }
  }
}

/**
 * The known channel with the newer of the two views of the chain.
 *
 * Never lowers what was charged and never drops a voucher, whoever replays an opening.
 */
export function merge(known: Channel, seen: Channel): Channel {
  if (seen.block < known.block || known.status === 'closed') return known
  const { voucher, charged } = known
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
  return voucher ? { ...merged, voucher } : merged
}

/** What was settled was charged: a ledger that lost its history must not sell it again. */
function withSettled(channel: Channel, amount: bigint): Channel {
  const settled = max(channel.settled, amount)
  const signed = channel.voucher?.cumulativeAmount ?? 0n
  return { ...channel, settled, charged: signed >= settled ? channel.charged : max(channel.charged, settled) }
}

function reopened(channel: Channel): Channel {
  const { withdrawableAt: _end, ...rest } = channel
  return { ...rest, status: 'open' }
}

function asRecord(terms: unknown): object {
  return typeof terms === 'object' && terms !== null ? terms : {}
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
