/**
 * The one way to get a channel for a payment: one that has enough left, else one
 * that is topped up, else a new one.
 *
 * Of several that suffice the emptiest is used, so that channels get finished.
 * Whoever asks while one is being funded waits for it.
 */
import { toHex } from 'viem'
import { OverBudgetError } from '../base/spending.ts'
import { available, type Channel } from '../channel/channel.ts'
import { apply } from '../channel/events.ts'
import type { Offer } from '../channel/messages.ts'
import type { Identity } from '../escrow/escrow.ts'
import { deploymentOf, signerOf, writeAbout, type AnyProtocol, type Context } from './context.ts'
import { putIn } from './deposit.ts'

/** A channel with room for the offer, open on chain. @throws {OverBudgetError} | {@link NoTokensError} | {@link NoGasError} */
export function channelFor(context: Context, protocol: AnyProtocol, offer: Offer): Promise<Channel> {
  const name = `${offer.escrow}:${offer.receiver}:${offer.token}`
  const { funding } = context.live
  const underWay = funding.get(name)
  if (underWay) return underWay.then(() => channelFor(context, protocol, offer))
  const work = findOrFund(context, protocol, offer).finally(() => funding.delete(name))
  funding.set(name, work)
  return work
}

async function findOrFund(context: Context, protocol: AnyProtocol, offer: Offer): Promise<Channel> {
  const usable = await usableChannels(context, offer)
  const enough = usable.filter((channel) => available(channel) >= offer.price)
  const [emptiest] = enough.sort((a, b) => (available(a) < available(b) ? -1 : 1))
  if (emptiest) return emptiest
  const [fullest] = usable.sort((a, b) => (available(a) > available(b) ? -1 : 1))
  return fullest && fullest.deposit + offer.price - available(fullest) <= context.budget.deposit
    ? topUpFor(context, protocol, fullest, offer)
    : openFor(context, protocol, offer)
}

async function usableChannels(context: Context, offer: Offer): Promise<Channel[]> {
  const usable: Channel[] = []
  for await (const channel of context.store.list()) {
    const { status, receiver, token, escrow, chainId } = channel
    const fits =
      receiver === offer.receiver && token === offer.token && escrow === offer.escrow && chainId === offer.chainId
    if (fits && status === 'open' && channel.sender === context.address && signerOf(context, channel))
      usable.push(channel)
  }
  return usable
}

async function openFor(context: Context, protocol: AnyProtocol, offer: Offer): Promise<Channel> {
  const { escrow } = protocol
  const { address: sender, signers, budget, deposit } = context
  const amount = smaller(larger(deposit(offer.price), offer.price), budget.deposit)
  if (amount < offer.price) throw new OverBudgetError('deposit', budget.deposit, offer.price)
  const identity: Identity<unknown> = {
    sender,
    receiver: offer.receiver,
    token: offer.token,
    signer: escrow.signedBySender ? sender : signers[0].address,
    terms: escrow.freshTerms(toHex(crypto.getRandomValues(new Uint8Array(32)))),
  }
  const at = { chainId: offer.chainId, address: offer.escrow, token: offer.token }
  context.onProgress({ step: 'opening', deposit: amount, receiver: offer.receiver })
  const mined = await putIn(context, {
    token: offer.token,
    escrow: offer.escrow,
    abi: escrow.abi,
    amount,
    least: offer.price,
    transferData: escrow.calls.openByTransfer(identity),
    transfers: escrow.transfers,
    call: (deposit) => escrow.calls.open(identity, deposit, at),
  })
  for (const log of mined.logs) {
    const event = escrow.event(log, at)
    if (event?.type !== 'opened' || event.channel.sender !== sender) continue
    await writeAbout(context.store, event.key, (about) => ({ ...about, opened: mined.hash }))
    return context.store.update(event.key, (now) => apply(now, event) ?? event.channel)
  }
  throw new Error(`Transaction ${mined.hash} opened no channel: the token took the call and did nothing.`)
}

async function topUpFor(context: Context, protocol: AnyProtocol, channel: Channel, offer: Offer): Promise<Channel> {
  const shortfall = offer.price - available(channel)
  const room = context.budget.deposit - channel.deposit
  return topUp(
    context,
    protocol,
    channel,
    smaller(larger(context.topUpDeposit(offer.price), shortfall), room),
    shortfall,
  )
}

/** Adds `amount` base units to a channel, or what the account holds of it, but not less than `least`. */
export async function topUp(
  context: Context,
  { escrow }: AnyProtocol,
  channel: Channel,
  amount: bigint,
  least = amount,
): Promise<Channel> {
  context.onProgress({ step: 'topping up', deposit: amount, receiver: channel.receiver })
  const mined = await putIn(context, {
    token: channel.token,
    escrow: channel.escrow,
    abi: escrow.abi,
    amount,
    least,
    transferData: escrow.calls.topUpByTransfer(channel),
    transfers: escrow.transfers,
    call: (deposit) => escrow.calls.topUp(channel, deposit),
  })
  const at = deploymentOf(channel)
  let topped = channel
  for (const log of mined.logs) {
    const event = escrow.event(log, at)
    if (event?.key !== channel.key || (event.type !== 'toppedUp' && event.type !== 'toppedUpBy')) continue
    topped = await context.store.update(channel.key, (now) => apply(now, event) ?? channel)
    await writeAbout(context.store, channel.key, (about) => ({
      ...about,
      toppingUp: { hash: mined.hash, amount: `${topped.deposit - channel.deposit}` },
    }))
  }
  return topped
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
