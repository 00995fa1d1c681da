import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '../base/faults.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { channelOf, plusOne } from '../../test/support/store-fixtures.ts'
import { groupCommit, type Batch } from './commit.ts'

const [first, second] = [channelOf(1).key, channelOf(2).key]
const full = new Error('no space left on device')

/** A disk that takes as long as the test likes: each batch waits for `finish()`, which makes it durable, or `fail()`. */
function slowDisk() {
  const channels = new Map<ChannelKey, Channel>()
  const records = new Map<string, string | undefined>()
  const batches: Batch[] = []
  let settle: { finish: () => void; fail: (error: Error) => void } | undefined

  const commits = groupCommit({
    readChannel: (key) => channels.get(key),
    readRecord: (name) => records.get(name),
    write(batch) {
      if (settle) throw new Error('two writes at once')
      batches.push({ channels: new Map(batch.channels), records: new Map(batch.records) })
      return new Promise<void>((resolve, reject) => (settle = { finish: resolve, fail: reject }))
    },
  })

  /** Waits until a batch is there, then ends its writing. */
  async function end(error?: Error): Promise<void> {
    while (!settle) await turn()
    const { finish, fail } = settle
    settle = undefined
    if (error) {
      fail(error)
      return
    }
    const batch = batches.at(-1)!
    for (const [key, channel] of batch.channels) channels.set(key, channel)
    for (const [name, value] of batch.records) records.set(name, value)
    finish()
  }

  return { commits, batches, channels, records, finish: () => end(), fail: () => end(full) }
}

const charged = (batch: Batch | undefined) => [...(batch?.channels.values() ?? [])].map((channel) => channel.charged)

/** What has become of a promise so far. */
function watch(promise: Promise<unknown>) {
  const watched: { state: 'pending' | 'fulfilled' | 'rejected'; reason?: unknown } = { state: 'pending' }
  promise.then(
    () => (watched.state = 'fulfilled'),
    (reason: unknown) => Object.assign(watched, { state: 'rejected', reason }),
  )
  return watched
}

describe('groupCommit', () => {
  it('writes what one turn brings in one batch, each channel once with its last value', async () => {
    const { commits, batches, finish } = slowDisk()
    const updates = Array.from({ length: 50 }, () => commits.update(first, plusOne(1)))
    updates.push(commits.updateWithRecord(second, 'once:a', () => ({ channel: channelOf(2), record: 'x' })))
    await finish()
    expect((await Promise.all(updates)).map((channel) => channel.charged)).toEqual([
      ...Array.from({ length: 50 }, (_, index) => BigInt(index + 1)),
      0n,
    ])
    expect(batches).toHaveLength(1)
    expect(charged(batches[0])).toEqual([50n, 0n])
    expect([...batches[0]!.records]).toEqual([['once:a', 'x']])
  })

  it('collects what arrives while a batch is written into the next', async () => {
    const { commits, batches, finish } = slowDisk()
    const before = watch(commits.update(first, plusOne(1)))
    while (batches.length === 0) await turn()
    const meanwhile = watch(Promise.all([commits.update(first, plusOne(1)), commits.update(second, plusOne(2))]))
    await turn()
    expect([before.state, meanwhile.state, batches.length]).toEqual(['pending', 'pending', 1])
    await finish()
    await turn()
    expect([before.state, meanwhile.state]).toEqual(['fulfilled', 'pending'])
    await finish()
    await turn()
    expect(meanwhile.state).toBe('fulfilled')
    expect(batches.map(charged)).toEqual([[1n], [2n, 1n]])
  })

  it('rejects every change of a batch that fails, with the cause, and starts again from the disk', async () => {
    const { commits, channels, finish, fail } = slowDisk()
    const durable = commits.update(first, plusOne(1))
    await finish()
    await durable
    const updates = [1, 2, 1].map((number) => watch(commits.update(channelOf(number).key, plusOne(number))))
    const record = watch(commits.writeRecord('a:b', () => 'c'))
    await fail()
    await turn()
    for (const { state, reason } of [...updates, record]) {
      expect(state).toBe('rejected')
      expect(reason).toBeInstanceOf(StoreUnavailableError)
      expect(reason).toMatchObject({ cause: full })
    }
    const again = commits.updateWithRecord(first, 'a:b', (current, filed) => ({
      channel: plusOne(1)(current),
      record: `after ${filed}`,
    }))
    await finish()
    expect(await again).toMatchObject({ charged: 2n })
    expect(channels.get(second)).toBeUndefined()
  })

  it('rejects what was collected behind a batch that fails', async () => {
    const { commits, batches, channels, fail, finish } = slowDisk()
    const lost = watch(commits.update(first, plusOne(1)))
    while (batches.length === 0) await turn()
    const behind = watch(commits.update(first, plusOne(1)))
    await fail()
    await turn()
    expect([lost.state, behind.state]).toEqual(['rejected', 'rejected'])
    const later = commits.update(first, plusOne(1))
    await finish()
    expect(await later).toMatchObject({ charged: 1n })
    expect(channels.get(first)).toMatchObject({ charged: 1n })
  })

  it('keeps a StoreUnavailableError of the disk as it is', async () => {
    const error = new StoreUnavailableError('The disk is full.')
    const commits = groupCommit({
      readChannel: () => undefined,
      readRecord: () => undefined,
      write() {
        throw error
      },
    })
    await expect(commits.update(first, plusOne(1))).rejects.toBe(error)
  })

  describe.each([
    { what: 'a change that throws', change: () => refuse(), told: 'rejected' },
    { what: 'a change that changes nothing', change: (current: Channel | undefined) => current!, told: 'fulfilled' },
  ])('$what', ({ change, told }) => {
    it('is told at once when what it saw is durable', async () => {
      const { commits, finish } = slowDisk()
      const durable = commits.update(first, plusOne(1))
      await finish()
      await durable
      const outcome = watch(commits.update(first, change))
      await Promise.resolve()
      await turn()
      expect(outcome.state).toBe(told)
    })

    it.each(['collected', 'written'])('waits for what it saw while that is %s', async (where) => {
      const { commits, batches, finish } = slowDisk()
      const base = commits.update(first, plusOne(1))
      if (where === 'written') while (batches.length === 0) await turn()
      const outcome = watch(commits.update(first, change))
      await turn()
      expect(outcome.state).toBe('pending')
      await finish()
      await base
      await turn()
      expect(outcome.state).toBe(told)
      expect(batches).toHaveLength(1)
    })

    it.each(['collected', 'written'])('fails with what it saw while that was %s', async (where) => {
      const { commits, batches, fail } = slowDisk()
      const base = watch(commits.update(first, plusOne(1)))
      if (where === 'written') while (batches.length === 0) await turn()
      const outcome = watch(commits.update(first, change))
      await fail()
      await turn()
      expect(base.state).toBe('rejected')
      expect(outcome.reason).toBeInstanceOf(StoreUnavailableError)
    })
  })

  it('sees a record that is on its way, and its removal', async () => {
    const { commits, records, finish } = slowDisk()
    const seen: unknown[] = []
    const note = (value: string | undefined) => (current: string | undefined) => {
      seen.push(current)
      return value
    }
    const before = commits.writeRecord('a:b', note('x'))
    await finish()
    await before
    const writes = [note(undefined), note('y'), note('z')].map((change) => commits.writeRecord('a:b', change))
    await finish()
    await Promise.all(writes)
    expect(seen).toEqual([undefined, 'x', undefined, 'y'])
    expect(records.get('a:b')).toBe('z')
  })
})

const refusal = new Error('no')
function refuse(): never {
  throw refusal
}
