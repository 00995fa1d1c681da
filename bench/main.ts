/**
 * Measures all of it in one run and prints the figures. `npm run bench` runs it.
 *
 * Servers, the load and everything else that is measured have processes of
 * their own; this one only keeps the order.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalChain } from '../src/cli/local-chain.ts'
import { readOptions } from './options.ts'
import { startWorker } from './process/worker.ts'
import { say } from './say.ts'
import { paid } from './sections/paid.ts'
import { worldOf } from './world.ts'

const options = readOptions(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), 'farthing-bench-'))
const chain = await startLocalChain()
try {
  const world = worldOf(chain)
  const load = await startWorker<object>(join(import.meta.dirname, 'load', 'load.js'), {})
  await paid(world, load, folder, options)
  await load.stop()
} finally {
  await chain.anvil.stop()
  rmSync(folder, { recursive: true, force: true })
}
say('done')
