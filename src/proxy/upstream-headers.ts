/**
 * Which headers pass between a client and an upstream.
 *
 * To the upstream goes what describes the content that is asked for or sent,
 * and what the route names; nothing else that a client may think of. A key of
 * the operator's would otherwise meet headers that steer it to another account.
 * To the client goes what the upstream says, less what is between two hops, less
 * what only we may say: payments, and who may keep a paid answer.
 */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Paid } from '../receiver/sale.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type Passage = {
  readonly rails: Receiver['rails']
  /** Names in lower case that pass although they are not about content. */
  readonly forward: ReadonlySet<string>
  /** Set by the operator, in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Cookies pass, both ways. */
  readonly cookies: boolean
}

const aboutContent = new Set([
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'prefer', 'user-agent', 'last-event-id'],
  ...['content-type', 'content-length', 'content-encoding', 'content-language', 'content-disposition'],
  ...['content-location', 'content-digest', 'repr-digest', 'digest', 'content-md5', 'content-range'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
  ...['cache-control', 'pragma', 'traceparent', 'tracestate'],
])

/** @see RFC 9110, section 7.6.1 */
const betweenHops = [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]

const setHere = ['host', 'content-length', 'expect', 'idempotency-key', 'forwarded', 'via']

/** Why a route cannot let a header of this name pass, or set one; undefined: it can. */
export function objectionTo(name: string, rails: Receiver['rails']): string | undefined {
  const lower = name.toLowerCase()
  if (!/^[!#$%&'+.^_`|~0-9a-z-]+$/.test(lower)) return 'is not the name of a header'
  if ([...betweenHops, ...setHere].includes(lower)) return 'is set by the proxy. Leave it out'
  if (/cookie/.test(lower)) return 'is not named here. Use `cookies: true`'
  return isForPayments(lower, rails) ? 'is for payments and ends here. Leave it out' : undefined
}

/** What HTTP itself has another use for is not for payments alone. */
function isForPayments(name: string, rails: Receiver['rails']): boolean {
  const names = rails.flatMap(({ dialect }) => dialect.requestHeaders).map((one) => one.toLowerCase())
  return names.includes(name) && !aboutContent.has(name) && name !== 'authorization'
}

export function toUpstream(
  { rails, forward, headers, cookies }: Passage,
  request: IncomingMessage,
  paid: Paid | undefined,
): IncomingHttpHeaders {
  const given = request.headers
  const dropped = namedIn(given.connection)
  const passing = Object.entries(given).filter(
    ([name, value]) =>
      (aboutContent.has(name) || forward.has(name)) && !dropped.has(name) && !isPayment(name, value, rails),
  )
  const cookie = cookies && given.cookie?.split(/; */).filter((one) => !isPaymentCookie(one))
  return {
    ...Object.fromEntries(passing),
    ...(cookie && cookie.length > 0 && { cookie: cookie.join('; ') }),
    ...idempotency(given, paid),
    'x-forwarded-for': request.socket.remoteAddress ?? 'unknown',
    'x-forwarded-proto': request.socket instanceof TLSSocket ? 'https' : 'http',
    ...headers,
  }
}

/** One header by itself: a payment of another dialect says nothing about this one. */
function isPayment(name: string, value: string | string[] | undefined, rails: Receiver['rails']): boolean {
  const headers = { get: (asked: string) => (asked.toLowerCase() === name ? String(value) : undefined) }
  return name === 'authorization' && rails.some(({ dialect }) => dialect.speaks(headers))
}

/** Two senders may use one key. On the upstream, where both come from us, theirs must not be the same. */
function idempotency(given: IncomingHttpHeaders, paid: Paid | undefined): IncomingHttpHeaders {
  const key = given['idempotency-key']
  if (key === undefined || !paid) return {}
  return {
    'idempotency-key': createHash('sha256')
      .update(`${paid.channelId}:${String(key)}`)
      .digest('hex'),
  }
}

const ofPayments = /^(x-)?payment-|^rdn-|^idempotency-replayed$/
/** Who may keep an answer that was paid is not for the upstream to say. */
const ofCaches = /(^|-)cache-control$|^surrogate-|^(expires|pragma|age)$/

/** What of an answer's headers the client may see, line by line. */
export function toClient(
  { cookies }: Pick<Passage, 'cookies'>,
  headers: IncomingHttpHeaders,
  paid: Paid | undefined,
): [name: string, line: string][] {
  const dropped = new Set([...betweenHops, ...ownName, ...namedIn(headers.connection)])
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || dropped.has(name) || ofPayments.test(name) || (paid && ofCaches.test(name))) return []
    const lines = Array.isArray(value) ? value : [value]
    return lines.filter((line) => maySay(name, line, cookies)).map((line): [string, string] => [name, line])
  })
}

/** Would lead our clients past us. */
const ownName = ['alt-svc']

function maySay(name: string, line: string, cookies: boolean): boolean {
  if (name === 'set-cookie') return cookies && !isPaymentCookie(line)
  return name !== 'www-authenticate' || !/(^|[\s,])payment(\s|$)/i.test(line)
}

function namedIn(connection: string | undefined): ReadonlySet<string> {
  return new Set(connection?.toLowerCase().split(/[ \t]*,[ \t]*/))
}

function isPaymentCookie(cookie: string): boolean {
  return /^\s*rdn-/i.test(cookie)
}
