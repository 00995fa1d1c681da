import fc from 'fast-check'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { StoreUnavailableError } from '../base/faults.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { channelOf, plusOne } from '../../test/support/store-fixtures.ts'
import { groupCommit } from './commit.ts'

const full = new Error('no space left on device')
const refusal = new Error('no')

type Step = {
  readonly number: number
  readonly kind: 'update' | 'with record' | 'throw' | 'nothing'
  readonly turns: number
}

it('keeps exactly the changes that it said were kept, and tells nothing that can still vanish', async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    number: fc.constantFrom(1, 2, 3),
    kind: fc.constantFrom('update', 'with record', 'throw', 'nothing'),
    turns: fc.constantFrom(0, 0, 0, 1, 3),
  })
  const luck = fc.infiniteStream(fc.constantFrom('kept', 'kept', 'lost'))
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), luck, runSteps), { numRuns: 200 })
})

async function runSteps(steps: readonly Step[], luck: Iterator<string>): Promise<void> {
  const channels = new Map<ChannelKey, Channel>()
  const records = new Map<string, string | undefined>()
  const commits = groupCommit({
    readChannel: (key) => channels.get(key),
    readRecord: (name) => records.get(name),
    async write(batch) {
      await turn()
      if (luck.next().value === 'lost') throw full
      for (const [key, channel] of batch.channels) channels.set(key, channel)
      for (const [name, value] of batch.records) records.set(name, value)
    },
  })
  const durable = (number: number) => channels.get(channelOf(number).key)?.charged ?? 0n
  const kept = [0n, 0n, 0n, 0n]

  async function take({ number, kind }: Step): Promise<void> {
    const { key } = channelOf(number)
    let seen = 0n
    const change = (current: Channel | undefined) => {
      seen = current?.charged ?? 0n
      if (kind === 'throw') throw refusal
      return kind === 'nothing' && current ? current : plusOne(number)(current)
    }
    const filed = (current: Channel | undefined) => ({ channel: change(current), record: `${seen + 1n}` })
    try {
      const { charged } = await (kind === 'with record'
        ? commits.updateWithRecord(key, `count:${number}`, filed)
        : commits.update(key, change))
      expect(durable(number)).toBeGreaterThanOrEqual(charged)
      kept[number]! += charged - seen
    } catch (error) {
      if (error === refusal) expect(durable(number)).toBeGreaterThanOrEqual(seen)
      else expect(error).toBeInstanceOf(StoreUnavailableError)
    }
  }

  const taken: Promise<void>[] = []
  for (const step of steps) {
    taken.push(take(step))
    for (let waited = 0; waited < step.turns; waited++) await turn()
  }
  await Promise.all(taken)
  for (const number of [1, 2, 3]) {
    expect(durable(number)).toBe(kept[number])
    expect(BigInt(records.get(`count:${number}`) ?? 0)).toBeLessThanOrEqual(durable(number))
  }
}
