/**
 * One paid request per call, for scripts: `farthing/requests`.
 *
 * Each call makes a client, buys, and lets go of it. Whoever buys more than once is better off with one
 * {@link createClient}: it reads the chain once, and remembers offers.
 *
 * ```ts
 * import { get } from 'farthing/requests'
 * const weather = await get('https://api.example.com/weather', { account, rpc, budget, escrows, tokens, store })
 * ```
 */
import type { ChainConfig } from '../chain/config.ts'
import { createChain } from '../chain/rpc.ts'
import { memory } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { createClient, type ClientConfig } from './client.ts'
import type { Session, SessionOptions } from './session.ts'

export type RequestOptions = Omit<ClientConfig, 'chain' | 'store'> &
  SessionOptions & {
    /** A node, or several. */
    readonly rpc: ChainConfig['rpc']
    /** Depth at which a deposit counts. Default: as `createChain`. */
    readonly confirmations?: number
    /**
     * Without one nothing is remembered: the channel is found on the chain, and what was spent on it is what the
     * receiver shows with the sender's own signature; limits of the budget per day and origin start anew at each call.
     */
    readonly store?: Store
    /** What `fetch` takes: headers, body and so on. */
    readonly init?: RequestInit
  }

/** Buys one resource. @throws {SpendingError} if it cannot be paid within the budget, or was refused */
export async function request(method: string, url: string | URL, options: RequestOptions): Promise<Response> {
  const { rpc, confirmations, init, store = memory(), ...config } = options
  const chain = createChain({ rpc, ...(confirmations !== undefined && { confirmations }) })
  const client = await createClient({ ...config, chain, store })
  const session: Session = client.session(config)
  try {
    return await session.request(method, url, init)
  } finally {
    await session.end()
  }
}

type Call = (url: string | URL, options: RequestOptions) => Promise<Response>

const call =
  (method: string): Call =>
  (url, options) =>
    request(method, url, options)

export const get = call('GET')
export const options = call('OPTIONS')
export const head = call('HEAD')
export const post = call('POST')
export const put = call('PUT')
export const patch = call('PATCH')
const remove = call('DELETE')
export { remove as delete }
