/** Requests per second and processor time per request, of one server under one load. */
import type { Job, LoadQuestion } from './load/load.ts'
import type { Saturated } from './load/saturate.ts'
import type { ServerQuestion } from './servers/farthing.ts'
import type { Worker } from './process/worker.ts'

/** `cpuUs`: microseconds of the server's process per answered request, of all its threads. */
export type Measured = { readonly cpuUs: number; readonly perSecond: number }

type CpuUsage = { readonly user: number; readonly system: number }

/** Signs `count` requests, then sends them as fast as they are answered. */
export async function measure(
  server: Worker<unknown>,
  load: Worker<unknown>,
  job: Job,
  count: number,
): Promise<Measured> {
  const ask = <answer>(question: LoadQuestion) => load.ask<answer>(question)
  const cpu = async () => {
    const { user, system } = await server.ask<CpuUsage>('cpu' satisfies ServerQuestion)
    return user + system
  }
  await ask({ do: 'prepare', job, count })
  const before = await cpu()
  const { answered, seconds } = await ask<Saturated>({ do: 'saturate', job })
  return { cpuUs: ((await cpu()) - before) / answered, perSecond: answered / seconds }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2
}
