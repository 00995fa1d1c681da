/**
 * Channels in the JSON of µRaiden.
 *
 * Its "balance" is our authorized amount. Who has not proven to be the sender
 * or an administrator sees what the chain shows anyway: no amount that comes
 * from a voucher, no signature, and no close that is agreed and not made yet.
 */
import { getAddress, type Address } from 'viem'
import { authorized, type Channel } from '../channel/channel.ts'
import type { Opening } from '../receiver/admin.ts'
import type { PendingDeposit } from '../receiver/context.ts'
import type { Found } from '../receiver/find.ts'
import type { Value } from './json.ts'

/** How much of a channel may be shown. */
export type Sight = 'what the chain shows' | 'everything'

/** The `settle_timeout` of a channel whose sender has not asked to close. */
export const NOT_ASKED = -1n

/** The original's numbers: 0 can be paid from, 1 cannot. */
const STATE = { open: 0, closed: 1 } as const

export function stateOf({ status, closeAgreed }: Channel, sight: Sight): 'open' | 'closed' {
  const agreed = sight === 'everything' && closeAgreed !== undefined
  return status === 'open' && !agreed ? 'open' : 'closed'
}

/** One of a sender's channels in a list. */
export function summaryOf(channel: Channel, sight: Sight) {
  return {
    sender_address: getAddress(channel.sender),
    open_block: openBlockOf(channel),
    state: stateOf(channel, sight),
    deposit: channel.deposit,
    balance: sight === 'everything' ? authorized(channel) : null,
  }
}

/** Beside what the chain says: the block after which a sender that leaves may go, and a top up that is not deep enough. */
export type Around = { readonly settleTimeout: bigint | null; readonly pending: PendingDeposit | undefined }

/** Everything about one channel. */
export function detailOf(channel: Channel, { settleTimeout, pending }: Around, sight: Sight) {
  const all = sight === 'everything'
  return {
    receiver: getAddress(channel.receiver),
    sender: getAddress(channel.sender),
    deposit: channel.deposit,
    open_block_number: openBlockOf(channel),
    balance: all ? authorized(channel) : null,
    state: STATE[stateOf(channel, sight)],
    last_signature: all ? (channel.voucher?.signature ?? null) : null,
    settle_timeout: settleTimeout,
    ctime: null,
    mtime: null,
    confirmed: true,
    unconfirmed_topups: {},
    unconfirmed_deposit: pending?.deposit ?? null,
    status: channel.status,
    settled: channel.settled,
    charged: all ? channel.charged : null,
    close_agreed: all ? (channel.closeAgreed ?? null) : null,
  }
}

/** A channel that was seen on chain and is not deep enough to be trusted. Nothing was paid from it. */
export function pendingDetailOf({ sender, openBlock }: Opening, receiver: Address, { deposit }: PendingDeposit) {
  return {
    receiver: getAddress(receiver),
    sender: getAddress(sender),
    deposit,
    open_block_number: openBlock,
    balance: null,
    state: STATE.open,
    last_signature: null,
    settle_timeout: NOT_ASKED,
    ctime: null,
    mtime: null,
    confirmed: false,
    unconfirmed_topups: {},
    unconfirmed_deposit: deposit,
    status: 'pending',
    settled: 0n,
    charged: null,
    close_agreed: null,
  }
}

/** A channel of any rail, for administrators. */
export function recordOf({ rail, channel }: Found): { readonly [name: string]: Value } {
  return {
    channel: channel.key,
    protocol: rail.dialect.name,
    sender_address: getAddress(channel.sender),
    open_block: openBlockOf(channel),
    status: channel.status,
    deposit: channel.deposit,
    balance: authorized(channel),
    charged: channel.charged,
    settled: channel.settled,
    close_agreed: channel.closeAgreed ?? null,
    last_signature: channel.voucher?.signature ?? null,
  }
}

/** null: channels of this kind are not named by a block. */
export function openBlockOf({ terms }: Channel): number | null {
  if (typeof terms !== 'object' || terms === null || !('openBlock' in terms)) return null
  return typeof terms.openBlock === 'number' ? terms.openBlock : null
}
