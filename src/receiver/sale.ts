/**
 * A request that is paid, from its charge to its last byte.
 *
 * The charge is durable when a sale exists. What was not delivered is given
 * back: all of it when the handler fails, the difference when a ceiling was not
 * used up. The money stays on the channel as the sender's credit.
 */
import type { Address, Hash } from 'viem'
import { messageOf } from '../base/log.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { refund } from '../channel/ledger.ts'
import type { Payment, Receipt } from '../channel/messages.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'
import type { Found } from './find.ts'

/** What a handler may know of the payment, and say about it. */
export type Paid = {
  readonly sender: Address
  readonly channelId: Hash
  /** Charged for this request, in base units: the price, or the ceiling until `spend` says less. */
  readonly price: bigint
  /** Says what the request really cost, at most its ceiling. @throws {RangeError} for more, or for less than nothing */
  spend(cost: bigint): void
}

export type Sale = {
  readonly paid: Paid
  /** What the paid path adds to an answer of this status. The receipt is on success only. */
  headers(status: number): HeaderLines
  /** The handler's verdict is known. Call once. Never throws. */
  conclude(status: number): Promise<void>
  /** Whether the answer is kept for a retry. If not, nobody needs to collect it. */
  readonly keeps: boolean
  /** How the answer ended, for a retry with the same Idempotency-Key. Call once, last. Never throws. */
  keep(ended: Ended): Promise<void>
}

/** The whole answer; or it was too long to keep; or it broke off, and a retry of a safe method may run again. */
export type Ended = Answer | 'too long' | 'broken off'

/** How a sale ends on the store's side; `once.ts` files a record beside it. */
export type Ending = {
  readonly keeps: boolean
  /** Whether a retry runs on the charge of a request that failed. Then that is not given back later. */
  readonly retries: boolean
  giveBack(amount: bigint, all: boolean): Promise<unknown>
  keep(ended: Ended): Promise<void>
}

/** What was sold, and on what. `renewal`: the offer for the next request, where the one that was paid ends soon. */
export type Sold = Found & { readonly payment: Payment; readonly price: bigint; readonly renewal: HeaderLines }

export function createSale(receiver: Context, sold: Sold, ending: Ending): Sale {
  const { channel, rail, payment, price, renewal } = sold
  const { live, policy } = receiver
  if (policy) live.earnings.note(channel.key, Date.now())
  let cost = price
  const paid: Paid = {
    sender: channel.sender,
    channelId: channel.id,
    price,
    spend: (amount) => {
      if (amount < 0n || amount > price) throw new RangeError(`a request sold for up to ${price} cannot cost ${amount}`)
      cost = amount
    },
  }
  const receipt = () => receiptOf(cost === price ? channel : refund(channel, price - cost), payment, cost)
  return {
    paid,
    headers: (status) => [
      ...(status >= 200 && status < 300 ? [...rail.dialect.writeReceipt(receipt()), ...renewal] : []),
      ['Cache-Control', 'private, no-store'],
      receiver.vary,
    ],
    conclude: async (status) => {
      const failed = status >= 500
      count(receiver, channel, failed)
      const unused = failed ? price : price - cost
      const giveBack = () => ending.giveBack(unused, failed)
      try {
        if (unused > 0n) await giveBack()
      } catch (error) {
        if (!(failed && ending.retries)) receiver.live.owed.add(giveBack)
        receiver.log('error', 'give-back-failed', { amount: `${unused}`, message: messageOf(error) })
      }
    },
    keeps: ending.keeps,
    keep: (ended) => ending.keep(ended),
  }
}

/** Gives back what the store refused to take back before; what it refuses again stays owed. */
export async function giveBackOwed({ live }: Context): Promise<void> {
  for (const giveBack of live.owed) {
    await giveBack()
    live.owed.delete(giveBack)
  }
}

/** Gives back in the ledger alone, for a request without an Idempotency-Key. */
export function plainEnding({ store }: Context, { channel }: Found): Ending {
  return {
    keeps: false,
    retries: false,
    giveBack: (amount) => store.update(channel.key, (now) => refund(now ?? channel, amount)),
    keep: () => Promise.resolve(),
  }
}

/**
 * The answer to a payment that only moved money: a top up, or a voucher to the end of a method without content.
 *
 * `proven`: a voucher was verified. Whoever only named a transaction is told nothing of the ledger.
 */
export function acknowledge(receiver: Context, { rail, channel }: Found, payment: Payment, proven: boolean): Answer {
  const transaction = payment.funding?.hash
  const receipt = proven
    ? rail.dialect.writeReceipt({ ...receiptOf(channel, payment, 0n), ...(transaction && { transaction }) })
    : []
  return {
    status: proven ? 200 : 204,
    headers: [...receipt, ['Cache-Control', 'private, no-store'], receiver.vary],
    body: '',
  }
}

export function receiptOf(channel: Channel, { offer }: Payment, price: bigint): Receipt {
  return {
    channelId: channel.id,
    chainId: channel.chainId,
    sender: channel.sender,
    receiver: channel.receiver,
    token: channel.token,
    escrow: channel.escrow,
    atMs: Date.now(),
    price,
    charged: channel.charged,
    authorized: authorized(channel),
    deposit: channel.deposit,
    settled: channel.settled,
    ...(offer && { offer }),
  }
}

/** Failures in a row: one who crashes handlers on purpose gets work for nothing only so often. */
function count({ live, limits }: Context, { key }: Channel, failed: boolean): void {
  if (!failed) {
    live.failures.delete(key)
    return
  }
  const failures = (live.failures.get(key)?.count ?? 0) + 1
  live.failures.set(key, {
    count: failures,
    untilMs: Date.now() + 1_000 * Math.min(60, failures - limits.failures + 1),
  })
}
