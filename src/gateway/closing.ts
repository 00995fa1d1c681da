/**
 * A close that the receiver consents to and the sender sends to the chain.
 *
 * @see docs/reference/rest.md, "Close together"
 */
import { ChannelNotFoundError, OverpaidError, UnderpaidError } from '../base/errors.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { getByOpening } from '../receiver/admin.ts'
import { agreeTo } from '../receiver/close.ts'
import { requireReady } from '../receiver/context.ts'
import { notDeepEnough } from '../receiver/find.ts'
import { ok, RefusedError, type Answer } from './answer.ts'
import { isProven, openingIn } from './channels.ts'
import type { Gateway } from './context.ts'
import { balanceIn } from './request.ts'
import type { Visit } from './route.ts'

/**
 * The receiver's signature of a close at the amount that is asked for. The same request is answered the same again.
 *
 * @throws {ChannelNotFoundError} | {@link ChannelPendingError} | {@link ChannelNotOpenError}
 * @throws {MalformedPaymentError} | {@link InvalidSignatureError} | {@link RefusedError}
 */
export async function closeTogether(gateway: Gateway, visit: Visit): Promise<Answer> {
  const { receiver, rail } = gateway
  const opening = openingIn(visit)
  const amount = await balanceIn(visit.request, visit.query)
  const { channel, pending } = await getByOpening(receiver, rail, opening)
  if (!channel) throw pending ? notDeepEnough(receiver, pending.confirmations) : new ChannelNotFoundError()
  const proven = isProven(gateway, visit, { ask: 'close', channelId: channel.id, amount }, channel.signer)
  if (!proven && !visit.administrator) requireOriginal(gateway, channel, amount)
  requireReady(receiver)
  try {
    return ok({ close_signature: await agreeTo(receiver, { rail, channel }, amount) })
  } catch (error) {
    if (!(error instanceof UnderpaidError) && !(error instanceof OverpaidError)) throw error
    throw notAgreed((await receiver.store.get(channel.key)) ?? channel, error)
  }
}

/**
 * What µRaiden asked of anybody: the amount of the last payment, of a channel that was paid from. Which amount that
 * is, nobody is told.
 *
 * @throws {RefusedError}
 */
function requireOriginal({ closeWithoutProof }: Gateway, channel: Channel, amount: bigint): void {
  if (!closeWithoutProof) {
    throw new RefusedError(
      403,
      'Only the sender closes a channel. Prove it in RDN-Sender-Proof, or close alone on the chain.',
    )
  }
  if (channel.status !== 'open') return // said as it is to anybody: the chain shows it
  if (channel.voucher && amount === authorized(channel)) return
  throw new RefusedError(400, 'This is not the balance of the last payment. Ask with that, or prove to be the sender.')
}

/** Says which amounts would be agreed to, to somebody who may know. */
function notAgreed(channel: Channel, { code, details }: UnderpaidError | OverpaidError): RefusedError {
  const least = channel.charged > channel.settled ? channel.charged : channel.settled
  const most = authorized(channel)
  const range = least === most ? `exactly ${least}` : `from ${least}, which is what was charged, to ${most}`
  const more = { ...details, type: `urn:farthing:${code}`, code, least: `${least}`, most: `${most}` }
  return new RefusedError(400, `The receiver does not agree to this balance. Ask to close at ${range}.`, { more })
}
