/** Gas is money. What transactions cost is measured on a node and held to the committed snapshot. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Gas } from '../bin/gas.measure.mts'
import { original } from '../bin/gas.raiden.mts'
import { tableBelow } from './architecture/pages.ts'

const SLACK = 1.01

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Gas
const snapshot = read('contracts/snapshots/node.json')

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
    const { settlePerChannelIn50, ...rest } = measured['ChannelEscrow']!
    expect(settlePerChannelIn50).toBeGreaterThan(0)
    const figures = [...Object.values(rest), ...Object.values(measured['RaidenChannels']!)]
    expect(figures.filter((gas) => !Number.isInteger(gas) || gas <= 21_000)).toEqual([])
  })

  it('finds nothing dearer than in the snapshot', () => {
    const dearer = flat(measured).filter(({ contract, what, gas }) => gas > SLACK * (snapshot[contract]?.[what] ?? 0))
    const told = dearer.map(
      ({ contract, what, gas }) => `${what} of ${contract} rose from ${snapshot[contract]?.[what]} to ${gas}`,
    )
    expect(told, 'If it has to cost that: npm run gas -- --write, and commit what that writes.').toEqual([])
  })

  it('finds every function of RaidenChannels cheaper than the original', () => {
    const dearer = Object.entries(original).filter(([what, gas]) => !(measured['RaidenChannels']![what]! < gas))
    expect(dearer).toEqual([])
    expect(Object.keys(original)).toEqual(Object.keys(measured['RaidenChannels']!))
  })
})

describe('the reference', () => {
  it.each([
    ['contract.md', 'Gas on a node', 'ChannelEscrow', {}],
    ['raiden-channels.md', 'Gas', 'RaidenChannels', original],
  ])('%s has the figures of the snapshot', (page, heading, contract, others) => {
    const rows = tableBelow(`docs/reference/${page}`, heading).map((row) =>
      row.map((cell) => cell.replace(/[`,]/g, '')),
    )
    const expected = Object.entries(snapshot[contract]!).map(([what, gas]) =>
      [what, gas, (others as Record<string, number>)[what] ?? []].flat().map(String),
    )
    expect(rows).toEqual(expected)
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
