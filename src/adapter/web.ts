/** Requests and responses of the Fetch standard: for Deno, Bun, workers, and frameworks that are made of them. */
import { BodyTooLargeError } from '../base/errors.ts'
import { messageOf } from '../base/log.ts'
import { failure, type Answer } from '../receiver/answer.ts'
import type { Ask } from '../receiver/ask.ts'
import type { Free, Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Ended, Paid, Sale } from '../receiver/sale.ts'
import { checkPrice, decide, isFree, unsold, type RouteOptions } from './route.ts'

export type WebHandler = (request: Request, paid?: Paid) => Response | Promise<Response>

/**
 * Charges `price` (token base units) for every request that reaches `handler`.
 *
 * @throws {ConfigError} if the price is not one
 */
export function paid(receiver: Receiver, price: Price<Request> | Free, handler: WebHandler, options?: RouteOptions) {
  checkPrice(price)
  return (request: Request): Promise<Response> => serve(receiver, price, request, handler, options)
}

/** Serves one request if it pays; otherwise answers with the offers. */
export async function serve(
  receiver: Receiver,
  price: Price<Request> | Free,
  request: Request,
  handler: WebHandler,
  { path = new URL(request.url).pathname, repeatable = false }: RouteOptions = {},
): Promise<Response> {
  if (isFree(price)) return handler(request)
  const refused = unsold(request.method)
  if (refused) return responseOf(refused)
  const admission = await decide(receiver, price, request, askOf(request, repeatable), path)
  if ('answer' in admission) return responseOf(admission.answer, request.method)
  return deliver(receiver, admission.sale, (paid) => handler(request, paid))
}

async function deliver(
  receiver: Receiver,
  sale: Sale,
  run: (paid: Paid) => Response | Promise<Response>,
): Promise<Response> {
  let response: Response
  try {
    response = await run(sale.paid)
  } catch (error) {
    receiver.log('error', 'handler-failed', { message: messageOf(error) })
    response = responseOf(failure())
  }
  await sale.conclude(response.status)
  const headers = merged(response.headers, sale.headers(response.status))
  const { status, statusText } = response
  const done = (ended: Uint8Array | Exclude<Ended, Answer>) =>
    sale.keep(typeof ended === 'string' ? ended : { status, headers: [...headers], body: ended })
  const body = response.body && sale.keeps ? watched(response.body, receiver.limits.answerBytes, done) : response.body
  if (!response.body) await done(new Uint8Array())
  return new Response(body, { status, statusText, headers })
}

function askOf(request: Request, repeatable: boolean): Ask {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    target: pathname + search,
    headers: request.headers,
    body: (most) => bytesOf(request, most),
    repeatable,
  }
}

/** Reads a copy, so that the handler still finds its body. */
async function bytesOf(request: Request, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.clone().body ?? []) {
    size += chunk.length
    if (size > most) throw new BodyTooLargeError(most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The handler's own Cache-Control wins; Vary grows; the receipt is ours. */
function merged(own: Headers, added: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers(own)
  for (const [name, value] of added) {
    if (name === 'Vary') headers.append(name, value)
    else if (name !== 'Cache-Control' || !headers.has(name)) headers.set(name, value)
  }
  return headers
}

export function responseOf({ status, headers, body }: Answer, method?: string): Response {
  const empty = method === 'HEAD' || status === 204 || body.length === 0
  const lines = headers.map(([name, value]): [string, string] => [name, value])
  return new Response(empty ? null : (body as string), { status, headers: lines })
}

type Source = ReadableStream<Uint8Array>

/**
 * Passes a body on at the reader's pace and keeps a copy of at most `most` bytes.
 * When the reader goes away, the rest is still read for its retry.
 */
function watched(
  body: Source,
  most: number,
  done: (ended: Uint8Array | 'too long' | 'broken off') => Promise<void>,
): Source {
  const reader = body.getReader()
  let copy: Uint8Array[] | undefined = []
  let size = 0
  const next = async () => {
    const { value } = await reader.read()
    size += value?.length ?? 0
    if (size > most) copy = undefined
    if (value) copy?.push(value)
    else await done(copy ? Buffer.concat(copy) : 'too long')
    return value
  }
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const chunk = await next()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      } catch (error) {
        await done('broken off')
        controller.error(error)
      }
    },
    cancel: async () => {
      try {
        while (copy && (await next()));
        if (!copy) await Promise.all([reader.cancel(), done('broken off')])
      } catch {
        await done('broken off')
      }
    },
  })
}
