/** Paid and unpaid requests of every contender, in turns, so that the noise of a machine hits all alike. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contenders, type Contender } from '../contenders.ts'
import type { Job } from '../load/load.ts'
import type { PeerFacts } from '../load/peers.ts'
import { measure, median, type Measured } from '../measure.ts'
import type { Options } from '../options.ts'
import { startWorker, type Worker } from '../process/worker.ts'
import { say } from '../say.ts'
import type { FarthingSettings, ServerFacts } from '../servers/farthing.ts'
import type { World } from '../world.ts'

export const CONNECTIONS = 64

/** The rounds of each contender, by name. */
export type Paid = ReadonlyMap<string, readonly Measured[]>

type Stand = {
  readonly name: string
  readonly server: Worker<ServerFacts | PeerFacts>
  readonly job: Job
  count: number
}

export async function paid(world: World, load: Worker<object>, folder: string, options: Options): Promise<Paid> {
  const stands = await openStands(world, folder, options)
  try {
    say(`paid: ${stands.length} servers are open`)
    for (const stand of stands) await warmUp(stand, load, options.seconds)
    const rounds = new Map<string, Measured[]>(stands.map(({ name }) => [name, []]))
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const { name, server, job, count } of stands) {
        await measure(server, load, job, leadInOf(count)) // it has slept while the others were measured
        rounds.get(name)?.push(await measure(server, load, job, count))
      }
      say(`paid: round ${round} of ${options.rounds}`)
    }
    for (const [name, measured] of rounds) say(`  ${lineOf(name, measured)}`)
    return rounds
  } finally {
    await Promise.all(stands.map(({ server }) => server.stop()))
  }
}

/** All of them, or none. */
async function openStands(world: World, folder: string, options: Options): Promise<Stand[]> {
  const wanted = contenders.filter(({ name, inRatio }) => name.includes(options.match) && (inRatio || !options.quick))
  const opened = await Promise.allSettled(
    wanted.map((one, index) => openStand(one, join(folder, `${index}`), world, options)),
  )
  const stands = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = opened.find((one) => one.status === 'rejected')
  if (!failed) return stands
  await Promise.all(stands.map(({ server }) => server.stop()))
  throw new Error('a server did not open', { cause: failed.reason })
}

export function lineOf(name: string, measured: readonly Measured[]): string {
  const cpu = median(measured.map(({ cpuUs }) => cpuUs))
  const rate = median(measured.map(({ perSecond }) => perSecond))
  return `${name.padEnd(40)}${cpu.toFixed(1).padStart(9)} µs ${rate.toFixed(0).padStart(7)}/s`
}

async function openStand(contender: Contender, place: string, world: World, { warmUp }: Options): Promise<Stand> {
  const { name } = contender
  mkdirSync(place)
  const server = await openServer(contender, world, place)
  const { facts } = server
  const peer = 'peer' in contender
  const job: Job = {
    name,
    port: facts.port,
    buyer: peer ? contender.peer : contender.rail,
    world,
    use: peer ? 'fresh' : contender.use,
    channels: peer ? CONNECTIONS : contender.channels,
    connections: CONNECTIONS,
    ...('buyers' in facts && { facts }),
  }
  return { name, server, job, count: peer ? warmUp.theirs : warmUp.ours }
}

/** A server of ours, or of a peer: those are not compiled, and find their packages beside them. */
export function openServer(
  contender: Contender,
  world: World,
  folder: string,
): Promise<Worker<ServerFacts | PeerFacts>> {
  if ('peer' in contender) {
    const file = join(process.env['BENCH_SOURCE'] ?? '', 'peers', `${contender.peer}.mjs`)
    return startWorker(file, { store: contender.store, channels: CONNECTIONS, world, folder })
  }
  const settings: FarthingSettings = { ...contender, world, folder }
  return startWorker(join(import.meta.dirname, '..', 'servers', 'farthing.js'), settings)
}

/** A quarter of what is measured, in whole turns of all connections. */
function leadInOf(count: number): number {
  return CONNECTIONS * Math.ceil(count / CONNECTIONS / 4)
}

/** Also finds out how many requests take `seconds`. */
async function warmUp(stand: Stand, load: Worker<object>, seconds: number): Promise<void> {
  await measure(stand.server, load, stand.job, Math.max(stand.count, stand.job.channels))
  const { perSecond } = await measure(stand.server, load, stand.job, leadInOf(stand.count))
  stand.count = CONNECTIONS * Math.max(1, Math.round((perSecond * seconds) / CONNECTIONS))
  say(`paid: ${stand.name} is warm, ${perSecond.toFixed(0)}/s`)
}
