/** How a gateway is set up, checked before it serves anything. */
import type { IncomingMessage } from 'node:http'
import { ConfigError } from '../base/faults.ts'
import type { AnyRail } from '../receiver/rail.ts'
import type { Receiver } from '../receiver/receiver.ts'
import { createBooks } from './books.ts'
import { createChainFacts } from './chain-facts.ts'
import type { Gateway } from './context.ts'
import { createLimiter } from './limiter.ts'
import { createTokens } from './tokens.ts'
import { checkUsers, type User } from './users.ts'

export type GatewayOptions = {
  /** Where it is served. Default: where the offers of the rail say that it is, `/api/1`. */
  readonly path?: string
  /** Which rail it is about; needed where the receiver has several whose channels are closed over REST. */
  readonly rail?: AnyRail
  /** Who may administer. Default: nobody. */
  readonly users?: readonly User[]
  /** Host names under which administration is served, beside `localhost` and IP addresses. Default: none. */
  readonly hosts?: readonly string[]
  /** Agrees to a close at the last balance for anybody who names it, as µRaiden did. Default: false. */
  readonly closeWithoutProof?: boolean
  /** Requests a second of one client that proves nothing; ten times as many of all together. Default: 20. */
  readonly requestsPerSecond?: number
  /** What tells clients from each other. Default: the address of the connection. */
  readonly clientOf?: (request: IncomingMessage) => string
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/** Failed logins of one client at once, and how long it takes until there may be one more. */
const LOGINS = { burst: 5, everyMs: 30_000, clients: 10 }

/** @throws {ConfigError} naming the option that is wrong */
export function gatewayOf(receiver: Receiver, options: GatewayOptions): Gateway {
  const { users = [], hosts = [], closeWithoutProof = false, requestsPerSecond = 20, now = () => Date.now() } = options
  if (!Number.isSafeInteger(requestsPerSecond) || requestsPerSecond < 1 || requestsPerSecond > 100_000) {
    throw new ConfigError('requestsPerSecond', 'must be a whole number from 1 to 100,000')
  }
  const rail = railOf(receiver, options.rail)
  const everyMs = 1_000 / requestsPerSecond
  return {
    receiver,
    rail,
    path: pathOf(receiver, rail, options.path),
    hosts: new Set(hosts.map(hostOf)),
    closeWithoutProof,
    checkPassword: checkUsers(users),
    tokens: createTokens(now),
    logins: createLimiter(LOGINS, now),
    requests: createLimiter({ burst: 5 * requestsPerSecond, everyMs, clients: 10 }, now),
    books: createBooks(receiver, rail),
    facts: createChainFacts(receiver, rail),
    underWay: new Set(),
    now,
  }
}

function railOf({ rails }: Receiver, wanted: AnyRail | undefined): AnyRail {
  const served = rails.filter(({ dialect }) => dialect.closing !== 'by payment')
  const [only, another] = wanted ? served.filter((rail) => rail === wanted) : served
  if (only && !another) return only
  const why = another
    ? 'the receiver has several. Say which'
    : 'the receiver has none that is closed over REST. Give it a rail of rdn(…)'
  throw new ConfigError('rail', wanted ? 'is not one of the receiver that is closed over REST' : why)
}

/** Clients go where the offers say; what is in front of us may have changed the path. */
function pathOf({ address }: Receiver, { dialect, token, chainId, address: escrow }: AnyRail, given?: string): string {
  const offer = dialect.writeOffer({ price: 1n, token, receiver: address, chainId, escrow })
  const path = given ?? offer.find(([name]) => name === 'RDN-Gateway-Path')?.[1] ?? '/api/1'
  if (/^(\/[\w.~-]+)+$/.test(path) && !path.includes('/.')) return path
  throw new ConfigError('path', 'use a path such as /api/1, without a slash at its end')
}

/** Without a port: whoever asks on another one is as far away. */
function hostOf(host: string, index: number): string {
  const url = `http://${host}`
  if (URL.canParse(url) && new URL(url).host === host.toLowerCase() && !host.includes(':')) return host.toLowerCase()
  throw new ConfigError(`hosts[${index}]`, 'use a host name alone, for example api.example.com')
}
