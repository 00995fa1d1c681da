/** Takes a profile of the hot path and prints where the time goes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalChain } from '../../src/cli/local-chain.ts'
import { contenders } from '../contenders.ts'
import type { Job, LoadQuestion } from '../load/load.ts'
import { startWorker } from '../process/worker.ts'
import { openServer } from '../sections/paid.ts'
import { worldOf } from '../world.ts'

const name = process.argv[2] ?? ''
const contender = contenders.find((one) => one.name === name)
if (!contender || 'peer' in contender) throw new Error(`there is no server of ours named "${name}"`)
const folder = mkdtempSync(join(tmpdir(), 'farthing-flame-'))
const chain = await startLocalChain()
try {
  const world = worldOf(chain)
  const load = await startWorker<object>(join(import.meta.dirname, '..', 'load', 'load.js'), {})
  const server = await openServer(contender, world, folder)
  const { rail: buyer, channels, use } = contender
  const job: Job = { name, port: server.facts.port, buyer, world, use, channels, connections: 64 }
  const run = async (count: number) => {
    await load.ask({ do: 'prepare', job, count } satisfies LoadQuestion)
    await load.ask({ do: 'saturate', job } satisfies LoadQuestion)
  }
  await run(10_000)
  await load.ask({ do: 'prepare', job, count: 20_000 } satisfies LoadQuestion)
  await server.ask('profile')
  await load.ask({ do: 'saturate', job } satisfies LoadQuestion)
  writeFileSync(process.argv[3] ?? 'x.cpuprofile', JSON.stringify(await server.ask<Profiler.Profile>('profiled')))
  await load.stop()
  await server.stop()
} finally {
  await chain.anvil.stop()
  rmSync(folder, { recursive: true, force: true })
}
