import type { Hex } from 'viem'
import { expect, it, onTestFinished } from 'vitest'
import { keccak256, recoverAddress, sign } from './secp256k1.ts'
import { createRecovery, type Signer } from './recovery.ts'

const key = `0x${'42'.repeat(32)}` as const

/** Every fifth is not of this key, every seventh no signature at all. */
const questions = Array.from({ length: 500 }, (_, index) => {
  const digest = keccak256(Buffer.from(`message ${index}`))
  const signed = sign(digest, index % 5 === 0 ? `0x${'43'.repeat(32)}` : key)
  const signature: Hex = index % 7 === 0 ? `0x${signed.slice(2, -2)}1d` : signed
  return { digest, signature }
})
const expected = questions.map(({ digest, signature }) => recoverAddress(digest, signature))

const all = (asked: readonly (Signer | Promise<Signer>)[]) => Promise.all(asked.map(async (one) => one))

function open(threads: number, isWorth = () => true) {
  const recovery = createRecovery(threads, isWorth)
  onTestFinished(() => recovery.stop())
  return recovery
}

it.each([1, 3])('answers with %d threads what one alone answers', async (threads) => {
  const { recover } = open(threads)
  for (let round = 0; round < 3; round++) {
    const asked = questions.map(({ digest, signature }) => recover(digest, signature))
    expect(asked[0]).toBeInstanceOf(Promise)
    expect(await all(asked)).toEqual(expected)
  }
})

it('answers at once where threads would not help', () => {
  const [one] = questions
  expect(open(3, () => false).recover(one!.digest, one!.signature)).toBe(expected[0])
  expect(open(0).recover(one!.digest, one!.signature)).toBe(expected[0])
})

it('answers a few without a thread', async () => {
  const { recover } = open(1)
  const few = questions.slice(0, 3)
  expect(await all(few.map(({ digest, signature }) => recover(digest, signature)))).toEqual(expected.slice(0, 3))
})

it('answers what its threads were asked when they are stopped', async () => {
  const { recover, stop } = open(2)
  const asked = questions.map(({ digest, signature }) => recover(digest, signature))
  await new Promise((resolve) => setImmediate(resolve))
  stop()
  expect(await all(asked)).toEqual(expected)
  expect(recover(questions[1]!.digest, questions[1]!.signature)).toBe(expected[1])
})
