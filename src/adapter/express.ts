/** Express middleware, versions 4 and 5. */
import type { Request, RequestHandler, Response } from 'express'
import type { Free, Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Paid } from '../receiver/sale.ts'
import { askOf, deliver, send } from './node-http.ts'
import { checkPrice, decide, isFree, unsold, type RouteOptions } from './route.ts'

/**
 * Charges `price` (token base units) for every request that reaches it. The handler finds the payment in
 * `response.locals.paid`.
 *
 * ```ts
 * app.get('/weather', paid(receiver, 100n), (request, response) => response.json(weather()))
 * ```
 *
 * @throws {ConfigError} if the price is not one
 */
export function paid(receiver: Receiver, price: Price<Request> | Free, options: RouteOptions = {}): RequestHandler {
  checkPrice(price)
  return (request, response, next) => {
    if (isFree(price)) next()
    else void gate(receiver, price, request, response, options).then((open) => open && next(), next)
  }
}

/** The payment of a request that `paid` let through. */
export function paidOf(response: Response): Paid | undefined {
  return (response.locals as { paid?: Paid }).paid
}

/** Whether the request goes on to its handler. */
async function gate(
  receiver: Receiver,
  price: Price<Request>,
  request: Request,
  response: Response,
  { path, repeatable }: RouteOptions,
): Promise<boolean> {
  const ask = askOf(request, request.originalUrl, repeatable)
  const refused = unsold(ask.method)
  const admission = refused
    ? { answer: refused }
    : await decide(receiver, price, request, ask, path ?? `${request.baseUrl}${routeOf(request)}`)
  if ('answer' in admission) {
    send(response, admission.answer)
    return false
  }
  deliver(receiver, response, admission.sale)
  response.locals.paid = admission.sale.paid
  return true
}

/** The pattern of the route, where the middleware is on one; else the path, which is then priced by itself. */
function routeOf(request: Request): string {
  const { route } = request as { route?: { path?: unknown } }
  return typeof route?.path === 'string' ? route.path : request.path
}
