/** A server of ours in a process of its own. */
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { engineName } from '../../src/base/secp256k1.ts'
import { serveParent } from '../process/answer.ts'
import { channelsOf, type RailName, type World } from '../world.ts'
import { createProfiler } from '../flame/profiler.ts'
import { counted } from './counted.ts'
import { listenerOf, type AdapterName } from './listeners.ts'
import { openStore, quietChain, receiverOf, seed, type StoreName } from './shop.ts'

export type FarthingSettings = {
  readonly rail: RailName
  readonly store: StoreName
  readonly adapter: AdapterName
  readonly channels: number
  readonly world: World
  /** Where it may keep files. */
  readonly folder: string
}

export type ServerFacts = { readonly port: number; readonly engine: string }

/** `work`: how often it wrote to its store, and asked its chain. `profiled`: where the time went since `profile`. */
export type ServerQuestion = 'cpu' | 'work' | 'profile' | 'profiled'

await serveParent<FarthingSettings, ServerQuestion>(async ({ rail, store: kind, adapter, channels, world, folder }) => {
  const { store, chain, work } = counted(openStore(kind, join(folder, 'channels.db')), quietChain(world))
  await seed(store, channelsOf(rail, world, channels))
  const receiver = receiverOf(rail, world, store, chain)
  await receiver.start()
  const server = listenerOf(adapter, receiver)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const facts: ServerFacts = { port, engine: engineName }
  const profiler = createProfiler()
  const answers = { cpu: () => process.cpuUsage(), work: () => ({ ...work }), ...profiler }
  return { facts, answer: (question) => answers[question]() }
})
