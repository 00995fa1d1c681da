/**
 * One paid request, top to bottom. Start reading here.
 *
 *                      request headers
 *                           |
 *   402 offers        <-- speaks        no dialect spoken: an offer per rail. Whoever does not pay waits in line (door.ts)
 *   400               <-- readPayment   dialect/*     bytes to a Payment
 *   410, 402          <-- findChannel   find.ts       one of ours; fund.ts when the payment carries funding
 *   402               <-- checkOffer    find.ts       our offer, for this resource, in time
 *   402               <-- verifyVoucher verify.ts     as the escrow would
 *                     <-- levelWith     restore.ts    a store that was put back from a backup catches up
 *   409, kept answer  <-- sellOnce      once.ts       the same Idempotency-Key again
 *   402, 410          <-- charge        channel/ledger.ts, in one durable store update
 *                           |    ---- durable from here on ----
 *                       the handler     sale.ts gives back what was not delivered
 *
 * A refused payment changes nothing; after a restore it may bring its channel up to date. The charge is on disk before the handler
 * runs, so the receipt exists before the first byte and nothing is buffered.
 */
import {
  ChannelNotFoundError,
  ChannelNotOpenError,
  ReceiverUnavailableError,
  TooManyFailuresError,
} from '../base/errors.ts'
import type { Channel, Voucher } from '../channel/channel.ts'
import { charge } from '../channel/ledger.ts'
import type { Payment } from '../channel/messages.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Admission, Ask } from './ask.ts'
import { closeTogether } from './close.ts'
import { chainIsSilent, requireReady, type Context } from './context.ts'
import { checkOffer, findChannel, type Found } from './find.ts'
import { fund, lookForTopUp } from './fund.ts'
import { identifyRequest, isNamed, recall, sellOnce } from './once.ts'
import { renewalOf } from './offer.ts'
import type { Tariff } from './price.ts'
import { offer, refuse } from './refuse.ts'
import { isLevel, levelWith } from './restore.ts'
import { acknowledge } from './sale.ts'
import { verifyVoucher } from './verify.ts'

/** Decides about a request before its handler runs. */
export async function admit(receiver: Context, ask: Ask, tariff: Tariff): Promise<Admission> {
  const { rails, live } = receiver
  const dialect = rails.find((rail) => rail.dialect.speaks(ask.headers))?.dialect
  const hasWaited = !dialect || live.door.wasRefused(ask.connection)
  if (hasWaited) await live.door.turn()
  try {
    requireReady(receiver)
    if (!dialect) return { answer: offer(receiver, { ask, tariff }) }
    const admission = await pay(receiver, dialect, ask, tariff)
    if (hasWaited) live.door.note(ask.connection, false)
    return admission
  } catch (error) {
    if (dialect) live.door.note(ask.connection, true)
    if (!hasWaited) await live.door.turn()
    return { answer: refuse(receiver, dialect, { ask, tariff }, error) }
  }
}

async function pay<terms>(receiver: Context, dialect: Dialect<terms>, ask: Ask, tariff: Tariff): Promise<Admission> {
  const payment = dialect.readPayment(ask.headers)
  const named = payment.funding ? await fund(receiver, dialect, payment) : await findChannel(receiver, dialect, payment)
  if (!payment.voucher) return { answer: acknowledge(receiver, named, payment, false) }
  const { voucher } = payment

  const request = isNamed(ask) ? await identifyRequest(receiver, ask, named.channel) : undefined
  const moving = payment.close === true || dialect.updatesOnly(ask.method)
  const target = moving ? undefined : tariff
  if (!request) checkOffer(payment, target)
  await verifyVoucher(receiver, named, voucher)
  // Only now: what became of a request is told to its own sender.
  const past = request && (await recall(receiver, request))
  if (request && !past) checkOffer(payment, target)
  const unheard = !dialect.carriesFunding && isBeyondDeposit(named.channel, voucher)
  if (unheard) await lookForTopUp(receiver, named, voucher.cumulativeAmount)

  const price = moving ? 0n : dueNow(payment, tariff)
  const isKnown = past !== undefined || isLevel(receiver, named.channel)
  const found = isKnown ? named : await levelWith(receiver, named, voucher, { price, request })
  if (payment.close) return { answer: await closeTogether(receiver, found, voucher, payment) }
  const buy = () => chargeWith(receiver, found, voucher, price, dialect)
  if (!moving) {
    const renewal = renewalOf(receiver, found.rail, payment, tariff)
    return sellOnce(receiver, { found, payment, price, renewal, request, past, buy })
  }
  const channel = await receiver.store.update(found.channel.key, buy())
  return { answer: acknowledge(receiver, { ...found, channel }, payment, true) }
}

function isBeyondDeposit({ status, deposit }: Channel, { cumulativeAmount }: Voucher): boolean {
  return status === 'open' && cumulativeAmount > deposit
}

/** The price that was offered, where an offer was made; never more than that. */
function dueNow(payment: Payment, { price }: Tariff): bigint {
  const quoted = payment.offer?.price
  return quoted !== undefined && quoted < price ? quoted : price
}

/** Asks whether there is credit at all, then returns the change that makes a verified voucher a charge. */
function chargeWith<terms>(receiver: Context, found: Found, voucher: Voucher, price: bigint, dialect: Dialect<terms>) {
  const { key } = found.channel
  requireCredit(receiver, found.channel, price)
  return (now: Channel | undefined): Channel => {
    if (!now) throw new ChannelNotFoundError()
    if (now.status === 'open' && receiver.live.leaving.has(key)) throw new ChannelNotOpenError('closing')
    return charge(now, voucher, price, dialect.due)
  }
}

/** @throws {ReceiverUnavailableError} | {@link TooManyFailuresError} where a sound voucher still gets no credit */
function requireCredit(receiver: Context, { key }: Channel, price: bigint): void {
  const { live, limits } = receiver
  const failures = live.failures.get(key)
  if (failures && failures.count >= limits.failures && failures.untilMs > Date.now()) {
    throw new TooManyFailuresError(Math.ceil((failures.untilMs - Date.now()) / 1000))
  }
  if (!chainIsSilent(receiver)) return
  const exposed = (live.chargedInSilence.get(key) ?? 0n) + price
  if (exposed > limits.exposure) throw new ReceiverUnavailableError('chain')
  live.chargedInSilence.set(key, exposed)
}
