/** What this receiver asks for: an offer per rail. */
import { PaymentRequiredError, type PaymentError } from '../base/errors.ts'
import { ConfigError } from '../base/faults.ts'
import type { Offer, Payment } from '../channel/messages.ts'
import type { Dialect, HeaderLines } from '../dialect/dialect.ts'
import { problem, type Answer } from './answer.ts'
import type { Context } from './context.ts'
import type { Line, Offers } from './offered.ts'
import type { PageOffer } from './page.ts'
import type { Tariff } from './price.ts'
import type { AnyRail } from './rail.ts'
import { offeredWays } from './relay-ways.ts'

/** The offer again where the one that is paid has less than half of its time left, so that a good client never has to ask. */
export function renewalOf(receiver: Context, rail: AnyRail, { offer }: Payment, tariff: Tariff): HeaderLines {
  if (offer?.expiresAtMs === undefined || offer.expiresAtMs - Date.now() > receiver.limits.offerMs / 2) return []
  return rail.dialect.writeOffer(offerOf(receiver, rail, tariff))
}

export function offersFor(receiver: Context, tariff: Tariff): Offers {
  return receiver.live.offered(`${tariff.price} ${tariff.resource}`, () => {
    const made = receiver.rails.map((rail) => ({ rail, offer: offerOf(receiver, rail, tariff) }))
    const lines = linesOf(made)
    const offers = made.map(({ rail, offer }) => readable(rail, offer))
    return { lines, offers, unpaid: unpaid(receiver, tariff, lines, offers) }
  })
}

function unpaid(receiver: Context, { price }: Tariff, offered: readonly Line[], offers: readonly PageOffer[]): Answer {
  const spoken = firstDialect(receiver)
  const refusal = new PaymentRequiredError(price)
  const lines = [...offered, ...refusalLines(spoken, refusal)]
  return problem(refusal, spoken.refusals[refusal.code], headersOf(receiver, lines), { offers })
}

/** Who names no protocol is answered in the first one's words. */
export function firstDialect({ rails }: Context): Dialect<unknown> {
  const [first] = rails
  if (!first) throw new ConfigError('rails', 'give at least one rail')
  return first.dialect
}

export function refusalLines(dialect: Dialect<unknown>, refusal: PaymentError): Line[] {
  return dialect.writeRefusal(refusal).map((line) => ({ dialect, line }))
}

export function headersOf({ vary }: Context, lines: readonly Line[]): HeaderLines {
  return [...lines.map(({ line }) => line), vary]
}

/** A header that can stand only once is that of the first rail. */
function linesOf(made: readonly { readonly rail: AnyRail; readonly offer: Offer }[]): Line[] {
  const lines = made.flatMap(({ rail: { dialect }, offer }) =>
    dialect.writeOffer(offer).map((line): Line => ({ dialect, line })),
  )
  const told = new Set<string>()
  return lines.filter(({ dialect, line: [name] }) => {
    if (!dialect.usesCookies) return true
    const fresh = !told.has(name)
    told.add(name)
    return fresh
  })
}

function offerOf(receiver: Context, rail: AnyRail, { price, resource }: Tariff): Offer {
  const { address, limits } = receiver
  const { chainId, token } = rail
  const funding = offeredWays(receiver, rail)
  return {
    price,
    token,
    receiver: address,
    chainId,
    escrow: rail.address,
    deposit: price * limits.depositFactor,
    expiresAtMs: Date.now() + limits.offerMs,
    resource,
    ...(funding && { funding }),
  }
}

/** An offer for people: what the headers say in their own ways. */
function readable({ dialect }: AnyRail, { price, token, receiver, escrow, chainId }: Offer) {
  return { protocol: dialect.name, price: `${price}`, token, receiver, escrow, chainId }
}
