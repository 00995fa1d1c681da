import { describe, expect, it } from 'vitest'
import type { Channel } from '../channel/channel.ts'
import { affordable } from './policy.ts'
import { checkPolicy, lastTime } from './settle-policy.ts'

const at = (text: string) => Date.parse(`${text}:00Z`)

describe('a schedule', () => {
  it.each([
    [['03:00'], '2026-11-23T03:00', '2026-11-23T03:00'],
    [['03:00'], '2026-11-23T02:59', '2026-11-22T03:00'],
    [['03:00', '15:30'], '2026-11-23T15:29', '2026-11-23T03:00'],
    [['15:30', '03:00'], '2026-11-23T23:59', '2026-11-23T15:30'],
    [['23:59'], '2027-01-01T00:00', '2026-12-31T23:59'],
    [['00:00'], '2026-11-23T00:00', '2026-11-23T00:00'],
  ])('%j was due last before %s at %s', (times, now, expected) => {
    expect(new Date(lastTime(times, at(now) + 42_000)).toISOString()).toBe(new Date(at(expected)).toISOString())
  })
})

describe('a policy', () => {
  const coinPrice = () => 1n
  it.each([
    [{ amount: 0n }, /settle\.amount: must be more than 0/],
    [{ amount: -1n }, /settle\.amount/],
    [{ ageMs: 0 }, /settle\.ageMs/],
    [{ ageMs: Number.NaN }, /settle\.ageMs/],
    [{ at: ['3:00'] }, /settle\.at: "3:00" is no time of a day/],
    [{ at: ['24:00'] }, /settle\.at/],
    [{ gas: { share: 0, coinPrice } }, /settle\.gas\.share: is 0/],
    [{ gas: { share: 1.5, coinPrice } }, /settle\.gas\.share: is 1\.5/],
  ])('is refused: %o', (policy, message) => expect(() => checkPolicy(policy)).toThrow(message))

  it('may have all its rules', () => {
    expect(() => checkPolicy({ amount: 1n, ageMs: 1, at: ['00:00'], gas: { share: 1, coinPrice } })).not.toThrow()
  })
})

describe('what gas costs, against what it brings', () => {
  const earned = (amount: bigint) =>
    ({ voucher: { cumulativeAmount: amount, signature: '0x' }, settled: 0n, charged: 0n }) as unknown as Channel
  const chosen = (amounts: bigint[], cost: { fixed: bigint; each: bigint }, share: number) =>
    affordable(amounts.map(earned), cost, share).map(({ voucher }) => voucher?.cumulativeAmount)

  it.each([
    ['all that bear their own', [100n, 200n, 50n], { fixed: 1n, each: 1n }, 0.01, [100n, 200n]],
    ['none, if together they do not bear the transaction', [100n, 200n], { fixed: 2n, each: 1n }, 0.01, []],
    ['more of them, once they do', [100n, 200n, 100n], { fixed: 1n, each: 1n }, 0.01, [100n, 200n, 100n]],
    ['at most as much gas as there is to take', [5n, 6n], { fixed: 0n, each: 6n }, 1, [6n]],
    ['all, where gas is free', [1n], { fixed: 0n, each: 0n }, 0.000001, [1n]],
  ])('settles %s', (_what, amounts, cost, share, expected) => {
    expect(chosen(amounts, cost, share)).toEqual(expected)
  })

  it('is exact where a fraction of a number is not', () => {
    const huge = 10n ** 30n
    expect(chosen([huge], { fixed: 0n, each: huge / 50n }, 0.02)).toEqual([huge])
    expect(chosen([huge], { fixed: 0n, each: huge / 50n + 1n }, 0.02)).toEqual([])
  })
})
