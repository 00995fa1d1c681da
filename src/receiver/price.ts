/**
 * What a request costs, known before its payment is read.
 *
 * A price is never guessed: a missing, zero or fractional one is refused when
 * the route is made, and a computed one that is not a positive amount fails the
 * request before anything is sold.
 */
import { ConfigError } from '../base/faults.ts'

/** At most this much; the handler says the real cost with `paid.spend`. */
export type Ceiling = { readonly upTo: bigint }

/** Base units of the token: fixed, computed from the request, or a ceiling. */
export type Price<request> = bigint | Ceiling | ((request: request) => bigint | Promise<bigint>)

/** A route that costs nothing says so. */
export type Free = { readonly free: true }

/** One request's price, and what an offer for it is good for. */
export type Tariff = {
  readonly price: bigint
  /** An offer is good for this resource only: a route, or one URL where the price depends on the request. */
  readonly resource: string
  /** A fixed price that was offered holds until the offer expires, although the route's price has risen since. */
  readonly holds: boolean
}

export type Route = {
  /** `GET /echofix/:text`: what all requests of one price have in common. */
  readonly pattern: string
  /** `GET /echofix/foo?x=1`: this request. */
  readonly target: string
}

/**
 * Callers without types may leave the price out or say `free: false`; neither is a price, and neither is free.
 *
 * @throws {ConfigError} if the price is not a positive bigint, a positive ceiling, a function or `{ free: true }`
 */
export function checkPrice<request>(price: Price<request> | Free, field = 'price'): void {
  const given: unknown = price
  if (typeof given === 'function') return
  const members = typeof given === 'object' && given !== null ? given : undefined
  if (members && 'free' in members && members.free === true) return
  const amount = members && 'upTo' in members ? members.upTo : given
  if (typeof amount === 'bigint' && amount > 0n) return
  const said = members && members === amount ? 'this object' : String(amount)
  throw new ConfigError(
    field,
    `${said} is not a price. Use base units as a positive bigint (5n), { upTo: 50n }, a function, or { free: true }`,
  )
}

/** The price of this request. @throws {RangeError} if the route's function does not give a positive bigint */
export function tariffOf<request>(price: Price<request>, request: request, route: Route): Tariff | Promise<Tariff> {
  if (typeof price === 'function') return computedTariff(price(request), route)
  return { price: typeof price === 'object' ? price.upTo : price, resource: route.pattern, holds: true }
}

async function computedTariff(price: unknown, { pattern, target }: Route): Promise<Tariff> {
  const computed = await price
  if (typeof computed === 'bigint' && computed > 0n) return { price: computed, resource: target, holds: false }
  throw new RangeError(`the price of ${pattern} was computed as ${String(computed)}; it must be a positive bigint`)
}
