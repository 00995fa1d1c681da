/** What all adapters do alike: which requests are for sale, and what a failure looks like outside. */
import { messageOf } from '../base/log.ts'
import { admit } from '../receiver/pay.ts'
import { failure, type Answer } from '../receiver/answer.ts'
import type { Admission, Ask } from '../receiver/ask.ts'
import { checkPrice, tariffOf, type Free, type Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type RouteOptions = {
  /** What offers are bound to, for example `/weather/:city`. Default: the framework's route, else the path of the URL. */
  readonly path?: string
  /** The handler may run again after a crash, although its method is not safe. */
  readonly repeatable?: boolean
}

const sold = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])

/** The answer to a method that is never sold; undefined for one that is. */
export function unsold(method: string): Answer | undefined {
  if (sold.has(method)) return undefined
  const headers = [['Allow', [...sold, 'OPTIONS'].join(', ')]] as const
  return { status: method === 'OPTIONS' ? 204 : 405, headers, body: '' }
}

/** Prices the request and decides about it. Never throws: what breaks is logged and answered with a 500, unsold. */
export async function decide<request>(
  receiver: Receiver,
  price: Price<request>,
  request: request,
  ask: Ask,
  path: string,
): Promise<Admission> {
  try {
    const method = ask.method === 'HEAD' ? 'GET' : ask.method
    const route = { pattern: `${method} ${path}`, target: `${method} ${ask.target}` }
    const tariff = tariffOf(price, request, route)
    return await admit(receiver, ask, tariff instanceof Promise ? await tariff : tariff)
  } catch (error) {
    receiver.log('error', 'request-failed', { message: messageOf(error) })
    return { answer: failure() }
  }
}

export function isFree<request>(price: Price<request> | Free): price is Free {
  return typeof price === 'object' && 'free' in price
}

export { checkPrice }
