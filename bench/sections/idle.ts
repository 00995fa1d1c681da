/** Memory of channels that do nothing, and how long a start takes with all of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { IdleQuestion, IdleSettings, Started } from '../idle/main.ts'
import type { Options } from '../options.ts'
import { startWorker } from '../process/worker.ts'
import { say } from '../say.ts'
import type { World } from '../world.ts'

export type IdleFigures = Started & { readonly channels: number }

export async function idle(world: World, folder: string, { channels }: Options): Promise<IdleFigures> {
  const place = join(folder, 'idle')
  mkdirSync(place)
  const settings: IdleSettings = { world, path: join(place, 'channels.db'), channels }
  say(`memory: making a store with ${channels} channels`)
  await inProcess('seed', settings)
  const started = await inProcess('start', settings)
  say(`memory: ${started.bytesPerChannel.toFixed(0)} bytes per channel, started in ${started.seconds.toFixed(2)} s`)
  return { channels, ...started }
}

async function inProcess(question: IdleQuestion, settings: IdleSettings): Promise<Started> {
  const file = join(import.meta.dirname, '..', 'idle', 'main.js')
  const worker = await startWorker<object>(file, settings, ['--expose-gc'])
  const answer = await worker.ask<Started>(question)
  await worker.stop()
  return answer
}
