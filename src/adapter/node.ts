/** Plain `node:http` request listeners. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { messageOf } from '../base/log.ts'
import { failure } from '../receiver/answer.ts'
import type { Free, Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Paid } from '../receiver/sale.ts'
import { askOf, deliver, send } from './node-http.ts'
import { checkPrice, decide, isFree, unsold, type RouteOptions } from './route.ts'

export type NodeHandler<request extends IncomingMessage = IncomingMessage> = (
  request: request,
  response: ServerResponse,
  paid?: Paid,
) => unknown

/**
 * Charges `price` (token base units) for every request that reaches `handler`.
 *
 * ```ts
 * createServer(paid(receiver, 100n, (request, response) => response.end('sunny')))
 * ```
 *
 * @throws {ConfigError} if the price is not one
 */
export function paid(
  receiver: Receiver,
  price: Price<IncomingMessage> | Free,
  handler: NodeHandler,
  options: RouteOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  checkPrice(price)
  return (request, response) => {
    void serve(receiver, price, request, response, handler, options)
  }
}

/** Serves one request if it pays; otherwise answers with the offers. Never throws. */
export async function serve(
  receiver: Receiver,
  price: Price<IncomingMessage> | Free,
  request: IncomingMessage,
  response: ServerResponse,
  handler: NodeHandler,
  options: RouteOptions = {},
): Promise<void> {
  try {
    if (isFree(price)) {
      await handler(request, response)
      return
    }
    const ask = askOf(request, request.url ?? '/', options.repeatable)
    const refused = unsold(ask.method)
    if (refused) {
      send(response, refused)
      return
    }
    const path = options.path ?? ask.target.split('?', 1)[0] ?? '/'
    const admission = await decide(receiver, price, request, ask, path)
    if ('answer' in admission) {
      send(response, admission.answer)
      return
    }
    const delivery = deliver(receiver, response, admission.sale)
    try {
      await handler(request, response, admission.sale.paid)
    } finally {
      delivery.returned()
    }
  } catch (error) {
    receiver.log('error', 'handler-failed', { message: messageOf(error) })
    if (response.headersSent) response.destroy()
    else send(response, failure())
  }
}
