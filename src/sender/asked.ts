/** What a caller asks for, in the arguments of `fetch`. */
import type { Outgoing } from './transmit.ts'

export type Asked = {
  readonly url: URL
  readonly method: string
  readonly redirect: RequestRedirect
  /** As it is sent: the body in memory, and with an Idempotency-Key. Call once. */
  prepare(): Promise<Outgoing>
}

/** @throws {TypeError} for what `fetch` would not take */
export function readAsked(input: string | URL | Request, init: RequestInit = {}): Asked {
  return readPlain(input, init) ?? readRequest(new Request(input, init))
}

const plainMembers = new Set(['method', 'headers', 'signal', 'redirect'])
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Without a body nothing has to be read by the rules of `Request`, and making one costs as much as a payment. */
function readPlain(input: string | URL | Request, init: RequestInit): Asked | undefined {
  if (input instanceof Request || !URL.canParse(input)) return undefined
  const { method = 'GET', headers, signal, redirect = 'follow' } = init
  const url = new URL(input)
  const isPlain = methods.has(method) && Object.keys(init).every((name) => plainMembers.has(name))
  if (!isPlain || url.username !== '' || url.password !== '') return undefined
  const outgoing = { url, method, headers: keyed(headers), body: undefined, signal: signal ?? undefined }
  return { url, method, redirect, prepare: () => Promise.resolve(outgoing) }
}

function readRequest(request: Request): Asked {
  const { method, redirect, signal } = request
  const url = new URL(request.url)
  const prepare = async (): Promise<Outgoing> => {
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
    return { url, method, headers: keyed(request.headers), body, signal }
  }
  return { url, method, redirect, prepare }
}

function keyed(given: HeadersInit | undefined): Headers {
  const headers = new Headers(given)
  if (!headers.has('idempotency-key')) headers.set('Idempotency-Key', crypto.randomUUID())
  return headers
}
