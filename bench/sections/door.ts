/** A buyer that pays while strangers push at the door: its p99 with and without them, and what they make us do. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { contenders, nameOf } from '../contenders.ts'
import type { Job, LoadQuestion } from '../load/load.ts'
import type { Latency } from '../load/pace.ts'
import { strangerKinds, type Strangers, type StrangerKind } from '../load/strangers.ts'
import { measure, median } from '../measure.ts'
import type { Options } from '../options.ts'
import { startWorker, type Worker } from '../process/worker.ts'
import { say } from '../say.ts'
import type { Work } from '../servers/counted.ts'
import type { ServerQuestion } from '../servers/farthing.ts'
import type { World } from '../world.ts'
import { atPace, medianOf } from './latency.ts'
import { openServer } from './paid.ts'

/** Beside one kind of stranger. Writes and chain calls are those that the buyer did not cause, over all rounds. */
export type DoorFigures = {
  readonly perSecond: number
  readonly alone: Latency
  readonly crowded: Latency
  readonly p99Ratio: number
  readonly writes: number
  readonly chainCalls: number
}

export type Door = Readonly<Record<StrangerKind, DoorFigures>>

const STRANGERS_PER_SECOND = 20_000
const BUYER = { perSecond: 200, connections: 16, channels: 64 }

/** Those who are left when strangers go are still answered: longer than that takes. */
const QUIET_MS = 300

type Round = { readonly alone: Latency; readonly crowded: Latency; readonly strangers: Strangers; readonly work: Work }

export async function door(world: World, load: Worker<object>, folder: string, options: Options): Promise<Door> {
  const base = contenders.find(({ name }) => name === nameOf())
  if (!base) throw new Error('there is no server to measure')
  const place = join(folder, 'door')
  mkdirSync(place)
  const server = await openServer(base, world, place)
  const crowd = await startWorker<object>(join(import.meta.dirname, '..', 'load', 'load.js'), {})
  const { connections, channels } = BUYER
  const job: Job = {
    ...{ name: 'door', port: server.facts.port, buyer: 'rdn', world, use: 'fresh' },
    ...{ channels, connections },
  }
  try {
    await measure(server, load, job, options.warmUp.ours)
    const seconds = Math.max(0.75, options.seconds * 2)
    const rounds: Record<StrangerKind, Round[]> = { free: [], unpaid: [], bogus: [] }
    for (let number = 1; number <= options.rounds; number += 1) {
      const alone = await atPace(load, job, BUYER.perSecond, seconds, 'gentle')
      for (const kind of strangerKinds) {
        rounds[kind].push({ alone, ...(await crowdedRound(server, load, crowd, job, kind, seconds)) })
      }
      say(`door: round ${number} of ${options.rounds}`)
    }
    const figures = (kind: StrangerKind) => figuresOf(kind, rounds[kind])
    return { free: figures('free'), unpaid: figures('unpaid'), bogus: figures('bogus') }
  } finally {
    await Promise.all([server.stop(), crowd.stop()])
  }
}

async function crowdedRound(
  server: Worker<{ readonly port: number }>,
  load: Worker<object>,
  crowd: Worker<object>,
  job: Job,
  kind: StrangerKind,
  seconds: number,
): Promise<Omit<Round, 'alone'>> {
  const work = () => server.ask<Work>('work' satisfies ServerQuestion)
  const before = await work()
  const { world, port } = job
  const question: LoadQuestion = {
    ...{ do: 'strangers', kind, port, world },
    ...{ perSecond: STRANGERS_PER_SECOND, seconds: seconds + 0.5 },
  }
  const strangers = crowd.ask<Strangers>(question)
  const crowded = await atPace(load, job, BUYER.perSecond, seconds, 'gentle')
  const bought = Math.ceil(BUYER.perSecond * seconds)
  const answered = await strangers
  await setTimeout(QUIET_MS)
  const after = await work()
  return {
    crowded,
    strangers: answered,
    work: { writes: after.writes - before.writes - bought, chainCalls: after.chainCalls - before.chainCalls },
  }
}

function figuresOf(kind: StrangerKind, rounds: readonly Round[]): DoorFigures {
  const figures = {
    perSecond: median(rounds.map(({ strangers }) => strangers.perSecond)),
    alone: medianOf(rounds.map(({ alone }) => alone)),
    crowded: medianOf(rounds.map(({ crowded }) => crowded)),
    p99Ratio: median(rounds.map(({ alone, crowded }) => crowded.p99 / alone.p99)),
    writes: rounds.reduce((sum, { work }) => sum + work.writes, 0),
    chainCalls: rounds.reduce((sum, { work }) => sum + work.chainCalls, 0),
  }
  const { perSecond, alone, crowded, writes, chainCalls } = figures
  say(
    `door: ${perSecond.toFixed(0)}/s ${kind}: p99 ${alone.p99.toFixed(2)} ms alone, ${crowded.p99.toFixed(2)} ms crowded; ` +
      `${writes} writes, ${chainCalls} chain calls`,
  )
  return figures
}
