/** What a paid answer tells the sender's own books. */
import { authorized, type Channel } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import { offersIn, type Chosen } from './choose.ts'
import { writeAbout, type About, type Context } from './context.ts'
import { believeLess, takeBack, type Spending } from './spend.ts'
import type { Outgoing } from './transmit.ts'

type Delivered = {
  readonly response: Response
  /** What was filed about the channel when the request went out. */
  readonly about: About
}

/**
 * Remembers where the channel was used, and believes a receiver that charged less than was offered. Of more it believes
 * only another price for this request, within the budget and within what is authorized: where a payment does not name
 * the offer that it answers, a price can rise on the way.
 *
 * Returns the offer for the next request like this; undefined if its price has to be asked again.
 */
export async function settleUp(
  context: Context,
  request: Outgoing,
  chosen: Chosen,
  spending: Spending,
  { response, about }: Delivered,
): Promise<Chosen | undefined> {
  const { offer, protocol, byRoute } = chosen
  const { dialect } = protocol
  const receipt = dialect.readReceipt(response.headers)
  const { id } = spending.channel
  if (receipt?.channelId === id || (!dialect.carriesFunding && response.ok)) {
    await remember(context, request, spending.channel, { about, echo: dialect.carriesFunding ? undefined : offer.echo })
  }
  // Nothing was sold: an address on a paid route may be free.
  if (!receipt && byRoute && response.ok) await takeBack(context, spending)
  if (!receipt || (receipt.channelId !== undefined && receipt.channelId !== id)) return byRoute ? undefined : chosen
  const { charged, price } = receipt
  // The receipt of an answer that is given again is as old as the answer: more may have been charged since.
  const isNew = response.headers.get('idempotency-replayed') !== 'true'
  if (charged !== undefined && isNew && context.alone && !spending.ticket.overlapped) {
    await believeLess(context, spending, charged, () => !spending.ticket.overlapped)
  }
  if (price !== undefined && price > spending.price) {
    await payMore(context, spending, price)
    return undefined
  }
  if (price !== undefined && price < spending.price && (charged === undefined || spending.ticket.overlapped)) {
    await takeBack(context, spending, spending.price - price)
  }
  return renewed(context, response, chosen)
}

/** An offer that expires gives way to one in the answer that lasts longer and is the same otherwise. */
function renewed(context: Context, response: Response, chosen: Chosen): Chosen {
  const { offer, protocol } = chosen
  const { expiresAtMs } = offer
  if (expiresAtMs === undefined) return chosen
  const terms = termsOf(offer)
  // An answer that is given again brings the offer of its first run, which may be over.
  const lasts = (told: Offer) => told.expiresAtMs !== undefined && told.expiresAtMs >= expiresAtMs
  const fresh = offersIn(context, response).find(
    (told) => told.protocol === protocol && termsOf(told.offer) === terms && lasts(told.offer),
  )
  return fresh ?? chosen
}

function termsOf({ price, token, receiver, chainId, escrow, resource, step, exact }: Offer): string {
  return JSON.stringify([`${price}`, token, receiver, chainId, escrow, resource, step?.toString(), exact])
}

/** The receiver has charged another price than it had offered. It stands only where it would have been paid anyway. */
async function payMore({ store, budget }: Context, { channel, price, ticket }: Spending, cost: bigint): Promise<void> {
  if (cost > budget.perRequest) return
  await store.update(channel.key, (now = channel) => {
    const charged = now.charged + cost - price
    if (charged > authorized(now)) return now
    ticket.reserved = cost
    return { ...now, charged }
  })
}

/** From now on the receiver knows the channel with all that was put in. */
async function remember(
  { store, live }: Context,
  { url: { href: url, origin }, method }: Outgoing,
  { key }: Channel,
  { about, echo }: { readonly about: About; readonly echo: unknown },
): Promise<void> {
  const seenTopUp = echo !== undefined && about.toppingUp !== undefined
  live.paidAt.set(key, { url, method })
  // Of several addresses one is enough for the next start: it is not worth a commit for each request.
  const isKnown = about.url !== undefined && new URL(about.url).origin === origin
  if (about.acknowledged === true && isKnown && !seenTopUp) return
  await writeAbout(store, key, ({ toppingUp, ...now }) => ({
    ...now,
    ...(toppingUp && !seenTopUp && { toppingUp }),
    ...(echo !== undefined && { echo }),
    acknowledged: true,
    url,
    method,
  }))
}
