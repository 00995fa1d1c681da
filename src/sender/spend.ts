/**
 * The sender's side of the ledger: reserve, sign, take back.
 *
 * On this side `charged` is what the receiver may hold us to: every request
 * that was sent and not definitely refused. It is reserved, with the budget and
 * the voucher that covers it, in one durable commit. Limits are checked before
 * the key is touched, and nothing leaves before the commit is on the disk.
 */
import { authorized, type Channel, type ChannelKey, type Voucher } from '../channel/channel.ts'
import { authorize, refund } from '../channel/ledger.ts'
import type { Offer } from '../channel/messages.ts'
import { beyond } from './ahead.ts'
import { leftIn, SPENT, spend } from './budget.ts'
import { NoSuchChannelError } from '../base/spending.ts'
import { placeOf, signerOf, type Context } from './context.ts'
import { inTurn, type Ticket } from './lane.ts'
import type { Signer } from './signer.ts'

/** A request's price, reserved, and the voucher that covers it. */
export type Spending = {
  readonly channel: Channel
  readonly voucher: Voucher
  readonly price: bigint
  readonly ticket: Ticket
}

/** What a request is about to spend, and where: `origin` is that of its URL. */
export type Wish = { readonly offer: Offer; readonly origin: string; readonly ticket: Ticket }

/**
 * Reserves the offer's price and signs for it, unless an earlier voucher covers it already.
 *
 * Returns undefined when the channel cannot take it any more: another request was faster.
 * @throws {OverBudgetError}
 */
export function authorizePrice(context: Context, key: ChannelKey, wish: Wish): Promise<Spending | undefined> {
  const { ahead, signers } = context
  const reserve = () => reserveAndSign(context, key, wish)
  // Where a signature takes time, two requests that find the voucher used up would both sign ahead.
  return ahead && signers.some(({ signNow }) => !signNow) ? inTurn(context, `sign ${key}`, reserve) : reserve()
}

async function reserveAndSign(context: Context, key: ChannelKey, wish: Wish): Promise<Spending | undefined> {
  const { store, budget } = context
  const { offer, origin, ticket } = wish
  const { price } = offer
  const next: { amount: bigint | undefined } = { amount: undefined }
  const reserved = await store.updateWithRecord(key, SPENT, (now, record) => {
    if (!now) throw new RangeError(`channel ${key} is not in the store`)
    const target = nextAmount(context, now, wish, record)
    next.amount = target
    if (target === undefined) return { channel: now, record: record ?? spend(record, budget, origin, 0n) }
    const promised = larger(authorized(now), now.charged)
    const spent = spend(record, budget, origin, target > promised ? target - promised : 0n)
    ticket.reserved = price
    return { channel: signedNow(context, { ...now, charged: now.charged + price }, offer, target), record: spent }
  })
  const target = next.amount
  if (target === undefined) return undefined
  const known = coveredBy(reserved, offer, target)
  if (known) return { channel: reserved, voucher: known, price, ticket }
  const voucher = await signVoucher(context, reserved, target)
  const channel = await store.update(key, (now) => authorize(now ?? reserved, voucher))
  return { channel, voucher, price, ticket }
}

/** With a voucher over `target`, if it needs one and its key is at hand: no other request can come between. */
function signedNow(context: Context, channel: Channel, offer: Offer, target: bigint): Channel {
  const { signNow } = requireSigner(context, channel)
  if (!signNow || coveredBy(channel, offer, target)) return channel
  const signature = signNow(placeOf(context, channel).digest(channel, target))
  return authorize(channel, { cumulativeAmount: target, signature })
}

/** The voucher that is there, if it will do. */
function coveredBy({ voucher }: Channel, { exact }: Offer, target: bigint): Voucher | undefined {
  if (!voucher) return undefined
  const { cumulativeAmount } = voucher
  return (exact ? cumulativeAmount === target : cumulativeAmount >= target) ? voucher : undefined
}

/** A voucher over `amount`, cumulative. The caller has reserved it. @throws {NoSuchChannelError} if its key is not here */
export async function signVoucher(context: Context, channel: Channel, amount: bigint): Promise<Voucher> {
  const digest = placeOf(context, channel).digest(channel, amount)
  return { cumulativeAmount: amount, signature: await requireSigner(context, channel).sign(digest) }
}

/** Takes back a reservation, or `amount` of it: the receiver did not charge that. */
export function takeBack({ store }: Context, { channel, price, ticket }: Spending, amount = price): Promise<Channel> {
  return store.update(channel.key, (now = channel) => {
    ticket.reserved = price - amount
    return refund(now, amount)
  })
}

/**
 * Believes a receiver that says it charged less than we reckoned with, and no less than what was settled.
 *
 * `isSure` is asked when nothing can come between: no request may be on its way that the receiver has not charged yet.
 */
export async function believeLess(
  { store }: Context,
  { channel }: Spending,
  charged: bigint,
  isSure: () => boolean = () => true,
): Promise<void> {
  if (charged >= channel.charged) return
  await store.update(channel.key, (now = channel) =>
    isSure() && charged < now.charged ? { ...now, charged: larger(charged, now.settled) } : now,
  )
}

function requireSigner(context: Context, channel: Channel): Signer {
  const signer = signerOf(context, channel)
  if (!signer) throw new NoSuchChannelError(channel.key)
  return signer
}

/**
 * The cumulative amount that covers the offer, and what is authorized ahead; undefined if the deposit does not cover the
 * offer. A receiver that wants it exact may get less than was signed before, which is worth less on chain.
 */
function nextAmount(
  { budget, ahead }: Context,
  channel: Channel,
  { offer, origin }: Wish,
  record: string | undefined,
): bigint | undefined {
  const { price, step = 0n, exact } = offer
  const signed = authorized(channel)
  const needed = channel.charged + price
  const least = exact ? needed : needed <= signed ? signed : larger(needed, signed + step)
  if (channel.status !== 'open' || least > channel.deposit) return undefined
  if (!ahead || exact || needed <= signed) return least
  const left = leftIn(record, budget, origin)
  const most = left === undefined ? channel.deposit : smaller(channel.deposit, larger(signed, channel.charged) + left)
  return larger(least, needed + beyond(ahead, price, most - needed))
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
