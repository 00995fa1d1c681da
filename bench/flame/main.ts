/** Takes a profile of the hot path, draws it, and says where the time goes. */
import type { Profiler } from 'node:inspector'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contenders } from '../contenders.ts'
import type { Job, LoadQuestion } from '../load/load.ts'
import type { Saturated } from '../load/saturate.ts'
import type { Worker } from '../process/worker.ts'
import { say } from '../say.ts'
import { CONNECTIONS, openServer } from '../sections/paid.ts'
import type { ServerQuestion } from '../servers/farthing.ts'
import type { World } from '../world.ts'
import { framesOf, treeOf, type Frame } from './tree.ts'
import { svgOf } from './svg.ts'

/** `places`: microseconds of the main thread per request by where they are spent, most first; the disk is waited for. */
export type Flame = {
  readonly name: string
  readonly svg: string
  readonly places: readonly (readonly [place: string, us: number])[]
  readonly profile: Profiler.Profile
}

const REQUESTS = 20_000

/** Of one server of ours, by its name. */
export async function flame(name: string, world: World, load: Worker<object>, folder: string): Promise<Flame> {
  const contender = contenders.find((one) => one.name === name)
  if (!contender || 'peer' in contender) {
    throw new RangeError(`there is no server "${name}". Servers: ${contenders.map((one) => one.name).join(', ')}`)
  }
  const place = join(folder, 'flame')
  mkdirSync(place)
  const server = await openServer(contender, world, place)
  const { rail: buyer, channels, use } = contender
  const job: Job = { name: 'flame', port: server.facts.port, buyer, world, use, channels, connections: CONNECTIONS }
  const prepare = () => load.ask({ do: 'prepare', job, count: REQUESTS } satisfies LoadQuestion)
  const run = () => load.ask<Saturated>({ do: 'saturate', job } satisfies LoadQuestion)
  try {
    await prepare()
    await run()
    await prepare()
    await server.ask('profile' satisfies ServerQuestion)
    const { answered } = await run()
    const profile = await server.ask<Profiler.Profile>('profiled' satisfies ServerQuestion)
    const tree = treeOf(profile)
    const us = tree.total / answered
    const places = placesOf(tree, answered)
    for (const [where, cost] of places) say(`flame: ${where.padEnd(40)}${cost.toFixed(1).padStart(7)} µs`)
    return {
      name,
      svg: svgOf(
        tree,
        `${name}: ${us.toFixed(0)} µs of the main thread per request, with its waiting for the disk`,
        us,
      ),
      places,
      profile,
    }
  } finally {
    await server.stop()
  }
}

/** Native code by what it is, ours by its folder, the rest together. */
function placesOf(tree: Frame, requests: number): (readonly [string, number])[] {
  const sums = new Map<string, number>()
  for (const frame of framesOf(tree)) {
    const place = placeOf(frame)
    sums.set(place, (sums.get(place) ?? 0) + frame.self / requests)
  }
  return [...sums].sort(([, a], [, b]) => b - a)
}

function placeOf({ name, kind }: Frame): string {
  if (kind === 'native') return name
  if (kind === 'collector') return 'garbage collector'
  if (kind === 'node') return 'Node: HTTP, sockets, promises'
  const [, folder] = / (src\/\w+)\//.exec(name) ?? []
  return folder ?? 'packages, and the handler'
}
