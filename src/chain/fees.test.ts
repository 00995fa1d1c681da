import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FeeTooHighError } from './errors.ts'
import { priced, raised } from './fees.ts'

const wei = fc.bigInt(0n, 10n ** 13n)

it('offers enough for the base fee to double, the customary tip, and no more than is allowed', () => {
  expect(priced({ base: 100n, tip: 7n }, 1_000n)).toEqual({ maxFeePerGas: 207n, maxPriorityFeePerGas: 7n })
  expect(priced({ base: 100n, tip: 7n }, 150n)).toEqual({ maxFeePerGas: 150n, maxPriorityFeePerGas: 7n })
  expect(priced({ base: 100n, tip: 700n }, 150n)).toEqual({ maxFeePerGas: 150n, maxPriorityFeePerGas: 150n })
  expect(() => priced({ base: 151n, tip: 7n }, 150n)).toThrow(FeeTooHighError)
})

it('raises both fees by an eighth at least, to what is asked now, within what is allowed', () => {
  const price = { maxFeePerGas: 800n, maxPriorityFeePerGas: 80n }
  expect(raised(price, { base: 1n, tip: 1n }, 10_000n)).toEqual({ maxFeePerGas: 901n, maxPriorityFeePerGas: 91n })
  expect(raised(price, { base: 1_000n, tip: 200n }, 10_000n)).toEqual({
    maxFeePerGas: 2_200n,
    maxPriorityFeePerGas: 200n,
  })
  expect(raised(price, { base: 1_000n, tip: 200n }, 1_500n)).toEqual({
    maxFeePerGas: 1_500n,
    maxPriorityFeePerGas: 200n,
  })
  expect(raised(price, { base: 1n, tip: 1n }, 900n)).toBeUndefined()
})

it('never offers what a node would refuse', () => {
  fc.assert(
    fc.property(wei, wei, wei, wei, fc.bigInt(1n, 10n ** 13n), (base, tip, max, priority, cap) => {
      const price = { maxFeePerGas: max > priority ? max : priority, maxPriorityFeePerGas: priority }
      const next = raised(price, { base, tip }, cap)
      if (!next) return
      expect(next.maxFeePerGas).toBeLessThanOrEqual(cap)
      expect(next.maxPriorityFeePerGas).toBeLessThanOrEqual(next.maxFeePerGas)
      expect(next.maxFeePerGas * 10n).toBeGreaterThan(price.maxFeePerGas * 11n)
      expect(next.maxPriorityFeePerGas * 10n).toBeGreaterThan(price.maxPriorityFeePerGas * 11n)
    }),
  )
})
