/** The settings of a chain, checked where they are given. */
import type { Abi } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { MAX_TIMER_MS } from './pause.ts'

export type ChainConfig = {
  /** http(s) URL of a node, or of several for one chain: the next is asked when one fails. */
  readonly rpc: string | readonly string[]
  /** What the nodes must say they are on; default: whatever the first one says. */
  readonly chainId?: number
  /** Depth at which a block counts, the newest block being 1 deep. Default 3. */
  readonly confirmations?: number
  /** How often to look for a new block. Default 2,000. */
  readonly pollMs?: number
  /** How long one node may take for one answer. Default 10,000. */
  readonly timeoutMs?: number
  /** Most blocks in one query for logs. Default 2,000. */
  readonly logRange?: number
  /** Names the errors that calls revert with, besides those of the call's own `abi`. */
  readonly abi?: Abi
}

/** @throws {ConfigError} naming the setting that is wrong */
export function readChainConfig(config: ChainConfig) {
  const { confirmations = 3, pollMs = 2_000, timeoutMs = 10_000, logRange = 2_000, chainId, abi = [] } = config
  return {
    urls: readUrls(config.rpc),
    chainId: chainId === undefined ? undefined : whole(chainId, 'chainId'),
    confirmations: whole(confirmations, 'confirmations'),
    pollMs: whole(pollMs, 'pollMs', MAX_TIMER_MS),
    timeoutMs: whole(timeoutMs, 'timeoutMs', MAX_TIMER_MS),
    logRange: whole(logRange, 'logRange'),
    abi,
  }
}

/** A whole number from 1 to `most`. */
export function whole(value: number, field: string, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new ConfigError(field, `must be a whole number from 1 to ${most}.`)
}

function readUrls(rpc: ChainConfig['rpc']): URL[] {
  const urls = typeof rpc === 'string' ? [rpc] : rpc
  if (urls.length === 0) throw new ConfigError('rpc', 'needs at least one URL of a node.')
  return urls.map((text) => {
    // The text is not quoted back: it may hold a key.
    if (!URL.canParse(text)) throw new ConfigError('rpc', 'is not a URL. Write it like https://node.example:8545.')
    const url = new URL(text)
    if (url.protocol === 'https:' || url.protocol === 'http:') return url
    throw new ConfigError('rpc', `must start with https:// or http://, not with ${url.protocol}`)
  })
}
