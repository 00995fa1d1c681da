/**
 * One paid fetch, top to bottom.
 *
 *   remembered offer? ----no----> send unpaid -> not 402: that is the answer
 *        |                               | 402
 *        |                          choose an offer       choose.ts; budget.ts says which can be taken
 *        +----------------<--------------+
 *   channelFor                     fund.ts      find, top up or open
 *   authorizePrice                 spend.ts     budget, reservation and voucher durable; or a voucher that covers it
 *   send with the payment          transmit.ts  the same Idempotency-Key at every attempt
 *   refused? ---------> heal.ts                 one correction, or an error
 *   receipt  ---------> what was charged
 *
 * A fixed number of attempts; no loop without an end.
 */
import { ConfigError } from '../base/faults.ts'
import { InsecureUrlError, NoAcceptableOfferError, PaymentRefusedError } from '../base/spending.ts'
import { announceTopUp } from './announce.ts'
import { checkPrice } from './budget.ts'
import type { OfferBook } from './book.ts'
import { choose, offersIn, type Chosen } from './choose.ts'
import type { Context } from './context.ts'
import { channelFor } from './fund.ts'
import { heal } from './heal.ts'
import { decisionOf } from './hooks.ts'
import { enter, inTurn, leave } from './lane.ts'
import { settleUp } from './receipt.ts'
import { authorizePrice, takeBack, type Spending } from './spend.ts'
import { NeverSentError, send, sendUntilConfirmed, type Outgoing } from './transmit.ts'

/** Corrections, re-announcements and fresh offers for one request, all together. */
const ATTEMPTS = 4

/**
 * Sends a request and pays for it if it has to.
 *
 * @throws {SpendingError} if it cannot be paid within the budget, or was refused
 */
export async function buy(context: Context, book: OfferBook, request: Outgoing): Promise<Response> {
  requireSecure(request.url)
  const remembered = book.find(request)
  let chosen = remembered
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!chosen) {
      const asked = await askUnpaid(context, request)
      if ('response' in asked) return asked.response
      chosen = asked.chosen
    }
    const outcome = await payInTurn(context, request, chosen)
    if (outcome.response) {
      if (outcome.response.ok) note(book, request, remembered, outcome.next)
      return outcome.response
    }
    book.drop(request)
    chosen = outcome.fresh
  }
  throw new PaymentRefusedError(402, `still refused after ${ATTEMPTS} attempts`, {})
}

function note(book: OfferBook, request: Outgoing, remembered: Chosen | undefined, next: Chosen | undefined): void {
  if (!next) book.drop(request)
  else if (next !== remembered) book.keep(request, next)
}

/** The answer, if it costs nothing or somebody does not want to pay; else the offer that is paid. */
async function askUnpaid(
  context: Context,
  request: Outgoing,
): Promise<{ readonly response: Response } | { readonly chosen: Chosen }> {
  const { hooks } = context
  const response = await send(context, request, [])
  if (hooks.onResponse?.(response, request) === 'stop' || response.status !== 402) return { response }
  try {
    const chosen = choose(context, response)
    if (hooks.onPaymentRequested?.(chosen.offer, response, request) === 'stop') return { response }
    await response.body?.cancel()
    return { chosen }
  } catch (error) {
    if (!(error instanceof NoAcceptableOfferError)) throw error
    if (hooks.onNoAcceptableOffer?.(response, request) === 'stop') return { response }
    throw error
  }
}

type Outcome =
  | {
      readonly response: Response
      readonly fresh?: undefined
      /** What the next request like this can be paid with at once. */
      readonly next?: Chosen | undefined
    }
  | { readonly response?: undefined; readonly fresh: Chosen | undefined }

/** A receiver that wants every voucher to rise by exactly the price gets one request at a time. */
function payInTurn(context: Context, request: Outgoing, chosen: Chosen): Promise<Outcome> {
  const { offer } = chosen
  const pay = () => payOnce(context, request, chosen)
  return offer.exact ? inTurn(context, `${offer.escrow}:${offer.receiver}:${offer.token}`, pay) : pay()
}

async function payOnce(context: Context, request: Outgoing, chosen: Chosen): Promise<Outcome> {
  const { offer, protocol } = chosen
  const { hooks } = context
  checkPrice(context.budget, offer.price)
  const spending = await spend(context, request, chosen)
  const { key, id } = spending.channel
  try {
    context.onUsed(key)
    context.onProgress({ step: 'paying', price: offer.price, channel: id })
    const { response, said, about } = await sendPaid(context, request, chosen, spending)
    if (hooks.onResponse?.(response, request) === 'stop') return { response }
    if (!said) return { response, next: await settleUp(context, request, chosen, spending, { response, about }) }
    const verdict = await heal(context, protocol, offer, spending, said)
    if (verdict === 'return' || decisionOf(hooks, said, response, request) === 'stop') return { response }
    await response.body?.cancel()
    return { fresh: offersIn(context, response).length > 0 ? choose(context, response) : undefined }
  } finally {
    leave(context, key, spending.ticket)
  }
}

/** Gives the price back where nothing can have arrived: an outage must not use up a budget. */
async function sendPaid(context: Context, request: Outgoing, chosen: Chosen, spending: Spending) {
  try {
    return await sendUntilConfirmed(context, request, chosen, spending)
  } catch (error) {
    if (!(error instanceof NeverSentError)) throw error
    await takeBack(context, spending)
    throw error.cause
  }
}

/** A channel with room, and a voucher on it; who calls leaves it. Another request may be faster: then once more. */
async function spend(context: Context, request: Outgoing, { offer, protocol }: Chosen): Promise<Spending> {
  for (let attempt = 0; attempt < 64; attempt += 1) {
    const { key } = await channelFor(context, protocol, offer, request)
    await announceTopUp(context, protocol, key, offer, request)
    const ticket = enter(context, key)
    let spending: Spending | undefined
    try {
      spending = await authorizePrice(context, key, { offer, origin: request.url.origin, ticket })
      if (spending) return spending
    } finally {
      if (!spending) leave(context, key, ticket)
    }
  }
  throw new Error('other requests of this client use up every deposit; raise the budget for deposits')
}

function requireSecure({ protocol, hostname, origin }: URL): void {
  if (protocol === 'https:') return
  if (protocol !== 'http:') throw new ConfigError('url', `${protocol} is not http or https`)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  if (!loopback) throw new InsecureUrlError(origin)
}
