/** A receiver with channels that were put into its store, and no chain to ask while it sells. */
import { createChain } from '../../src/chain/rpc.ts'
import type { Chain } from '../../src/chain/chain.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import { createReceiver, type Receiver } from '../../src/receiver/receiver.ts'
import { rail, type AnyRail } from '../../src/receiver/rail.ts'
import type { Channel } from '../../src/channel/channel.ts'
import { memory } from '../../src/store/memory.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { REALM, SECRET, type RailName, type World } from '../world.ts'

export type StoreName = 'memory' | 'sqlite'

/** Longer than any run. */
const DAY_MS = 86_400_000
/** How many channels are put into a store at once. */
const BATCH = 1_000

export function openStore(kind: StoreName, path: string): Store {
  return kind === 'memory' ? memory() : sqlite(path)
}

export async function seed(store: Store, channels: readonly Channel[]): Promise<void> {
  for (let from = 0; from < channels.length; from += BATCH) {
    await Promise.all(channels.slice(from, from + BATCH).map((channel) => store.update(channel.key, () => channel)))
  }
}

export function railOf(name: RailName, { chainId, escrows, token }: World): AnyRail {
  const place = { chainId, address: escrows[name], token }
  return name === 'payment'
    ? rail({ ...place, dialect: payment({ realm: REALM, secrets: [SECRET] }), escrow: session })
    : rail({ ...place, dialect: rdn(), escrow: raiden })
}

/** Looked at once, when the receiver starts. */
export function quietChain({ rpc, chainId }: World): Chain {
  return createChain({ rpc, chainId, confirmations: 1, pollMs: DAY_MS })
}

export function receiverOf(name: RailName, world: World, store: Store, chain = quietChain(world)): Receiver {
  return createReceiver({
    address: world.receiver,
    chain,
    store,
    rails: [railOf(name, world)],
    limits: { offerMs: DAY_MS, chainSilenceMs: DAY_MS },
  })
}
