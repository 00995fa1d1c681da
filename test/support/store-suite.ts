/**
 * What every store must keep to, one test per promise of `src/store/store.ts`.
 *
 * For authors of stores: call {@link storeSuite} in a vitest file. `open` makes an empty store each time.
 */
import { describe, expect, it } from 'vitest'
import type { Channel, ChannelKey } from '../../src/channel/channel.ts'
import { begin, channelOf, listed, plusOne, type Opened } from './store-fixtures.ts'
import { closeTests, durabilityTests, recordTests } from './store-suite-records.ts'

export function storeSuite(name: string, open: () => Promise<Opened>): void {
  describe(name, () => {
    channelTests(open)
    recordTests(open)
    closeTests(open)
    durabilityTests(open)
  })
}

function channelTests(open: () => Promise<Opened>): void {
  const [{ key }, { key: other }] = [channelOf(1), channelOf(2)]

  it('knows no channel that it was not given', async () => {
    const { store } = await begin(open)
    expect(await store.get(key)).toBeUndefined()
    expect(await listed(store)).toEqual([])
  })

  it('returns, gets and lists the channel that a change returned', async () => {
    const { store } = await begin(open)
    const channel = channelOf(1, {
      voucher: { cumulativeAmount: 5n, signature: '0xabcd' },
      withdrawableAt: { time: 9n },
    })
    expect(await store.update(key, () => channel)).toEqual(channel)
    expect(await store.get(key)).toEqual(channel)
    expect(await listed(store)).toEqual([channel])
  })

  it('loses none of a hundred parallel updates of one channel', async () => {
    const { store } = await begin(open)
    const results = await Promise.all(Array.from({ length: 100 }, () => store.update(key, plusOne(1))))
    expect(new Set(results.map(({ charged }) => charged)).size).toBe(100)
    expect(await store.get(key)).toMatchObject({ charged: 100n })
  })

  it('lets one of many parallel requests with the same voucher succeed', async () => {
    const { store } = await begin(open)
    await store.update(key, () => channelOf(1))
    const claim = (current: Channel | undefined) => {
      if (current?.charged !== 0n) throw new Error('charged already')
      return { ...current, charged: 10n }
    }
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => store.update(key, claim)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await store.get(key)).toMatchObject({ charged: 10n })
  })

  it('rethrows the very error of a change and writes nothing', async () => {
    const { store } = await begin(open)
    await store.update(key, () => channelOf(1))
    const error = new Error('no')
    const refuse = () => {
      throw error
    }
    for (const call of [
      store.update(key, refuse),
      store.update(other, refuse),
      store.updateWithRecord(key, 'once:a', refuse),
      store.writeRecord('once:a', refuse),
    ]) {
      await expect(call).rejects.toBe(error)
    }
    expect(await listed(store)).toEqual([channelOf(1)])
    expect(await store.readRecord('once:a')).toBeUndefined()
  })

  it('keeps channels apart', async () => {
    const { store } = await begin(open)
    await Promise.all(
      Array.from({ length: 60 }, (_, index) => store.update(channelOf(index % 3).key, plusOne(index % 3))),
    )
    const charges = (await listed(store)).map(({ key, charged }) => [key, charged])
    expect(new Map(charges as [ChannelKey, bigint][])).toEqual(
      new Map([0, 1, 2].map((number) => [channelOf(number).key, 20n])),
    )
  })

  it('refuses a change that returns another channel, and one with terms that JSON cannot hold', async () => {
    const { store } = await begin(open)
    await expect(store.update(key, () => channelOf(2))).rejects.toThrow(TypeError)
    await expect(store.update(key, () => channelOf(1, { terms: { salt: [7n] } }))).rejects.toThrow(
      'terms.salt[0] is a bigint',
    )
    expect(await listed(store)).toEqual([])
  })

  it('keeps what it was given, whatever happens to that object or to its answers', async () => {
    const { store, reopened } = await begin(open)
    const fields = () => ({ terms: { salt: ['0x01'] }, voucher: { cumulativeAmount: 5n, signature: '0xab' } as const })
    const given = channelOf(1, fields())
    for (const object of [await store.update(key, () => given), await store.get(key), given]) spoil(object)
    expect(await store.get(key)).toEqual(channelOf(1, fields()))
    const again = (await reopened()) ?? store
    spoil(await again.get(key))
    expect(await again.get(key)).toEqual(channelOf(1, fields()))
  })

  it('lists those that are closing, and those that are not settled', async () => {
    const { store } = await begin(open)
    const voucher = { cumulativeAmount: 5n, signature: '0x' } as const
    const kinds = [
      {},
      { voucher },
      { voucher, settled: 5n },
      { voucher, status: 'closing' },
      { voucher, status: 'closed' },
    ] as const
    for (const [number, fields] of kinds.entries())
      await store.update(channelOf(number).key, () => channelOf(number, fields))
    const listedOf = async (kind: 'closing' | 'unsettled') => {
      const ids: string[] = []
      for await (const { id } of store.list(kind)) ids.push(id)
      return ids
    }
    expect(await listedOf('closing')).toEqual([channelOf(3).id])
    expect((await listedOf('unsettled')).sort()).toEqual([channelOf(1).id, channelOf(3).id])
    await store.update(channelOf(3).key, (now) => ({ ...now!, status: 'closed' }))
    expect([await listedOf('closing'), await listedOf('unsettled')]).toEqual([[], [channelOf(1).id]])
  })

  it('lists every channel once while channels are updated', async () => {
    const { store } = await begin(open)
    await Promise.all(
      Array.from({ length: 1_200 }, (_, number) => store.update(channelOf(number).key, plusOne(number))),
    )
    const seen: ChannelKey[] = []
    for await (const channel of store.list()) {
      if (seen.push(channel.key) % 100 === 0) await store.update(channel.key, plusOne(0))
    }
    expect(seen).toHaveLength(1_200)
    expect(new Set(seen).size).toBe(1_200)
  })
}

/** Overwrites whatever can be overwritten. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of Object.keys(value)) {
    spoil(Reflect.get(value, name))
    Reflect.set(value, name, 'spoiled')
  }
}
