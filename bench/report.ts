/** The figures as a table for people and as JSON for programs. */
import { cpus } from 'node:os'
import { engineName } from '../src/base/secp256k1.ts'
import { nameOf } from './contenders.ts'
import { median } from './measure.ts'
import type { Options } from './options.ts'
import type { Door } from './sections/door.ts'
import type { IdleFigures } from './sections/idle.ts'
import type { InProcessFigures } from './sections/inprocess.ts'
import type { LatencyFigures } from './sections/latency.ts'
import { lineOf, type Paid } from './sections/paid.ts'

/** What was measured; a part that was not asked for is absent. */
export type Figures = {
  readonly options: Options
  readonly paid?: Paid
  readonly latency?: LatencyFigures
  readonly inProcess?: InProcessFigures
  readonly idle?: IdleFigures
  readonly door?: Door
}

/** What to reach, as `least` or `most`. */
const targets = {
  paidOverX402Memory: { says: 'Paid requests, for one of x402 from memory', least: 20 },
  paidOverX402File: { says: 'Paid requests, for one of x402 from files', least: 35 },
  paidOverMppx: { says: 'Paid requests, for one of mppx', least: 60 },
  paidOverUnpaid: { says: 'Paid requests, for one unpaid', least: 0.2 },
  paymentOverRdn: { says: 'The same on `payment`, for one on `rdn`', least: 0.7 },
  representedOverUnpaid: { says: 'Vouchers shown again, for one unpaid', least: 0.5 },
  inProcessRdnOverRecover: { says: 'One payment in process, `rdn`, in recoveries', most: 1.5 },
  inProcessPaymentOverRecover: { says: 'One payment in process, `payment`, in recoveries', most: 2.2 },
  tenThousandChannelsOver64: { says: 'Requests with 10,000 channels, for one with 64', least: 0.8 },
  p99AddedMs: { says: 'Milliseconds that paying adds to the p99 at half load', most: 2 },
  bytesPerIdleChannel: { says: 'Bytes of memory per idle channel', most: 1_000 },
  startSeconds: { says: 'Seconds to start with all of them', most: 2 },
} satisfies Record<string, { says: string } & ({ least: number } | { most: number })>

type Ratio = Exclude<keyof typeof targets, 'p99AddedMs' | 'bytesPerIdleChannel' | 'startSeconds'>
type Ratios = Readonly<Record<Ratio, number | null>>

/** null: not measured this time. */
export function jsonOf(figures: Figures) {
  const { paid, latency, inProcess, idle, door, options } = figures
  return {
    ratios: ratiosOf(figures),
    p99AddedMs: rounded(latency?.p99AddedMs),
    bytesPerIdleChannel: rounded(idle?.bytesPerChannel),
    startSeconds: rounded(idle?.seconds),
    figures: {
      machine: { node: process.version, cpu: cpus()[0]?.model.trim(), cores: cpus().length, engine: engineName },
      rounds: options.rounds,
      secondsPerRound: options.seconds,
      servers: paid && Object.fromEntries([...paid].map(([name, rounds]) => [name, serverOf(rounds)])),
      ...{ latency, inProcess, idle, door },
    },
  }
}

export type Aim = {
  readonly what: string
  readonly says: string
  readonly value: string
  readonly aim: string
  readonly reached: boolean
}

/** The figures that have a target, as far as they were measured. */
export function aimsOf(figures: Figures): Aim[] {
  const { ratios, p99AddedMs, bytesPerIdleChannel, startSeconds } = jsonOf(figures)
  const all = { ...ratios, p99AddedMs, bytesPerIdleChannel, startSeconds }
  return Object.entries(targets).flatMap(([name, target]) => {
    const value = Object.entries(all).find(([key]) => key === name)?.[1]
    if (value === null || value === undefined) return []
    const reached = 'least' in target ? value >= target.least : value <= target.most
    const aim = 'least' in target ? `at least ${target.least}` : `at most ${target.most}`
    return [{ what: name, says: target.says, value: `${value}`, aim, reached }]
  })
}

/** The servers, then one line per figure that has a target. */
export function tableOf(figures: Figures): string {
  const servers = [...(figures.paid ?? [])].map(([name, rounds]) => lineOf(name, rounds))
  const aims = aimsOf(figures).map(
    ({ what, value, aim, reached }) =>
      `${what.padEnd(30)}${value.padStart(10)}   ${aim}${reached ? '' : ', NOT REACHED'}`,
  )
  return [...servers, '', ...aims].join('\n')
}

/** Ratios of processor time per request; where more is better, the other one is divided by ours. */
function ratiosOf({ paid, inProcess }: Figures): Ratios {
  const over = (ours: string, theirs: string) => rounded(paid && ratioOf(paid, ours, theirs))
  const base = nameOf()
  return {
    paidOverX402Memory: over(base, 'x402 memory'),
    paidOverX402File: over(base, 'x402 file'),
    paidOverMppx: over(base, 'mppx memory'),
    paidOverUnpaid: over(base, nameOf({ use: 'free' })),
    paymentOverRdn: over(nameOf({ rail: 'payment' }), base),
    representedOverUnpaid: over(nameOf({ use: 'represented' }), nameOf({ use: 'free' })),
    inProcessRdnOverRecover: rounded(inProcess?.rdn.ratio),
    inProcessPaymentOverRecover: rounded(inProcess?.payment.ratio),
    tenThousandChannelsOver64: over(nameOf({ channels: 10_000 }), base),
  }
}

/** Round by round: what disturbed one of them has disturbed the other. */
function ratioOf(paid: Paid, ours: string, theirs: string): number | undefined {
  const rounds = paid.get(ours)
  const others = paid.get(theirs)
  if (!rounds || !others) return undefined
  return median(rounds.map(({ cpuUs }, round) => (others[round]?.cpuUs ?? NaN) / cpuUs))
}

function serverOf(rounds: readonly { readonly cpuUs: number; readonly perSecond: number }[]) {
  return {
    cpuUs: rounded(median(rounds.map(({ cpuUs }) => cpuUs))),
    perSecond: rounded(median(rounds.map(({ perSecond }) => perSecond))),
  }
}

/** Three digits: there is no more in such a measurement. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(3))
}
