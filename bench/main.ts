/**
 * Measures all of it in one run and prints the figures. `npm run bench` runs it.
 *
 * Servers, the load and everything else that is measured have processes of
 * their own; this one only keeps the order.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalChain } from '../src/cli/local-chain.ts'
import { nameOf } from './contenders.ts'
import { writeDocument } from './document.ts'
import { flame } from './flame/main.ts'
import { readOptions, type Options } from './options.ts'
import { startWorker } from './process/worker.ts'
import { jsonOf, tableOf, type Figures } from './report.ts'
import { door } from './sections/door.ts'
import { idle } from './sections/idle.ts'
import { inProcess } from './sections/inprocess.ts'
import { latency } from './sections/latency.ts'
import { paid } from './sections/paid.ts'
import { worldOf, type World } from './world.ts'

const options = readOptions(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), 'farthing-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
process.once('SIGINT', () => process.exit(130))
const chain = await startLocalChain()
const load = await startWorker<object>(join(import.meta.dirname, 'load', 'load.js'), {})
try {
  const world = worldOf(chain)
  if (options.flame === undefined) await report(world)
  else await draw(world, options.flame)
} finally {
  await load.stop()
  await chain.anvil.stop()
}

async function report(world: World): Promise<void> {
  const figures = await measureAll(world, options)
  if (options.write) {
    const root = join(process.env['BENCH_SOURCE'] ?? '', '..')
    writeDocument(root, figures, await flame(nameOf(), world, load, folder))
  }
  process.stdout.write(`${tableOf(figures)}\n`)
  if (options.json) process.stdout.write(`${JSON.stringify(jsonOf(figures))}\n`)
}

async function draw(world: World, server: string): Promise<void> {
  const { svg, profile } = await flame(server, world, load, folder)
  writeFileSync('flame.svg', svg)
  writeFileSync('flame.cpuprofile', JSON.stringify(profile))
}

async function measureAll(world: World, { only }: Options): Promise<Figures> {
  return {
    options,
    ...(only.has('paid') && { paid: await paid(world, load, folder, options) }),
    ...(only.has('latency') && { latency: await latency(world, load, folder, options) }),
    ...(only.has('inprocess') && { inProcess: await inProcess(world, folder, options) }),
    ...(only.has('memory') && { idle: await idle(world, folder, options) }),
    ...(only.has('door') && { door: await door(world, load, folder, options) }),
  }
}
