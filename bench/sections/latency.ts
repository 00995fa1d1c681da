/** What a payment adds to the time of an answer, at half of the load that the paid route can take. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { contenders, nameOf } from '../contenders.ts'
import type { Job, LoadQuestion } from '../load/load.ts'
import type { Latency } from '../load/pace.ts'
import { measure, median } from '../measure.ts'
import type { Options } from '../options.ts'
import type { Worker } from '../process/worker.ts'
import { say } from '../say.ts'
import type { World } from '../world.ts'
import { CONNECTIONS, openServer } from './paid.ts'

/** Milliseconds, medians of the rounds. */
export type LatencyFigures = {
  readonly perSecond: number
  readonly paid: Latency
  readonly unpaid: Latency
  readonly p50AddedMs: number
  readonly p99AddedMs: number
}

export async function latency(
  world: World,
  load: Worker<object>,
  folder: string,
  options: Options,
): Promise<LatencyFigures> {
  const base = contenders.find(({ name }) => name === nameOf())
  if (!base) throw new Error('there is no server to measure')
  const place = join(folder, 'latency')
  mkdirSync(place)
  const server = await openServer(base, world, place)
  const job = { port: server.facts.port, buyer: 'rdn', world, channels: 64, connections: CONNECTIONS } as const
  const paid: Job = { ...job, name: 'latency, paid', use: 'fresh' }
  const unpaid: Job = { ...job, name: 'latency, unpaid', use: 'free' }
  try {
    await measure(server, load, unpaid, options.warmUp.ours)
    await measure(server, load, paid, options.warmUp.ours)
    const half = (await measure(server, load, paid, options.warmUp.ours)).perSecond / 2
    const rounds: { paid: Latency; unpaid: Latency }[] = []
    for (let round = 1; round <= options.rounds; round += 1) {
      const seconds = options.seconds * 2
      rounds.push({
        unpaid: await atPace(load, unpaid, half, seconds),
        paid: await atPace(load, paid, half, seconds),
      })
      say(`latency: round ${round} of ${options.rounds}`)
    }
    return figuresOf(half, rounds)
  } finally {
    await server.stop()
  }
}

/** Signs what is needed for `seconds` and sends it at this pace. */
export async function atPace(
  load: Worker<object>,
  job: Job,
  perSecond: number,
  seconds: number,
  precision: 'exact' | 'gentle' = 'gentle',
): Promise<Latency> {
  const count = Math.ceil(perSecond * seconds)
  await load.ask({ do: 'prepare', job, count } satisfies LoadQuestion)
  return load.ask<Latency>({ do: 'pace', job, pace: { perSecond, precision } } satisfies LoadQuestion)
}

function figuresOf(perSecond: number, rounds: readonly { paid: Latency; unpaid: Latency }[]): LatencyFigures {
  const figures = {
    perSecond,
    paid: medianOf(rounds.map(({ paid }) => paid)),
    unpaid: medianOf(rounds.map(({ unpaid }) => unpaid)),
    p50AddedMs: median(rounds.map(({ paid, unpaid }) => paid.p50 - unpaid.p50)),
    p99AddedMs: median(rounds.map(({ paid, unpaid }) => paid.p99 - unpaid.p99)),
  }
  say(
    `latency: ${perSecond.toFixed(0)}/s adds ${figures.p50AddedMs.toFixed(2)} ms at p50, ${figures.p99AddedMs.toFixed(2)} ms at p99`,
  )
  return figures
}

export function medianOf(latencies: readonly Latency[]): Latency {
  const of = (pick: (one: Latency) => number) => median(latencies.map(pick))
  return { p50: of(({ p50 }) => p50), p99: of(({ p99 }) => p99), most: of(({ most }) => most) }
}
