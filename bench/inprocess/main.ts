/** One payment without a socket, beside one recovery of a signer by the same engine, in one loop. */
import { engines } from '../../src/base/engine.ts'
import { hexToBytes } from '../../src/base/encode.ts'
import { median } from '../measure.ts'
import { serveParent } from '../process/answer.ts'
import type { RailName, World } from '../world.ts'
import { openCounter, takeOne, type Incoming } from './payments.ts'
import { partsOf, type Parts } from './parts.ts'

export type InProcessSettings = { readonly world: World; readonly rounds: number; readonly folder: string }

/** `payUs` and `recoverUs`: medians, in microseconds; `ratio`: the median of the ratios of their turns. */
export type InProcess = {
  readonly payUs: number
  readonly recoverUs: number
  readonly ratio: number
  readonly parts: Parts
}

const TURN = 100
const WARM_UP = 20

const [engine] = await engines()

await serveParent<InProcessSettings, RailName>(({ world, rounds, folder }) =>
  Promise.resolve({ facts: { engine: engine?.name }, answer: (rail) => measureRail(rail, world, rounds, folder) }),
)

async function measureRail(rail: RailName, world: World, rounds: number, folder: string): Promise<InProcess> {
  const counter = await openCounter(rail, world)
  const turns: { pay: number; recover: number }[] = []
  for (let turn = 0; turn < WARM_UP + rounds; turn += 1) {
    const payments = counter.next(TURN)
    const start = performance.now()
    for (const payment of payments) await takeOne(counter.receiver, payment)
    const paid = performance.now()
    recoverAll(payments)
    turns.push({ pay: paid - start, recover: performance.now() - paid })
  }
  const measured = turns.slice(WARM_UP)
  const parts = await partsOf(counter, rounds, folder)
  await counter.receiver.stop()
  return {
    payUs: (median(measured.map(({ pay }) => pay)) * 1000) / TURN,
    recoverUs: (median(measured.map(({ recover }) => recover)) * 1000) / TURN,
    ratio: median(measured.map(({ pay, recover }) => pay / recover)),
    parts,
  }
}

/** The engine's own call and nothing around it. */
function recoverAll(payments: readonly Incoming[]): void {
  for (const { digest, voucher } of payments) {
    const bytes = hexToBytes(voucher.signature)
    engine?.recover(digest, bytes.subarray(0, 64), (bytes[64] ?? 27) - 27)
  }
}
