/** What one client may take of the server without paying: bytes of headers, time, connections. */
import { ConfigError } from '../base/faults.ts'

export type ServerLimits = {
  /** Longest headers of a request, all together, in bytes. */
  readonly headerBytes: number
  /** How long a client may take to send the headers of a request, and to agree on TLS. */
  readonly headersMs: number
  /** How long a client may take to send a whole request. */
  readonly requestMs: number
  /** How long a connection is kept for a next request. */
  readonly keepAliveMs: number
  /** How long nothing may move on a connection in the middle of a request or an answer. */
  readonly idleMs: number
  /** Most connections at once. One more is closed without a word. */
  readonly connections: number
}

export const defaultServerLimits: ServerLimits = {
  headerBytes: 32_768,
  headersMs: 10_000,
  requestMs: 300_000,
  keepAliveMs: 5_000,
  idleMs: 300_000,
  connections: 10_000,
}

/** Node keeps time in 32 bits. */
const MOST = 2 ** 31 - 1

/** @throws {ConfigError} naming the limit that is none */
export function checkServerLimits(given: Partial<ServerLimits>): ServerLimits {
  const limits = { ...defaultServerLimits, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in defaultServerLimits)) throw new ConfigError(`limits.${name}`, 'is not a limit of the server')
    if (!Number.isSafeInteger(value) || value < 1 || value > MOST) {
      throw new ConfigError(`limits.${name}`, `${String(value)} is not a limit. Use a whole number from 1 to ${MOST}`)
    }
  }
  if (limits.headersMs > limits.requestMs) {
    throw new ConfigError('limits.headersMs', 'is more than limits.requestMs, which includes it')
  }
  return limits
}
