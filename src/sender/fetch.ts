/**
 * One paid fetch, top to bottom.
 *
 *   remembered offer? ----no----> send unpaid -> not 402: that is the answer
 *        |                               | 402
 *        |                          choose an offer       budget.ts says which can be taken
 *        +----------------<--------------+
 *   channelFor                     fund.ts      find, top up or open
 *   authorizePrice                 spend.ts     budget and reservation durable, then the signature
 *   send with the payment                       the same Idempotency-Key at every attempt
 *   refused? ---------> heal.ts                 one correction, or an error
 *   receipt  ---------> what was charged
 *
 * A fixed number of attempts; no loop without an end.
 */
import { ConfigError } from '../base/faults.ts'
import {
  DepositNotConfirmedError,
  InsecureUrlError,
  NoAcceptableOfferError,
  PaymentRefusedError,
} from '../base/spending.ts'
import type { Offer, Payment } from '../channel/messages.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import { announceTopUp, pause } from './announce.ts'
import { checkPrice, objection } from './budget.ts'
import { readAbout, writeAbout, type AnyProtocol, type Context } from './context.ts'
import { channelFor } from './fund.ts'
import { heal } from './heal.ts'
import { readRefusal } from './refusal.ts'
import { authorizePrice, believeLess, type Spending } from './spend.ts'

/** A request that can be sent more than once. */
export type Outgoing = {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | undefined
  readonly signal: AbortSignal | undefined
}

/** An offer and the protocol that it was made in. */
export type Chosen = { readonly offer: Offer; readonly protocol: AnyProtocol }

/** Offers of earlier answers, by method and URL: with one a purchase is a single round trip. */
export type OfferBook = Map<string, Chosen>

/** Corrections, re-announcements and fresh offers for one request, all together. */
const ATTEMPTS = 4
/** How long a deposit may take to be deep enough for the receiver. */
const CONFIRMING_MS = 600_000

/**
 * Sends a request and pays for it if it has to.
 *
 * @throws {SpendingError} if it cannot be paid within the budget, or was refused
 */
export async function buy(context: Context, book: OfferBook, request: Outgoing): Promise<Response> {
  requireSecure(request.url)
  const place = `${request.method} ${request.url.href}`
  let chosen = book.get(place)
  if (chosen && isStale(chosen.offer)) chosen = undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!chosen) {
      const response = await send(context, request, [])
      if (response.status !== 402) return response
      chosen = await choose(context, response)
    }
    const outcome = await payOnce(context, request, chosen)
    if (outcome.response) {
      if (outcome.response.ok) book.set(place, chosen)
      return outcome.response
    }
    book.delete(place)
    chosen = outcome.fresh
  }
  throw new PaymentRefusedError(402, `still refused after ${ATTEMPTS} attempts`, {})
}

/** An offer that this client may take, in the receiver's order. @throws {NoAcceptableOfferError} | {@link OverBudgetError} */
export async function choose(context: Context, response: Response, toBuy = true): Promise<Chosen> {
  await response.body?.cancel()
  const objections: string[] = []
  for (const protocol of context.protocols) {
    for (const offer of protocol.dialect.readOffers(response.headers)) {
      const problem = objection(offer, context.allowed)
      if (problem !== undefined) {
        objections.push(problem)
        continue
      }
      if (toBuy) checkPrice(context.budget, offer.price)
      return { offer, protocol }
    }
  }
  throw new NoAcceptableOfferError(objections)
}

type Outcome =
  | { readonly response: Response; readonly fresh?: undefined }
  | { readonly response?: undefined; readonly fresh: Chosen | undefined }

async function payOnce(context: Context, request: Outgoing, chosen: Chosen): Promise<Outcome> {
  const { offer, protocol } = chosen
  checkPrice(context.budget, offer.price)
  const spending = await spend(context, request, chosen)
  context.onProgress({ step: 'paying', price: offer.price, channel: spending.channel.id })
  const ticket = enter(context, spending)
  try {
    const response = await sendUntilConfirmed(context, request, chosen, spending)
    const said = await readRefusal(response, protocol.dialect)
    if (!said) {
      await settleUp(context, request, chosen, spending, response, ticket.alone())
      return { response }
    }
    const verdict = await heal(context, protocol, spending, said)
    if (verdict === 'return') return { response }
    return { fresh: await choose(context, response).catch(() => undefined) }
  } finally {
    ticket.leave()
  }
}

