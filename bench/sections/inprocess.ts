/** One fresh payment without a server, over one recovery of a signer. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { InProcess, InProcessSettings } from '../inprocess/main.ts'
import type { Options } from '../options.ts'
import { startWorker } from '../process/worker.ts'
import { say } from '../say.ts'
import type { RailName, World } from '../world.ts'

export type InProcessFigures = Readonly<Record<RailName, InProcess>>

export async function inProcess(world: World, folder: string, { quick }: Options): Promise<InProcessFigures> {
  const measure = async (rail: RailName) => {
    const place = join(folder, `inprocess-${rail}`)
    mkdirSync(place)
    const settings: InProcessSettings = { world, rounds: quick ? 20 : 100, folder: place }
    const worker = await startWorker<object>(join(import.meta.dirname, '..', 'inprocess', 'main.js'), settings)
    const figures = await worker.ask<InProcess>(rail)
    await worker.stop()
    say(`in process: ${rail} ${figures.payUs.toFixed(1)} µs, ${figures.ratio.toFixed(2)} recoveries`)
    for (const [part, us] of Object.entries(figures.parts)) say(`  ${part.padEnd(30)}${us.toFixed(1).padStart(8)} µs`)
    return figures
  }
  return { rdn: await measure('rdn'), payment: await measure('payment') }
}
