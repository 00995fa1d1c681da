/** Gas is money. What transactions cost is measured on a node and held to the committed snapshot. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Gas } from '../bin/gas.measure.mts'
import { original } from '../bin/gas.peers.mts'
import { tableBelow } from './architecture/pages.ts'

const SLACK = 1.01

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Gas
const snapshot = read('contracts/snapshots/node.json')

/** Rows of text without the marks and the commas of numbers. */
const bare = (rows: string[][]) => rows.map((row) => row.map((cell) => cell.replace(/[`,]| %$/g, '')))
const consistings = bare(tableBelow('docs/reference/raiden-channels.md', 'What deposits consist of'))

let measured: Gas
beforeAll(async () => {
  const { stdout } = await promisify(execFile)('npx', ['tsx', 'bin/gas.mjs', '--json'])
  measured = JSON.parse(stdout) as Gas
}, 60_000)

describe('npm run gas -- --json', () => {
  it('measures everything in the snapshot and nothing else', () => {
    expect(names(measured)).toEqual(names(snapshot))
  })

  it('prints whole numbers of gas, none under what a transaction costs that does nothing', () => {
    const whole = flat(measured).filter(({ what }) => !what.startsWith('settlePerChannelIn50'))
    expect(whole.filter(({ gas }) => !Number.isInteger(gas) || gas <= 21_000)).toEqual([])
    expect(flat(measured).filter(({ gas }) => gas <= 0)).toEqual([])
  })

  it('finds nothing dearer than in the snapshot', () => {
    const dearer = flat(measured).filter(({ contract, what, gas }) => gas > SLACK * (snapshot[contract]?.[what] ?? 0))
    const told = dearer.map(
      ({ contract, what, gas }) => `${what} of ${contract} rose from ${snapshot[contract]?.[what]} to ${gas}`,
    )
    expect(told, 'If it has to cost that: npm run gas -- --write, and commit what that writes.').toEqual([])
  })

  it('keeps to the figures that were promised', () => {
    const { openByTransfer, approveAndOpen, settle, settlePerChannelIn50, close } = measured['ChannelEscrow']!
    expect(openByTransfer).toBeLessThanOrEqual(112_000)
    expect(approveAndOpen).toBeLessThanOrEqual(158_000)
    expect(settle).toBeLessThanOrEqual(57_000)
    expect(settlePerChannelIn50).toBeLessThanOrEqual(19_000)
    expect(close).toBeLessThanOrEqual(66_000)
  })

  it('finds every function of RaidenChannels 15 % below the original, or says what it consists of', () => {
    expect(Object.keys(original)).toEqual(Object.keys(measured['RaidenChannels']!))
    const dearer = Object.entries(original).filter(([what, gas]) => measured['RaidenChannels']![what]! > 0.85 * gas)
    expect(dearer.map(([what]) => what)).toEqual(consistings.map(([what]) => what))
  })

  it('finds a whole life cheapest on our best rail', () => {
    const [cheapest] = Object.entries(measured).sort(([, one], [, other]) => one['life']! - other['life']!)
    expect(cheapest?.[0]).toBe('RaidenChannels')
  })
})

describe('the reference', () => {
  it('has the figures of the snapshot, beside those of the peers', () => {
    const batch = snapshot['x402 batch settlement']!
    expect(bare(tableBelow('docs/reference/contract.md', 'Gas on a node'))).toEqual(
      Object.entries(snapshot['ChannelEscrow']!).map(([what, gas]) => [what, `${gas}`, `${batch[what] ?? ''}`]),
    )
    const rows = bare(tableBelow('docs/reference/raiden-channels.md', 'Gas'))
    expect(rows.map(([what, ...units]) => [what, ...units.slice(0, 2)])).toEqual(
      Object.entries(snapshot['RaidenChannels']!).map(([what, gas]) => [what, `${gas}`, `${original[what]}`]),
    )
    for (const [, gas, before, below] of rows)
      expect(100 * (1 - Number(gas) / Number(before))).toBeCloseTo(Number(below), 1)
    expect(bare(tableBelow('docs/reference/contract.md', 'Gas of a whole life'))).toEqual(
      Object.entries(snapshot)
        .map(([contract, { life }]) => [contract, `${life}`])
        .sort(([, one], [, other]) => Number(one) - Number(other)),
    )
  })

  it('says of deposits what adds up to what they cost', () => {
    for (const [what, ...cells] of consistings) {
      const [start, storage, events, calls, refund, fixed, goal, ...computing] = cells.map(Number)
      expect(start! + storage! + events! + calls! + refund!, what).toBe(fixed)
      expect(fixed! + computing[0]! + computing[1]!, what).toBe(snapshot['RaidenChannels']![what!])
      expect(goal, what).toBe(Math.floor(0.85 * original[what!]!))
    }
    const reachable = consistings.filter(([, , , , , , fixed, goal]) => Number(fixed) <= Number(goal))
    expect(reachable.map(([what]) => what)).toEqual(['topUpByTransfer'])
  })
})

function flat(gas: Gas): { contract: string; what: string; gas: number }[] {
  return Object.entries(gas).flatMap(([contract, figures]) =>
    Object.entries(figures).map(([what, units]) => ({ contract, what, gas: units })),
  )
}

function names(gas: Gas): string[] {
  return flat(gas).map(({ contract, what }) => `${contract}.${what}`)
}
