/** Redirects: a payment is made for one URL, so after each the next one makes its own offer. */
import type { Outgoing } from './transmit.ts'

/** Redirects that are followed. */
const HOPS = 5

/** `buy`, and again where its answer points to. */
export function createItinerary(buy: (outgoing: Outgoing) => Promise<Response>) {
  return async (first: Outgoing, mode: RequestRedirect): Promise<Response> => {
    let outgoing = first
    for (let hop = 0; ; hop += 1) {
      const response = await buy(outgoing)
      const location = response.headers.get('location')
      if (mode !== 'follow' || location === null || !isRedirect(response.status) || hop === HOPS) return response
      await response.body?.cancel()
      outgoing = redirected(outgoing, new URL(location, outgoing.url), response.status)
    }
  }
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
