import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { channelKey, type Channel, type ChannelKey } from '../channel/channel.ts'
import { memory } from '../store/memory.ts'
import { createExposure, type Caps } from './exposure.ts'

const hex = (number: number, bytes: number) => `0x${number.toString(16).padStart(2 * bytes, '0')}` as const

/** Channel `n` belongs to sender `n % 3`, and holds token `n % 2`. */
function channelOf(n: number): Channel {
  const escrow = hex(0xe5, 20)
  return {
    key: channelKey(1, escrow, hex(n, 32)),
    id: hex(n, 32),
    chainId: 1,
    escrow,
    sender: hex(0xa0 + (n % 3), 20),
    receiver: hex(0xbb, 20),
    token: hex(0xc0 + (n % 2), 20),
    signer: hex(0xa0 + (n % 3), 20),
    terms: {},
    status: 'open',
    deposit: 1_000n,
    settled: 0n,
    charged: 0n,
    voucher: { cumulativeAmount: 1_000n, signature: '0x' },
    block: 1n,
  }
}

const keyOf = (n: number) => channelOf(n).key
const charge = (by: bigint) => (now: Channel | undefined) => ({ ...now!, charged: now!.charged + by })

async function shop(caps: Caps, channels = 6) {
  const kept = memory()
  for (let n = 0; n < channels; n += 1) await kept.update(keyOf(n), () => channelOf(n))
  return { kept, ...createExposure(kept, caps) }
}

describe('a cap', () => {
  it.each([
    ['one channel', { channel: 10n }, [0, 0], 0],
    ['one sender, whatever its channels', { sender: 10n }, [0, 6], 0],
    ['all of them', { total: 10n }, [0, 2], 4],
  ])('bounds what is at risk on %s', async (_what, caps, [first = 0, second = 0], third) => {
    const { store } = await shop(caps, 7)
    await store.update(keyOf(first), charge(6n))
    await store.update(keyOf(second), charge(4n))
    await expect(store.update(keyOf(third), charge(1n))).rejects.toMatchObject({
      code: 'receiver-unavailable',
      details: { reason: 'exposure' },
    })
    // Another token is counted alone.
    await store.update(keyOf(1), charge(10n))
  })

  it('has room again for what was settled, given back or closed', async () => {
    const { store } = await shop({ total: 10n })
    await store.update(keyOf(0), charge(10n))
    await store.update(keyOf(0), (now) => ({ ...now!, settled: 4n }))
    await store.update(keyOf(2), charge(4n))
    await store.update(keyOf(2), charge(-4n))
    await store.update(keyOf(4), charge(4n))
    await store.update(keyOf(0), (now) => ({ ...now!, status: 'closed' }))
    await store.update(keyOf(2), charge(6n))
    await expect(store.update(keyOf(2), charge(1n))).rejects.toThrow()
  })

  it('counts what was at risk before the start', async () => {
    const { kept } = await shop({})
    await kept.update(keyOf(0), charge(8n))
    const { store, load, pressing } = createExposure(kept, { total: 10n })
    await load()
    expect(pressing(4n)).toMatchObject([{ cap: 'total', atRisk: 8n, most: 10n, channels: [keyOf(0)] }])
    await expect(store.update(keyOf(2), charge(3n))).rejects.toThrow()
  })

  it('takes back what could not be made durable', async () => {
    const { kept } = await shop({})
    let isFull = true
    const failing = {
      ...kept,
      update: async (key: ChannelKey, change: (now: Channel | undefined) => Channel) => {
        if (!isFull) return kept.update(key, change)
        change(await kept.get(key))
        throw new Error('the disk is full')
      },
    }
    const { store } = createExposure(failing, { total: 10n })
    await expect(store.update(keyOf(0), charge(10n))).rejects.toThrow('full')
    isFull = false
    await store.update(keyOf(2), charge(10n))
  })

  it('holds among changes that run at the same time', async () => {
    const { store } = await shop({ total: 50n })
    const done = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => store.update(keyOf(2 * (i % 3)), charge(5n))),
    )
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  })

  it.each(['channel', 'sender', 'total'] as const)('of nothing is refused: %s', (name) => {
    expect(() => createExposure(memory(), { [name]: 0n })).toThrow(`caps.${name}`)
  })
})

describe('what presses', () => {
  it('is named from half of a cap on, the most exposed first, until it is settled', async () => {
    const { store, pressing } = await shop({ total: 20n, channel: 10n })
    await store.update(keyOf(0), charge(4n))
    expect(pressing(4n)).toEqual([])
    await store.update(keyOf(2), charge(6n))
    expect(pressing(4n)).toEqual([
      { cap: 'channel', atRisk: 6n, most: 10n, channels: [keyOf(2)] },
      { cap: 'total', atRisk: 10n, most: 20n, channels: [keyOf(2), keyOf(0)] },
    ])
    expect(pressing(6n)).toEqual([])
    await store.update(keyOf(2), (now) => ({ ...now!, settled: 6n }))
    expect(pressing(4n)).toEqual([])
  })

  it('is the sum of what the store says, whatever happens in which order', async () => {
    const step = fc.record({
      n: fc.nat(5),
      by: fc.bigInt(-20n, 20n),
      what: fc.constantFrom('charge', 'settle', 'close', 'fail'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { kept, store, pressing, load } = await shop({ total: 1n, channel: 100_000n })
        await load()
        for (const { n, by, what } of steps) {
          await store
            .update(keyOf(n), (now) => {
              if (what === 'fail') throw new Error('refused')
              if (what === 'close') return { ...now!, status: 'closed' }
              if (what === 'settle') return { ...now!, settled: now!.charged }
              const charged = now!.charged + by
              return { ...now!, charged: charged < 0n ? 0n : charged }
            })
            .catch(() => undefined)
        }
        const totals = new Map<string, bigint>()
        for await (const { status, charged, settled, token } of kept.list())
          if (status !== 'closed' && charged > settled) totals.set(token, (totals.get(token) ?? 0n) + charged - settled)
        const told = pressing(4n).filter(({ cap }) => cap === 'total')
        expect(told.map(({ atRisk }) => atRisk).sort()).toEqual([...totals.values()].sort())
        // Beyond a cap of 1 nothing was charged.
        for (const sum of totals.values()) expect(sum).toBeLessThanOrEqual(1n)
      }),
    )
  })
})
