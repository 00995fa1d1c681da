/** What a route may say about its upstream, read once when the server is made. */
import { ConfigError } from '../base/faults.ts'
import type { Receiver } from '../receiver/receiver.ts'
import { objectionTo, type Passage } from './upstream-headers.ts'
import { isBelow, type Base } from './upstream-path.ts'

export type UpstreamOptions = {
  /** http(s) URL. The path of a request is appended to its path; its query goes along. */
  readonly url: string
  /** Beginning of the route's path that the upstream does not know, for example `/api`. */
  readonly strip?: string
  /** Sent with every request, in place of the client's, for example an API key. Never part of an answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Names of the client's headers that go along beside those about content, for example `X-Request-Id`. */
  readonly forward?: readonly string[]
  /** Lets cookies pass, both ways. Default: none pass. */
  readonly cookies?: boolean
  /** How long the upstream may be silent, before its answer and in the middle of it. Default 60,000. */
  readonly timeoutMs?: number
  /** Statuses that cost nothing. Those from 500 up never cost anything. Default 304, 412 and 416. */
  readonly freeStatuses?: readonly number[]
}

export type Upstream = Passage & {
  readonly base: Base
  readonly timeoutMs: number
  readonly freeStatuses: ReadonlySet<number>
}

/** @throws {ConfigError} naming the option that is wrong */
export function readUpstream(
  given: string | UpstreamOptions,
  path: string,
  field: string,
  rails: Receiver['rails'],
): Upstream {
  const options: UpstreamOptions = isOptions(given) ? given : { url: given }
  const { url, strip = '', headers = {}, forward = [], cookies = false, timeoutMs = 60_000 } = options
  const { freeStatuses = [304, 412, 416] } = options
  checkStrip(strip, path, `${field}.strip`)
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) {
    throw new ConfigError(`${field}.timeoutMs`, 'is not a number of milliseconds. Use a whole number from 1 up')
  }
  if (!freeStatuses.every((status) => Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new ConfigError(
      `${field}.freeStatuses`,
      'has something that is not a status. Use whole numbers from 200 to 599',
    )
  }
  return {
    rails,
    base: { ...readUrl(url, isOptions(given) ? `${field}.url` : field), strip },
    headers: readHeaders(headers, `${field}.headers`, rails),
    forward: readForward(forward, `${field}.forward`, rails),
    cookies,
    timeoutMs,
    freeStatuses: new Set(freeStatuses),
  }
}

function isOptions(given: unknown): given is UpstreamOptions {
  return typeof given === 'object' && given !== null
}

function readUrl(given: unknown, field: string): Omit<Base, 'strip'> {
  if (typeof given !== 'string' || !URL.canParse(given)) {
    throw new ConfigError(field, "is not a whole URL. Write it with its scheme and host: 'https://example.com/base'")
  }
  const { protocol, username, password, origin, pathname } = new URL(given)
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new ConfigError(field, `${protocol} cannot be sold. Use http: or https:`)
  }
  if (username !== '' || password !== '') {
    throw new ConfigError(field, 'has a user name or a password in it. Send them as headers: { Authorization: … }')
  }
  if (/[?#]/.test(given))
    throw new ConfigError(field, 'has a query or a fragment. Leave it out: each request brings its own')
  return { origin, path: pathname.replace(/\/+$/, '') }
}

function checkStrip(strip: unknown, path: string, field: string): void {
  const isFixed = typeof strip === 'string' && /^(\/[^/:*?#()]+)*$/.test(strip)
  if (isFixed && isBelow(strip, path)) return
  throw new ConfigError(field, `is not how ${path} begins. Use whole segments of it, without names and *`)
}

function readHeaders(given: Readonly<Record<string, string>>, field: string, rails: Receiver['rails']) {
  const entries = Object.entries(given).map(([name, value]) => {
    const objection = objectionTo(name, rails)
    if (objection !== undefined) throw new ConfigError(field, `${name} ${objection}`)
    // The value may be a secret: it is not repeated.
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]+$/.test(value)) {
      throw new ConfigError(
        field,
        `the value of ${name} cannot be sent. Use text without line breaks; it may not be empty`,
      )
    }
    return [name.toLowerCase(), value] as const
  })
  return Object.fromEntries(entries)
}

function readForward(names: readonly string[], field: string, rails: Receiver['rails']): ReadonlySet<string> {
  for (const name of names) {
    const objection = /^x-forwarded-/i.test(name)
      ? 'is what a client may forge. Leave it out'
      : objectionTo(name, rails)
    if (objection !== undefined) throw new ConfigError(field, `${name} ${objection}`)
  }
  return new Set(names.map((name) => name.toLowerCase()))
}
