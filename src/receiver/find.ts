/** Which of our channels a payment is about, and whether it answers an offer of ours. */
import { ChannelNotFoundError, ChannelPendingError, OfferNotFoundError, WrongChannelError } from '../base/errors.ts'
import type { Channel } from '../channel/channel.ts'
import type { Payment } from '../channel/messages.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Context } from './context.ts'
import type { Tariff } from './price.ts'
import { keyOf, type AnyRail, type Rail } from './rail.ts'

export type Found = { readonly rail: AnyRail; readonly channel: Channel }

/**
 * The channel in the store. The chain is not asked: everything that is confirmed there was followed into the
 * store, and a stranger's made-up ids must not turn into calls to a node.
 *
 * @throws {ChannelNotFoundError} | {@link ChannelPendingError} | {@link WrongChannelError}
 */
export async function findChannel<terms>(
  receiver: Context,
  dialect: Dialect<terms>,
  payment: Payment<terms>,
): Promise<Found> {
  const rails = railsFor(receiver, dialect, payment)
  if (payment.escrow !== undefined && rails.length === 0) throw new WrongChannelError('escrow')
  for (const rail of rails) {
    const key = keyOf(rail, identify(receiver, rail, payment))
    const channel = await receiver.store.get(key)
    if (channel && channel.token === rail.token) {
      agree(channel, payment)
      return { rail, channel }
    }
    const pending = receiver.live.pending.get(key)
    if (pending) throw notDeepEnough(receiver, pending.confirmations)
  }
  throw new ChannelNotFoundError()
}

export function notDeepEnough(receiver: Context, confirmations: number): ChannelPendingError {
  return new ChannelPendingError(confirmations, receiver.chain.confirmations, retryAfter(receiver))
}

/** The rails that a payment may mean: all of its dialect, less those that it rules out. */
export function railsFor<terms>(receiver: Context, dialect: Dialect<terms>, payment: Payment<terms>): Rail<terms>[] {
  const { offer } = payment
  const escrow = payment.escrow ?? offer?.escrow
  const chainId = payment.chainId ?? offer?.chainId
  return receiver.rails.filter(
    (rail): rail is Rail<terms> =>
      rail.dialect === dialect &&
      (escrow === undefined || rail.address === escrow) &&
      (chainId === undefined || rail.chainId === chainId) &&
      (offer === undefined || rail.token === offer.token),
  )
}

/** The rail that a stored channel was opened for, undefined if it is not served any more. */
export function findRailOf({ rails }: Context, channel: Channel): AnyRail | undefined {
  return rails.find((rail) => keyOf(rail, channel.id) === channel.key && rail.token === channel.token)
}

/** Seconds after which a deposit may be a block deeper. */
export function retryAfter({ chain }: Context): number {
  return Math.max(1, Math.ceil(chain.pollMs / 1000))
}

/** @throws {OfferNotFoundError} unless the payment answers an offer of ours, in time and, with a tariff, for this resource */
export function checkOffer({ genuine, offer }: Payment, tariff?: Tariff): void {
  if (genuine === undefined) return // this dialect's payments do not say what they answer
  if (!genuine || !offer) throw new OfferNotFoundError('unknown')
  if (offer.expiresAtMs !== undefined && offer.expiresAtMs <= Date.now()) throw new OfferNotFoundError('expired')
  if (!tariff) return
  if (offer.resource !== tariff.resource) throw new OfferNotFoundError('another resource')
  if (offer.price < tariff.price && !tariff.holds) throw new OfferNotFoundError('another price')
}

/** Whatever a payment says of its channel must be so. @throws {WrongChannelError} */
export function agree(channel: Channel, { sender, receiver, signer }: Payment): void {
  if (receiver && receiver !== channel.receiver) throw new WrongChannelError('receiver')
  if (sender && sender !== channel.sender) throw new WrongChannelError('sender')
  if (signer && signer !== channel.signer) throw new WrongChannelError('signer')
}

/** The id that a payment names, computes from terms, or both; then they must be the same. */
export function identify<terms>({ address }: Context, rail: Rail<terms>, payment: Payment<terms>) {
  const { channelId, terms, sender } = payment
  if (!terms || !sender) {
    if (!channelId) throw new ChannelNotFoundError()
    return channelId
  }
  const { token, escrow } = rail
  const computed = escrow.channelId({ sender, receiver: address, token, signer: payment.signer ?? sender, terms }, rail)
  if (channelId && channelId !== computed) throw new WrongChannelError('id')
  return computed
}
