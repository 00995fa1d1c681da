/** Opens the client that a command works with, and closes it again. */
import { ConfigError, StoreInUseError } from '../base/faults.ts'
import { createClient, type Channel as ClientChannel, type Client } from '../sender/client.ts'
import type { Budget } from '../sender/budget.ts'
import type { Progress } from '../sender/context.ts'
import type { Channel } from '../channel/channel.ts'
import { NoSuchChannelError } from '../base/spending.ts'
import { sqlite } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { watchOnly } from './account.ts'
import { short, type Say } from './print.ts'
import type { Settings } from './settings.ts'

type ClientOptions = {
  readonly budget: Budget
  readonly deposit?: (price: bigint) => bigint
  readonly fetch?: typeof fetch
  readonly onProgress?: (progress: Progress) => void
}

/** A client whose state other commands may use at the same time. */
export async function withClient<T>(settings: Settings, options: ClientOptions, work: (client: Client) => Promise<T>) {
  const privateKey = await settings.account.unlock()
  return withStore(settings, async (store) => {
    return work(await createClient({ ...common(settings, store), account: privateKey, ...options }))
  })
}

/** For commands that buy nothing. */
export const noBudget: Budget = { perRequest: 1n, deposit: 1n }

/** A client that looks and does not sign: needs no password. */
export async function withViewer<T>(settings: Settings, work: (client: Client) => Promise<T>): Promise<T> {
  return withStore(settings, async (store) => {
    const account = watchOnly(settings.account.address)
    return work(await createClient({ ...common(settings, store), account, signer: 'account', budget: noBudget }))
  })
}

export async function withStore<T>({ state }: Settings, work: (store: Store) => Promise<T>): Promise<T> {
  const store = sqlite(state, { shared: true })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function common({ chain, escrows, tokens, protocols }: Settings, store: Store) {
  return { chain, escrows, tokens, store, alone: false, ...(protocols && { protocols }) }
}

const RETRY_MS = 50

/**
 * Runs what sends transactions while no other command of this account does:
 * two of them at once would take each other's nonces, or both open a channel.
 * The lock is the operating system's and ends with the process.
 */
export async function inTurn<T>({ state }: Settings, say: Say, work: () => Promise<T>): Promise<T> {
  const lock = await takeLock(`${state}.lock`, say)
  try {
    return await work()
  } finally {
    await lock.close()
  }
}

async function takeLock(path: string, say: Say): Promise<Store> {
  for (let told = false; ; told = true) {
    try {
      return sqlite(path)
    } catch (error) {
      if (!(error instanceof StoreInUseError)) throw error
      if (!told) say('another farthing sends a transaction of this account; waiting for it')
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** The channel whose id begins with `prefix`. @throws {NoSuchChannelError} | {@link ConfigError} if there are several */
export async function findChannel(client: Client, prefix: string): Promise<{ state: Channel; channel: ClientChannel }> {
  const wanted = `0x${prefix.toLowerCase().replace(/^0x/, '').replace(/…$/, '')}`
  const found: Channel[] = []
  for await (const channel of client.channels()) if (channel.id.startsWith(wanted)) found.push(channel)
  const [state, another] = found
  if (!state || wanted === '0x') throw new NoSuchChannelError(prefix)
  if (another)
    throw new ConfigError('id', `${prefix} fits ${found.map(({ id }) => short(id)).join(' and ')}. Name more of it`)
  return { state, channel: await client.channel(state.key) }
}
