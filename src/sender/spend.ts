/**
 * The sender's side of the ledger: reserve, sign, take back.
 *
 * On this side `charged` is what the receiver may hold us to: every request
 * that was sent and not definitely refused. It is reserved, with the budget, in
 * one durable commit before the key is touched.
 */
import { authorized, type Channel, type ChannelKey, type Voucher } from '../channel/channel.ts'
import { authorize, refund } from '../channel/ledger.ts'
import type { Offer } from '../channel/messages.ts'
import { SPENT, spend } from './budget.ts'
import { NoSuchChannelError } from '../base/spending.ts'
import { deploymentOf, signerOf, type AnyProtocol, type Context } from './context.ts'

/** A request's price, reserved, and the voucher that covers it. */
export type Spending = { readonly channel: Channel; readonly voucher: Voucher; readonly price: bigint }

/**
 * Reserves the offer's price and signs for it, unless an earlier voucher covers it already.
 *
 * Returns undefined when the channel cannot take it any more: another request was faster.
 * @throws {OverBudgetError}
 */
export async function authorizePrice(
  context: Context,
  { escrow }: AnyProtocol,
  key: ChannelKey,
  offer: Offer,
  origin: string,
): Promise<Spending | undefined> {
  const { store, budget } = context
  const { price } = offer
  const next: { amount: bigint | undefined } = { amount: undefined }
  const reserved = await store.updateWithRecord(key, SPENT, (now, record) => {
    if (!now) throw new RangeError(`channel ${key} is not in the store`)
    const target = nextAmount(now, offer)
    next.amount = target
    if (target === undefined) return { channel: now, record: record ?? spend(record, budget, origin, 0n) }
    const promised = larger(authorized(now), now.charged)
    const more = target > promised ? target - promised : 0n
    return { channel: { ...now, charged: now.charged + price }, record: spend(record, budget, origin, more) }
  })
  const target = next.amount
  if (target === undefined) return undefined
  const { voucher: known } = reserved
  if (known && (offer.exact ? known.cumulativeAmount === target : known.cumulativeAmount >= target)) {
    return { channel: reserved, voucher: known, price }
  }
  const voucher = await signVoucher(context, escrow, reserved, target)
  const channel = await store.update(key, (now) => authorize(now ?? reserved, voucher))
  return { channel, voucher, price }
}

/** A voucher over `amount`, cumulative. The caller has reserved it. @throws {NoSuchChannelError} if its key is not here */
export async function signVoucher(
  context: Context,
  escrow: AnyProtocol['escrow'],
  channel: Channel,
  amount: bigint,
): Promise<Voucher> {
  const signer = signerOf(context, channel)
  if (!signer) throw new NoSuchChannelError(channel.key)
  const digest = escrow.digester(deploymentOf(channel))(channel, amount)
  return { cumulativeAmount: amount, signature: await signer.sign(digest) }
}

/** Takes back a reservation that the receiver definitely refused. What was signed stays signed. */
export function takeBack({ store }: Context, { channel, price }: Spending): Promise<Channel> {
  return store.update(channel.key, (now) => refund(now ?? channel, price))
}

/** Believes a receiver that says it charged less than we thought; never one that says more. */
export async function believeLess({ store }: Context, key: ChannelKey, charged: bigint): Promise<void> {
  const known = await store.get(key)
  if (!known || charged >= known.charged) return
  await store.update(key, (now = known) => ({ ...now, charged: larger(charged, now.settled) }))
}

/**
 * The cumulative amount that covers the offer; undefined if the deposit does not. A receiver that wants it exact may
 * get less than was signed before, which is worth less on chain.
 */
function nextAmount(channel: Channel, { price, step = 0n, exact }: Offer): bigint | undefined {
  const needed = channel.charged + price
  const signed = authorized(channel)
  const covered = needed <= signed ? signed : larger(needed, signed + step)
  const amount = exact ? needed : covered
  return channel.status === 'open' && amount <= channel.deposit ? amount : undefined
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
