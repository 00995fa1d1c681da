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

/** @throws {ConfigError} if the price is not a positive bigint, a positive ceiling or a function */
export function checkPrice<request>(price: Price<request> | Free, field = 'price'): void {
  if (typeof price === 'function') return
  if (typeof price === 'object' && 'free' in price) return
  const amount: unknown = typeof price === 'object' ? price.upTo : price
  if (typeof amount !== 'bigint' || amount <= 0n) {
    throw new ConfigError(
      field,
      `${String(amount)} is not a price. Use base units as a positive bigint (5n), { upTo: 50n }, a function, or { free: true }`,
    )
  }
}

/** The price of this request. @throws {RangeError} if the route's function does not give a positive bigint */
export async function tariffOf<request>(price: Price<request>, request: request, route: Route): Promise<Tariff> {
  if (typeof price === 'function') {
    const computed: unknown = await price(request)
    if (typeof computed !== 'bigint' || computed <= 0n) {
      throw new RangeError(
        `the price of ${route.pattern} was computed as ${String(computed)}; it must be a positive bigint`,
      )
    }
    return { price: computed, resource: route.target, holds: false }
  }
  return { price: typeof price === 'object' ? price.upTo : price, resource: route.pattern, holds: true }
}
