import { expect, it } from 'vitest'
import { channelKey, type ChannelKey } from '../channel/channel.ts'
import { isAside, noteOutcomes, type Aside } from './aside.ts'

const [one, other] = ['11', '22'].map((byte) => channelKey(1, `0x${byte.repeat(20)}`, `0x${byte.repeat(32)}`)) as [
  ChannelKey,
  ChannelKey,
]

it('waits twice as long after each failure, ten minutes at most, and forgets it all after a success', () => {
  const live = { aside: new Map<ChannelKey, Aside>() }
  const waits: number[] = []
  for (let nowMs = 0, failure = 0; failure < 12; failure += 1) {
    noteOutcomes(live, [{ channel: one, ok: false }], nowMs)
    const { untilMs } = live.aside.get(one)!
    expect([isAside(live, one, untilMs - 1), isAside(live, one, untilMs)]).toEqual([true, false])
    waits.push(untilMs - nowMs)
    nowMs = untilMs
  }
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(waits.slice(-2)).toEqual([600_000, 600_000])
  expect(isAside(live, other, 0)).toBe(false)
  noteOutcomes(live, [{ channel: one, ok: true }])
  expect(live.aside.size).toBe(0)
})
