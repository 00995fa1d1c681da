/** Opens channels and tops them up, and files what came of it. */
import { toHex } from 'viem'
import { channelKey, type Channel } from '../channel/channel.ts'
import { apply } from '../channel/events.ts'
import type { Offer } from '../channel/messages.ts'
import type { Identity } from '../escrow/escrow.ts'
import { deploymentOf, writeAbout, type AnyProtocol, type Context } from './context.ts'
import { putIn } from './deposit.ts'
import { forget, onItsWay } from './relayed.ts'
import { noted } from './unfinished.ts'
import type { Asking, Handed } from './wanted.ts'

/** Base units to put in, what the account must hold of them, and what was signed for it before. */
export type Put = {
  readonly deposit: bigint
  readonly least: bigint
  readonly handed?: Handed
  /** The channel that was to be opened by that. */
  readonly identity?: Identity<unknown>
}

/** `asking`: where the receiver can be asked to send the deposit. */
export function open(
  context: Context,
  protocol: AnyProtocol,
  offer: Offer,
  put: Put,
  asking: Asking | undefined,
): Promise<Channel> {
  return noted(context, offer, () => openFor(context, protocol, offer, put, asking))
}

export function add(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  put: Put,
  asking: Asking | undefined,
): Promise<Channel> {
  return noted(context, channel, () => addTo(context, protocol, channel, put, asking))
}

/** Ends what was handed over to the receiver, and is neither known to be in nor over. */
export async function resume(
  context: Context,
  protocol: AnyProtocol,
  offer: Offer,
  asking: Asking | undefined,
): Promise<void> {
  const handed = await onItsWay(context, offer)
  if (!handed) return
  const { about, signed } = handed
  const put = { deposit: signed.amount, least: signed.amount, handed }
  if (about.action === 'open') {
    await open(context, protocol, offer, { ...put, identity: about.identity }, asking)
    return
  }
  const channel = await context.store.get(channelKey(offer.chainId, offer.escrow, about.id))
  if (channel) await add(context, protocol, channel, put, asking)
}

async function openFor(
  context: Context,
  { escrow }: AnyProtocol,
  offer: Offer,
  { deposit: amount, least, handed, identity = newIdentity(context, escrow, offer) }: Put,
  asking: Asking | undefined,
): Promise<Channel> {
  const { token, receiver } = offer
  const at = { chainId: offer.chainId, address: offer.escrow, token }
  const purpose = { action: 'open', identity } as const
  context.onProgress({ step: 'opening', deposit: amount, receiver })
  const wanted = { escrow, at, token, receiver, purpose, amount, least }
  const mined = await putIn(context, { ...wanted, ...(asking && { asking }), ...(handed && { handed }) })
  await forget(context, offer)
  for (const log of mined.logs) {
    const event = escrow.event(log, at)
    if (event?.type !== 'opened' || event.channel.sender !== context.address) continue
    await writeAbout(context.store, event.key, (about) => ({ ...about, opened: mined.hash }))
    return context.store.update(event.key, (now) => apply(now, event) ?? event.channel)
  }
  throw new Error(`Transaction ${mined.hash} opened no channel: the token took the call and did nothing.`)
}

async function addTo(
  context: Context,
  { escrow }: AnyProtocol,
  channel: Channel,
  { deposit: amount, least, handed }: Put,
  asking: Asking | undefined,
): Promise<Channel> {
  const { token, receiver } = channel
  const at = deploymentOf(channel)
  const purpose = { action: 'topUp', channel } as const
  context.onProgress({ step: 'topping up', deposit: amount, receiver })
  const wanted = { escrow, at, token, receiver, purpose, amount, least }
  const mined = await putIn(context, { ...wanted, ...(asking && { asking }), ...(handed && { handed }) })
  await forget(context, { token, receiver, escrow: channel.escrow })
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

function newIdentity(
  { address: sender, voucherSigners }: Context,
  escrow: AnyProtocol['escrow'],
  { receiver, token, escrow: address }: Offer,
): Identity<unknown> {
  return {
    sender,
    receiver,
    token,
    signer: escrow.signedBySender ? sender : (voucherSigners.get(address)?.address ?? sender),
    terms: escrow.freshTerms(toHex(crypto.getRandomValues(new Uint8Array(32)))),
  }
}
