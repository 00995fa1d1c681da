/** The promises about records, about closing, and about what is there after reopening. Part of `store-suite.ts`. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Channel, ChannelKey } from '../../src/channel/channel.ts'
import {
  anyChannel,
  anyText,
  begin,
  channelOf,
  listed,
  nextMillisecond,
  plusOne,
  type Opened,
} from './store-fixtures.ts'

export function recordTests(open: () => Promise<Opened>): void {
  const { key } = channelOf(1)
  const append = (text: string) => (current: string | undefined) => `${current ?? ''}${text}`

  it('files a channel and a record together', async () => {
    const { store } = await begin(open)
    const seen: unknown[] = []
    const charge = (current: Channel | undefined, record: string | undefined) => {
      seen.push(record)
      const channel = plusOne(1)(current)
      return { channel, record: `${channel.charged}` }
    }
    const results = await Promise.all([1, 2, 3].map(() => store.updateWithRecord(key, 'once:a', charge)))
    expect(results.map(({ charged }) => charged)).toEqual([1n, 2n, 3n])
    expect(seen).toEqual([undefined, '1', '2'])
    expect([(await store.get(key))?.charged, await store.readRecord('once:a')]).toEqual([3n, '3'])
  })

  it('files neither the channel nor the record when one of them cannot be kept', async () => {
    const { store } = await begin(open)
    const change = () => ({ channel: channelOf(1, { terms: () => 1 }), record: 'kept' })
    await expect(store.updateWithRecord(key, 'once:a', change)).rejects.toThrow(TypeError)
    expect([await store.get(key), await store.readRecord('once:a')]).toEqual([undefined, undefined])
  })

  it('reads, replaces and removes records one change after the other', async () => {
    const { store } = await begin(open)
    expect(await store.readRecord('cursor:1')).toBeUndefined()
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => store.writeRecord('cursor:1', append(letter))))
    expect(await store.readRecord('cursor:1')).toBe('abcdef')
    await store.writeRecord('cursor:1', () => undefined)
    await store.writeRecord('cursor:2', () => undefined)
    expect(await store.readRecord('cursor:1')).toBeUndefined()
  })

  it('expires records by the start of their name and by when they were last written', async () => {
    const { store } = await begin(open)
    for (const name of ['once:old', 'once:rewritten', 'once', 'Once:old', 'once%old', 'other:old'])
      await store.writeRecord(name, () => name)
    const afterwards = await nextMillisecond()
    for (const name of ['once:rewritten', 'once:new']) await store.writeRecord(name, () => name)
    expect(await store.expireRecords('once:', afterwards)).toBe(1)
    expect(await store.expireRecords('once:', afterwards)).toBe(0)
    expect(await store.readRecord('once:old')).toBeUndefined()
    for (const name of ['once:rewritten', 'once:new', 'once', 'Once:old', 'once%old', 'other:old']) {
      expect(await store.readRecord(name)).toBe(name)
    }
  })

  it('expires any number of records', async () => {
    const { store } = await begin(open)
    await Promise.all(Array.from({ length: 1_300 }, (_, index) => store.writeRecord(`once:${index}`, () => '')))
    expect(await store.expireRecords('once:', Number.POSITIVE_INFINITY)).toBe(1_300)
  })
}

export function closeTests(open: () => Promise<Opened>): void {
  const { key } = channelOf(1)

  it('keeps what was asked before it was closed', async () => {
    const { store, reopened } = await begin(open)
    let settled = false
    const updates = Promise.all([store.update(key, plusOne(1)), store.writeRecord('a:b', () => 'c')]).then(
      () => (settled = true),
    )
    await store.close()
    expect(settled).toBe(true)
    await updates
    const again = await reopened()
    if (again) expect([(await again.get(key))?.charged, await again.readRecord('a:b')]).toEqual([1n, 'c'])
  })

  it('rejects every call after it was closed, and closes twice as once', async () => {
    const { store } = await begin(open)
    await store.update(key, plusOne(1))
    const iterator = store.list()[Symbol.asyncIterator]()
    await iterator.next()
    await Promise.all([store.close(), store.close()])
    await store.close()
    const calls = [
      store.get(key),
      listed(store),
      iterator.next(),
      store.update(key, plusOne(1)),
      store.updateWithRecord(key, 'a:b', () => ({ channel: channelOf(1), record: '' })),
      store.readRecord('a:b'),
      store.writeRecord('a:b', () => ''),
      store.expireRecords('a:', 1),
    ]
    for (const call of calls) await expect(call).rejects.toThrow('closed')
  })
}

export function durabilityTests(open: () => Promise<Opened>): void {
  it('gives back amounts to the unit after it was reopened', async () => {
    const { store, reopened } = await begin(open)
    const most = 2n ** 128n - 1n
    const odd = 2n ** 64n + 1n
    const channel = channelOf(1, {
      deposit: most,
      settled: odd,
      charged: most,
      block: odd,
      withdrawableAt: { block: odd },
      voucher: { cumulativeAmount: most, signature: '0x' },
    })
    await store.update(channel.key, () => channel)
    expect(await ((await reopened()) ?? store).get(channel.key)).toEqual(channel)
  })

  it('gives back any channel and any record as they were after it was reopened', async () => {
    const opened = await begin(open)
    let { store } = opened
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyChannel, { minLength: 1, maxLength: 8 }),
        fc.dictionary(anyText, anyText),
        async (channels, records) => {
          const last = new Map(channels.map((channel) => [channel.key, channel]))
          const returned = new Map<ChannelKey, Channel>()
          for (const channel of channels) returned.set(channel.key, await store.update(channel.key, () => channel))
          for (const [name, value] of Object.entries(records)) await store.writeRecord(name, () => value)
          store = (await opened.reopened()) ?? store
          for (const [key, channel] of last) {
            expect(await store.get(key)).toEqual(channel)
            expect(await store.get(key)).toStrictEqual(returned.get(key))
          }
          for (const [name, value] of Object.entries(records)) expect(await store.readRecord(name)).toBe(value)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('gives back a channel after any of its members changed', async () => {
    const opened = await begin(open)
    let { store } = opened
    const change = fc.tuple(anyChannel, fc.uniqueArray(fc.constantFrom(...changing), { minLength: 1, maxLength: 2 }))
    await fc.assert(
      fc.asyncProperty(anyChannel, fc.array(change, { minLength: 4, maxLength: 8 }), async (first, changes) => {
        let expected = await store.update(first.key, () => first)
        for (const [other, names] of changes) {
          const changed = Object.fromEntries(
            Object.entries({ ...expected, ...other }).flatMap(([name, value]) => {
              if (!names.some((one) => one === name))
                return name in expected ? [[name, Reflect.get(expected, name)]] : []
              return name in other ? [[name, value]] : []
            }),
          ) as Channel
          expected = await store.update(first.key, () => changed)
          expect(expected).toEqual(changed)
        }
        store = (await opened.reopened()) ?? store
        expect(await store.get(first.key)).toStrictEqual(expected)
      }),
      { numRuns: 40 },
    )
  })
}

/** What may change while a channel lives. */
const changing = [
  'signer',
  'terms',
  'status',
  'deposit',
  'settled',
  'block',
  'logIndex',
  'withdrawableAt',
  'closeStated',
  'closeAgreed',
  'caughtUp',
  'voucher',
  'charged',
] as const satisfies readonly (keyof Channel)[]
