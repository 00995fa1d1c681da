import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createShelf } from './shelf.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 0 }))
afterEach(() => void vi.useRealTimers())

it('has room for so many bytes, and again when their time is over', () => {
  const shelf = createShelf({ answerMs: 6_400, answersBytes: 10 })
  expect([shelf.take(6), shelf.take(5), shelf.take(4), shelf.take(1)]).toEqual([true, false, true, false])
  vi.setSystemTime(6_399)
  expect(shelf.take(1)).toBe(false)
  vi.setSystemTime(6_500)
  expect([shelf.take(10), shelf.take(1)]).toEqual([true, false])
})

it('gives room back in the order in which it was taken', () => {
  const shelf = createShelf({ answerMs: 6_400, answersBytes: 10 })
  for (let at = 0; at < 1_000; at += 100) {
    vi.setSystemTime(at)
    expect(shelf.take(1)).toBe(true)
  }
  vi.setSystemTime(6_850)
  expect([1, 2, 3, 4, 5].map(() => shelf.take(1))).toEqual([true, true, true, true, false])
})
