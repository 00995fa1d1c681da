/** Hono middleware. */
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { Free, Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Paid } from '../receiver/sale.ts'
import { checkPrice, isFree, type RouteOptions } from './route.ts'
import { serve } from './web.ts'

/** What the handler reads with `c.get('paid')`. */
export type PaidVariables = { Variables: { paid: Paid } }

/**
 * Charges `price` (token base units) for every request that reaches it.
 *
 * ```ts
 * app.get('/weather', paid(receiver, 100n), (c) => c.json(weather()))
 * ```
 *
 * @throws {ConfigError} if the price is not one
 */
export function paid(
  receiver: Receiver,
  price: Price<Context> | Free,
  options: RouteOptions = {},
): MiddlewareHandler<PaidVariables> {
  checkPrice(price)
  return async (c, next) => {
    if (isFree(price)) return next()
    const here = typeof price === 'function' ? () => price(c) : price
    const path = options.path ?? routePath(c)
    const response = await serve(receiver, here, c.req.raw, run, { ...options, path })
    c.res = undefined // or Hono would write the old headers over the new
    c.res = response
    async function run(_request: Request, sold?: Paid) {
      if (sold) c.set('paid', sold)
      await next()
      return c.res
    }
    return undefined
  }
}
