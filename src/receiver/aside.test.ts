import { expect, it } from 'vitest'
import { channelKey, type ChannelKey } from '../channel/channel.ts'
import { isAside, setAside, type Aside } from './aside.ts'

const [one, other] = ['11', '22'].map((byte) => channelKey(1, `0x${byte.repeat(20)}`, `0x${byte.repeat(32)}`)) as [
  ChannelKey,
  ChannelKey,
]

it('waits twice as long after each failure, ten minutes at most, and knows since when', () => {
  const live = { aside: new Map<ChannelKey, Aside>() }
  const waits: number[] = []
  for (let nowMs = 7, failure = 0; failure < 12; failure += 1) {
    const { untilMs, sinceMs } = setAside(live, one, nowMs)
    expect([isAside(live, one, untilMs - 1), isAside(live, one, untilMs)]).toEqual([true, false])
    expect(sinceMs).toBe(7)
    waits.push(untilMs - nowMs)
    nowMs = untilMs
  }
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(waits.slice(-2)).toEqual([600_000, 600_000])
  expect(isAside(live, other, 0)).toBe(false)
})