/** A channel with room, and a voucher on it. Another request may be faster: then once more. */
async function spend(context: Context, request: Outgoing, { offer, protocol }: Chosen): Promise<Spending> {
  for (let attempt = 0; attempt < 64; attempt += 1) {
    const { key } = await channelFor(context, protocol, offer)
    await announceTopUp(context, protocol, key, offer, request)
    const spending = await authorizePrice(context, protocol, key, offer, request.url.origin)
    if (spending) return spending
  }
  throw new Error('other requests of this client use up every deposit; raise the budget for deposits')
}

/** Sends the paid request; while the receiver waits for the deposit to be deep enough, so do we. */
async function sendUntilConfirmed(
  context: Context,
  request: Outgoing,
  { offer, protocol }: Chosen,
  spending: Spending,
): Promise<Response> {
  const { opened, acknowledged } = await readAbout(context.store, spending.channel.key)
  const payment = paymentOf(spending, acknowledged === true ? undefined : opened)
  const headers = protocol.dialect.writePayment(offer, payment)
  const until = Date.now() + CONFIRMING_MS
  for (;;) {
    const response = await sendAgainIfLost(context, request, headers)
    const said = await readRefusal(response, protocol.dialect)
    if (said?.code !== 'channel-pending') return response
    if (Date.now() > until) throw new DepositNotConfirmedError(opened ?? spending.channel.id)
    await response.body?.cancel()
    await pause(context, said, request.signal)
  }
}

/** An answer that got lost is asked for again: the same Idempotency-Key is not charged twice. Only where running twice would do no harm. */
async function sendAgainIfLost(context: Context, request: Outgoing, payment: HeaderLines): Promise<Response> {
  for (let lost = 0; ; lost += 1) {
    try {
      return await send(context, request, payment)
    } catch (error) {
      const safe = request.method === 'GET' || request.method === 'HEAD'
      if (!safe || lost === 2 || request.signal?.aborted) throw error
    }
  }
}

function paymentOf({ channel, voucher }: Spending, opening: `0x${string}` | undefined): Payment {
  const { id, sender, signer, terms } = channel
  const named = { channelId: id, sender, voucher }
  return opening ? { ...named, signer, terms, funding: { by: 'transaction', action: 'open', hash: opening } } : named
}

async function send(context: Context, request: Outgoing, payment: HeaderLines): Promise<Response> {
  const headers = new Headers(request.headers)
  for (const [name, value] of payment) headers.set(name, value)
  const { method, body, signal } = request
  return context.fetch(request.url, {
    method,
    headers,
    redirect: 'manual',
    ...(body && { body }),
    ...(signal && { signal }),
  })
}

async function settleUp(
  context: Context,
  request: Outgoing,
  { protocol }: Chosen,
  { channel }: Spending,
  response: Response,
  alone: boolean,
): Promise<void> {
  const { key, id } = channel
  const receipt = protocol.dialect.readReceipt(response.headers)
  if (receipt?.channelId !== id) return
  const about = await readAbout(context.store, key)
  if (about.acknowledged !== true || about.url !== request.url.href || about.method !== request.method) {
    await writeAbout(context.store, key, (now) => ({
      ...now,
      acknowledged: true,
      url: request.url.href,
      method: request.method,
    }))
  }
  if (alone && context.alone) await believeLess(context, key, receipt.charged)
}

/** Whether a request was the only one on its channel from its reservation to its receipt. */
function enter({ live }: Context, { channel }: Spending) {
  const others = live.inFlight.get(channel.key) ?? new Set<{ overlapped: boolean }>()
  for (const other of others) other.overlapped = true
  const self = { overlapped: others.size > 0 }
  live.inFlight.set(channel.key, others.add(self))
  return {
    alone: () => !self.overlapped,
    leave: () => {
      others.delete(self)
      if (others.size === 0) live.inFlight.delete(channel.key)
    },
  }
}

function isStale({ expiresAtMs }: Offer): boolean {
  return expiresAtMs !== undefined && expiresAtMs - 5_000 < Date.now()
}

function requireSecure({ protocol, hostname, origin }: URL): void {
  if (protocol === 'https:') return
  if (protocol !== 'http:') throw new ConfigError('url', `${protocol} is not http or https`)
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
  if (!loopback) throw new InsecureUrlError(origin)
}
