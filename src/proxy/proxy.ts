/**
 * A server that sells resources: routes with prices over `node:http`.
 *
 * The router that serves a request is the one that prices it, on the same
 * bytes of the URL, so there is no spelling of an address that is served and
 * not priced. What is not there costs nothing.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { askOf, send } from '../adapter/node-http.ts'
import { serve } from '../adapter/node.ts'
import { decide, isFree } from '../adapter/route.ts'
import { messageOf } from '../base/log.ts'
import type { Free, Price } from '../receiver/price.ts'
import type { Receiver } from '../receiver/receiver.ts'
import { failure } from '../receiver/answer.ts'
import type { Finder, Found } from './finder.ts'
import { checkServerLimits, type ServerLimits } from './limits.ts'
import { mountAt, type Mount } from './mounts.ts'
import { methods, type CheckedRoute, type Routes } from './routes.ts'
import { createSelection } from './selection.ts'
import { changeTls, listen, openServer, urlOf } from './server.ts'
import type { TlsOptions } from './tls.ts'
import type { Visit } from './visit.ts'
import { sendProblem } from './write.ts'

export type { ServerLimits } from './limits.ts'
export type { Mount } from './mounts.ts'
export type { PriceByMethod, Route, Routes, Run } from './routes.ts'
export type { TlsOptions } from './tls.ts'
export type { UpstreamOptions } from './upstream-options.ts'
export type { Visit } from './visit.ts'

export type ProxyOptions = {
  readonly receiver: Receiver
  readonly routes: Routes
  /** What is served beside the routes, and before them. */
  readonly mounts?: readonly Mount[]
  /** How long `close` lets running requests finish. Default 10,000. */
  readonly graceMs?: number
  /** Serves HTTPS with this certificate, HTTP/1.1 inside. Default: plain HTTP. */
  readonly tls?: TlsOptions
  /** What one client may take. Each has a default. */
  readonly limits?: Partial<ServerLimits>
  /** Told about every answer, for an access log. */
  readonly onAnswer?: (request: IncomingMessage, response: ServerResponse) => void
}

export type PaidServer = {
  /** For a server of one's own, which has its own limits and certificate. */
  readonly listener: RequestListener
  /** Where it listens, for example `http://127.0.0.1:4020`; undefined before and after. */
  readonly url: string | undefined
  /** Resolves to the URL. Port 0 takes a free one. @throws {ConfigError} if the port cannot be had */
  listen(port: number, host?: string): Promise<string>
  /**
   * Takes another certificate for connections from now on: what is given, or the files that were named, read again.
   *
   * @throws {ConfigError} if it cannot be used; then the server goes on with the one that it has
   */
  reloadTls(tls?: TlsOptions): void
  /**
   * Sells by other routes from now on. Requests that have found theirs are served as they were.
   *
   * @throws {ConfigError} naming the route that is wrong; then the server goes on with those that it has
   */
  reloadRoutes(routes: Routes): void
  /** Takes no more connections, lets running requests finish, then ends. The receiver runs on. */
  close(): Promise<void>
}

/** @throws {ConfigError} naming the route, the mount, the limit or the file that is wrong */
export function createProxy(options: ProxyOptions): PaidServer {
  const { receiver, mounts = [], graceMs = 10_000, onAnswer, limits = {} } = options
  let selection = createSelection(options.routes, receiver, mounts)
  let closing = false
  const listener: RequestListener = (request, response) => {
    if (closing) response.setHeader('Connection', 'close')
    response.once('close', () => {
      onAnswer?.(request, response)
      if (closing) server.closeIdleConnections()
    })
    selection.use(answer({ receiver, mounts, find: selection.find }, request, response))
  }
  let { tls } = options
  const server = openServer(listener, checkServerLimits(limits), tls)
  return {
    listener,
    get url() {
      return urlOf(server)
    },
    listen: (port, host = '127.0.0.1') => listen(server, port, host),
    reloadTls(changed = tls) {
      changeTls(server, changed)
      tls = changed
    },
    reloadRoutes(routes) {
      const next = createSelection(routes, receiver, mounts)
      void selection.retire()
      selection = next
    },
    async close() {
      closing = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const timer = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(timer)
      await selection.close()
    },
  }
}

type Shop = { readonly receiver: Receiver; readonly mounts: readonly Mount[]; readonly find: Finder }

/** Never rejects. */
async function answer(shop: Shop, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { receiver, mounts, find } = shop
  try {
    const target = request.url ?? '/'
    if (await mountAt(mounts, target)?.serve(request, response)) return
    const method = request.method === 'HEAD' ? 'GET' : methods.find((known) => known === request.method)
    const found = method && find(method, target)
    if (found === 'malformed') sendProblem(response, 400, 'The path is not well-formed.')
    else if (found) await sell(receiver, found, request, response)
    else await answerUnrouted(receiver, find, request, response)
  } catch (error) {
    receiver.log('error', 'request-failed', { message: messageOf(error) })
    if (response.headersSent) response.destroy()
    else send(response, failure())
  }
}

async function sell(
  receiver: Receiver,
  { route, params }: Found,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const visit = { request, params, query: queryOf(request.url ?? '/') }
  const handler = await route.source.find(visit)
  const { path, repeatable = false } = route
  if (handler) await serve(receiver, priceOf(route, visit), request, response, handler, { path, repeatable })
  else sendNotFound(response)
}

/** No route has this method. Whether the path has others decides; finding out costs nobody anything. */
async function answerUnrouted(
  receiver: Receiver,
  find: Finder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '/'
  const others = methods.flatMap((method) => {
    const found = find(method, target)
    return found === undefined || found === 'malformed' ? [] : [{ method, found }]
  })
  const named = others.map(({ method }) => method).flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method]))
  const headers = { Allow: [...named, 'OPTIONS'].join(', ') }
  const sold = others.find(({ found }) => !isFree(found.route.price))
  if (others.length === 0) {
    sendNotFound(response)
  } else if (request.method === 'OPTIONS') {
    response.writeHead(204, headers).end()
  } else if (sold && movesMoney(receiver, request)) {
    await moveMoney(receiver, sold.found, request, response)
  } else {
    sendProblem(response, 405, `This is for ${named.join(', ')}.`, headers)
  }
}

/** A payment may come to the address of a resource by any method; one that buys nothing is for the receiver alone. */
function movesMoney({ rails }: Receiver, request: IncomingMessage): boolean {
  const { headers } = askOf(request, '')
  return rails.some(({ dialect }) => dialect.speaks(headers) && dialect.updatesOnly('HEAD'))
}

async function moveMoney(
  receiver: Receiver,
  { route, params }: Found,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '/'
  const price = priceOf(route, { request, params, query: queryOf(target) })
  const ask = { ...askOf(request, target), method: 'HEAD' }
  const admission = isFree(price) ? undefined : await decide(receiver, price, request, ask, route.path)
  if (!admission || 'sale' in admission) throw new Error(`${route.pattern} has nothing to do with this payment`)
  send(response, admission.answer)
}

function priceOf({ price }: CheckedRoute, visit: Visit): Price<IncomingMessage> | Free {
  return typeof price === 'function' ? () => price(visit) : price
}

function queryOf(target: string): URLSearchParams {
  const start = target.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : target.slice(start))
}

function sendNotFound(response: ServerResponse): void {
  sendProblem(response, 404, 'There is nothing at this address. Nothing was charged.')
}
