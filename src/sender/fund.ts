/**
 * The one way to get a channel for a payment: one that has enough left, else one
 * that is topped up, else a new one.
 *
 * Of several that suffice the emptiest is used, so that channels get finished.
 * Whoever asks while one is being funded waits for it.
 */
import { OverBudgetError } from '../base/spending.ts'
import { available, type Channel } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import { signerOf, type AnyProtocol, type Context } from './context.ts'
import { add, open, resume } from './funding.ts'
import { finish } from './unfinished.ts'
import type { Asking } from './wanted.ts'

/** A request that reaches who made an offer: where it can be asked to send a deposit. */
type Reaching = { readonly url: URL; readonly method: string }

/** A channel with room for the offer, open on chain. @throws {OverBudgetError} | {@link NoTokensError} | {@link NoGasError} */
export async function channelFor(
  context: Context,
  protocol: AnyProtocol,
  offer: Offer,
  request?: Reaching,
): Promise<Channel> {
  const name = `${offer.escrow}:${offer.receiver}:${offer.token}`
  const again = await paidLast(context, name, offer)
  if (again) return again
  const { funding } = context.live
  const underWay = funding.get(name)
  if (underWay) return underWay.then(() => channelFor(context, protocol, offer, request))
  const { dialect } = protocol
  const asking = request && { offer, dialect, url: request.url, method: request.method }
  const work = findOrFund(context, protocol, offer, asking).finally(() => funding.delete(name))
  funding.set(name, work)
  const found = await work
  context.live.paidLast.set(name, { key: found.key, price: offer.price })
  return found
}

/**
 * The channel that paid this price last, if it can again: it was the emptiest that sufficed, and is emptier now. So
 * the channels need not be compared for every request.
 */
async function paidLast(context: Context, name: string, offer: Offer): Promise<Channel | undefined> {
  const last = context.live.paidLast.get(name)
  if (last?.price !== offer.price) return undefined
  const channel = await context.store.get(last.key)
  return channel && isUsable(context, channel, offer) && available(channel) >= offer.price ? channel : undefined
}

function isUsable(context: Context, channel: Channel, offer: Offer): boolean {
  return channel.sender === context.address && signerOf(context, channel) !== undefined && fits(channel, offer)
}

/** What a purchase needs before it can be signed. `least` is what the account must hold of the deposit. */
export type Plan =
  | { readonly way: 'pay'; readonly channel: Channel }
  | { readonly way: 'top up'; readonly channel: Channel; readonly deposit: bigint; readonly least: bigint }
  | { readonly way: 'open'; readonly deposit: bigint; readonly least: bigint }

/** Deposits that a sender wants to make, for a price, and what its budget allows. */
export type Means = Pick<Context, 'budget' | 'deposit' | 'topUpDeposit'>

/**
 * Decides between `channels`, of which each could pay the offer if it had enough left.
 *
 * @throws {OverBudgetError} if no deposit within the budget would do
 */
export function planFor({ price }: Offer, channels: readonly Channel[], means: Means): Plan {
  const { budget, deposit, topUpDeposit } = means
  const byRoom = [...channels].sort((a, b) => (available(a) < available(b) ? -1 : 1))
  const enough = byRoom.find((channel) => available(channel) >= price)
  if (enough) return { way: 'pay', channel: enough }
  const fullest = byRoom.at(-1)
  const shortfall = fullest ? price - available(fullest) : 0n
  if (fullest && fullest.deposit + shortfall <= budget.deposit) {
    const room = budget.deposit - fullest.deposit
    const added = smaller(larger(topUpDeposit(price), shortfall), room)
    return { way: 'top up', channel: fullest, deposit: added, least: shortfall }
  }
  if (price > budget.deposit) throw new OverBudgetError('deposit', budget.deposit, price)
  return { way: 'open', deposit: smaller(larger(deposit(price), price), budget.deposit), least: price }
}

/** Whether a channel can pay an offer of its receiver, as far as the two are about the same. */
export function fits(channel: Channel, offer: Offer): boolean {
  const { status, receiver, token, escrow, chainId } = channel
  const same =
    receiver === offer.receiver && token === offer.token && escrow === offer.escrow && chainId === offer.chainId
  return same && status === 'open'
}

async function findOrFund(
  context: Context,
  protocol: AnyProtocol,
  offer: Offer,
  asking: Asking | undefined,
): Promise<Channel> {
  await finish(context, protocol, offer)
  await resume(context, protocol, offer, asking)
  const plan = planFor(offer, await usableChannels(context, offer), context)
  if (plan.way === 'pay') return plan.channel
  return plan.way === 'open'
    ? open(context, protocol, offer, plan, asking)
    : add(context, protocol, plan.channel, plan, asking)
}

async function usableChannels(context: Context, offer: Offer): Promise<Channel[]> {
  const usable: Channel[] = []
  for await (const channel of context.store.list()) {
    if (isUsable(context, channel, offer)) usable.push(channel)
  }
  return usable
}

/** Adds `amount` base units to a channel, or what the account holds of it, but not less than `least`. */
export function topUp(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  amount: bigint,
  least = amount,
): Promise<Channel> {
  return add(context, protocol, channel, { deposit: amount, least }, undefined)
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
