/**
 * Buys resources over HTTP: the calls of `fetch`, which pay their own 402.
 *
 * A session remembers the offers it was made, so that a later request to the
 * same URL is one round trip. What it spends is the client's business.
 */
import type { Context } from './context.ts'
import { buy, type Chosen, type OfferBook, type Outgoing } from './fetch.ts'

export type Session = {
  readonly get: Call
  readonly options: Call
  readonly head: Call
  readonly post: Call
  readonly put: Call
  readonly patch: Call
  readonly delete: Call
  request(method: string, url: string | URL, init?: RequestInit): Promise<Response>
  /** The same as a drop-in for the global `fetch`. */
  readonly fetch: typeof fetch
}

type Call = (url: string | URL, init?: RequestInit) => Promise<Response>

/** Redirects that are followed. */
const HOPS = 5

export function createSession(context: Context): Session {
  const book: OfferBook = new Map<string, Chosen>()
  const paying = (input: string | URL | Request, init?: RequestInit) => follow(context, book, new Request(input, init))
  const call =
    (method: string): Call =>
    (url, init) =>
      paying(url, { ...init, method })
  return {
    get: call('GET'),
    options: call('OPTIONS'),
    head: call('HEAD'),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
    request: (method, url, init) => paying(url, { ...init, method }),
    fetch: paying,
  }
}

/** A payment is made for one URL: after a redirect the next one makes its own offer. */
async function follow(context: Context, book: OfferBook, request: Request): Promise<Response> {
  let outgoing = await prepare(request)
  for (let hop = 0; ; hop += 1) {
    const response = await buy(context, book, outgoing)
    const location = response.headers.get('location')
    if (request.redirect !== 'follow' || location === null || !isRedirect(response.status) || hop === HOPS)
      return response
    await response.body?.cancel()
    outgoing = redirected(outgoing, new URL(location, outgoing.url), response.status)
  }
}

async function prepare(request: Request): Promise<Outgoing> {
  const headers = new Headers(request.headers)
  if (!headers.has('idempotency-key')) headers.set('Idempotency-Key', crypto.randomUUID())
  const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
  return { url: new URL(request.url), method: request.method, headers, body, signal: request.signal }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

/** @see the Fetch standard, "HTTP-redirect fetch": which redirects turn into a GET, and what another origin must not see */
function redirected(request: Outgoing, url: URL, status: number): Outgoing {
  const toGet = status === 303 ? request.method !== 'HEAD' : request.method === 'POST' && status < 303
  const headers = new Headers(request.headers)
  headers.set('Idempotency-Key', crypto.randomUUID())
  if (url.origin !== request.url.origin) for (const name of ['authorization', 'cookie']) headers.delete(name)
  if (toGet) headers.delete('content-type')
  return { ...request, url, headers, ...(toGet && { method: 'GET', body: undefined }) }
}
