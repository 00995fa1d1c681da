/** When a receiver settles by itself, and what becomes of channels that cannot be settled. */
import { describe, expect, it } from 'vitest'
import type { Alarm } from '../src/receiver/alarm.ts'
import type { Receiver, ReceiverConfig } from '../src/receiver/receiver.ts'
import { memory } from '../src/store/memory.ts'
import {
  newAccount,
  newBuyer,
  newReceiver,
  openMarket,
  openShop,
  tokensOf,
  until,
  walletOf,
  type Buyer,
} from './support/market.ts'

const { world } = await openMarket()

/** A receiver with these rules, and a way to sell for 5 to a new buyer as often as wanted. */
async function seller(config: Partial<ReceiverConfig>) {
  const receiver = await newReceiver(world, config)
  const shop = await openShop(receiver)
  const sell = async (times: number): Promise<Buyer> => {
    const buyer = await newBuyer(world, receiver)
    for (let i = 1; i <= times; i += 1) expect((await buyer.pay(`${shop.url}/x`, BigInt(i) * 5n)).status).toBe(200)
    return buyer
  }
  const end = async () => {
    await shop.close()
    await receiver.stop()
  }
  return { receiver, sell, end }
}

const earnedBy = ({ address }: Receiver) => tokensOf(world, address)

/** A signature that nobody made, in the place of the one that was accepted. */
async function spoil(receiver: Receiver, buyer: Buyer): Promise<string> {
  const { key } = (await buyer.known())!
  const broken = { cumulativeAmount: 5n, signature: `0x${'11'.repeat(64)}1b` } as const
  await receiver.store.update(key, (now) => ({ ...now!, voucher: broken }))
  return key
}

/** All channels were weighed twice: what followed from the first time is done. */
async function twoTurns({ live }: Receiver): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    live.weighedMs = 0
    await until(() => live.weighedMs > 0)
  }
}

const named = (alarms: readonly Alarm[]) => alarms.map(({ name, subject }) => `${name} ${subject}`)

describe('by the share of gas in what is taken', () => {
  /** Of the chain's fees at the time, as many base units per coin as make a settlement of one channel cost `units`. */
  const priceFor = async (units: bigint) => {
    const { base, tip } = await world.chain.fees()
    return (units * 10n ** 18n) / ((base + tip) * 58_300n)
  }

  it('settles as soon as gas is cheap enough, and no sooner', async () => {
    let coinPrice = await priceFor(1_000n)
    const { receiver, sell, end } = await seller({ settle: { gas: { share: 0.5, coinPrice: () => coinPrice } } })
    await sell(4)
    await twoTurns(receiver)
    expect(await earnedBy(receiver)).toBe(0n)
    coinPrice = await priceFor(1n)
    receiver.live.weighedMs = 0
    await until(async () => (await earnedBy(receiver)) === 20n)
    await end()
  })

  it('holds back what would cost more than it brings, however old it is', async () => {
    let coinPrice = await priceFor(1_000n)
    const { receiver, sell, end } = await seller({
      settle: { ageMs: 1, gas: { share: 0.01, coinPrice: () => coinPrice } },
    })
    await sell(1)
    await twoTurns(receiver)
    expect(await earnedBy(receiver)).toBe(0n)
    // Old enough and worth its gas, though not at that share.
    coinPrice = await priceFor(1n)
    await until(async () => (await earnedBy(receiver)) === 5n)
    await end()
  })

  it('goes by its other rules when the price of a coin cannot be had', async () => {
    const lost = () => Promise.reject(new Error('no price today'))
    const { receiver, sell, end } = await seller({ settle: { amount: 10n, gas: { share: 0.5, coinPrice: lost } } })
    await sell(2)
    await until(async () => (await earnedBy(receiver)) === 10n)
    await end()
  })
})

describe('by the clock', () => {
  it('settles what there is when a time has come, also one that was slept through', async () => {
    const wallet = walletOf(world, await newAccount(world, 0n))
    const store = memory()
    const at = ['00:00']
    const byHand = await seller({ wallet, store })
    await byHand.sell(1)
    await byHand.end()
    const first = await seller({ wallet, store, settle: { at } })
    await until(async () => (await store.readRecord('settle:scheduled')) !== undefined)
    // What was begun is waited for.
    await first.end()
    expect(await earnedBy(first.receiver)).toBe(0n)
    await store.writeRecord('settle:scheduled', () => `${Date.now() - 90_000_000}`)
    const second = await seller({ wallet, store, settle: { at } })
    await until(async () => (await earnedBy(second.receiver)) === 5n)
    await second.end()
  })
})

describe('after a restart', () => {
  it('goes by the age that channels had before', async () => {
    const wallet = walletOf(world, await newAccount(world, 0n))
    const store = memory()
    const settle = { ageMs: 3_600_000 }
    const first = await seller({ wallet, store, settle })
    await first.sell(1)
    await first.end()
    await store.writeRecord('settle:since', () => `${Date.now() - 3_700_000}`)
    const second = await seller({ wallet, store, settle })
    await until(async () => (await earnedBy(second.receiver)) === 5n)
    await second.end()
  })
})

describe('one bad channel among 25', () => {
  it('is found before anything is sent, set aside with an alarm, and holds up nobody (peer mistake 2)', async () => {
    const skipped: string[] = []
    const log: ReceiverConfig['log'] = (_level, event) => {
      if (event === 'settle-skipped') skipped.push(event)
    }
    const { receiver, sell, end } = await seller({ log })
    const buyers: Buyer[] = []
    for (let i = 0; i < 25; i += 1) buyers.push(await sell(1))
    const [bad] = buyers
    const sound = (await bad!.known())!.voucher!
    const key = await spoil(receiver, bad!)

    const settlements = await receiver.settle()
    expect(settlements.filter(({ ok }) => ok)).toHaveLength(24)
    expect(new Set(settlements.map(({ transaction }) => transaction)).size).toBe(2)
    expect(settlements.filter(({ ok }) => !ok)).toMatchObject([
      { channel: key, transaction: undefined, reason: 'The call reverts: InvalidSignature' },
    ])
    expect(await earnedBy(receiver)).toBe(120n)
    // The escrow was not even shown it.
    expect(skipped).toEqual([])
    expect(named(receiver.alarms.standing())).toEqual([`voucher-refused ${key}`])

    await receiver.store.update((await bad!.known())!.key, (now) => ({ ...now!, voucher: sound }))
    expect(await receiver.settle()).toMatchObject([{ channel: key, ok: true, amount: 5n }])
    expect(receiver.alarms.standing()).toEqual([])
    await end()
  })

  it('is tried again by the policy, less and less often, until it can be settled', async () => {
    const { receiver, sell, end } = await seller({ settle: { ageMs: 1_000 } })
    const buyer = await sell(1)
    const sound = (await buyer.known())!.voucher!
    await spoil(receiver, buyer)
    await until(() => receiver.live.aside.size === 1)
    const { key } = (await buyer.known())!
    await receiver.store.update(key, (now) => ({ ...now!, voucher: sound }))
    await until(async () => (await earnedBy(receiver)) === 5n)
    await until(() => receiver.live.aside.size === 0)
    expect(receiver.alarms.standing()).toEqual([])
    await end()
  })
})

describe('what two ask for at the same time', () => {
  it('is one transaction, and both hear of it', async () => {
    const { receiver, sell, end } = await seller({})
    await Promise.all([sell(1), sell(1)])
    const twice = await Promise.all([receiver.settle(), receiver.settle()])
    for (const settlements of twice)
      expect(settlements).toMatchObject([
        { ok: true, amount: 5n },
        { ok: true, amount: 5n },
      ])
    expect(new Set(twice.flat().map(({ transaction }) => transaction)).size).toBe(1)
    expect(await world.chain.nonce(receiver.wallet!.address, 'mined')).toBe(1)
    await end()
  })
})

describe('what was settled before', () => {
  it('is asked of the escrow and not sent again', async () => {
    const { receiver, sell, end } = await seller({})
    const [first, second] = [await sell(1), await sell(1)]
    await receiver.settle()
    const sentBefore = await world.chain.nonce(receiver.wallet!.address, 'mined')
    // As after a restart: neither the follower nor anything in memory knows of it.
    for (const buyer of [first, second]) {
      await until(async () => (await buyer.known())?.settled === 5n)
      await receiver.store.update((await buyer.known())!.key, (now) => ({ ...now!, settled: 0n }))
    }
    receiver.live.settling.clear()
    expect(await receiver.settle()).toEqual([])
    expect(await receiver.settle((channel) => channel.id === first.id)).toEqual([])
    expect(await world.chain.nonce(receiver.wallet!.address, 'mined')).toBe(sentBefore)
    expect(receiver.alarms.standing()).toEqual([])
    await end()
  })
})

describe('what is delivered and not settled', () => {
  it('is settled before it reaches its cap, so that selling goes on', async () => {
    const { receiver, sell, end } = await seller({ caps: { channel: 20n } })
    const buyer = await sell(2)
    await until(async () => (await buyer.known())?.settled === 10n)
    expect(await earnedBy(receiver)).toBe(10n)
    await end()
  })

  it('is refused beyond its cap, told from three quarters on, and sold again once it is settled', async () => {
    const receiver = await newReceiver(world, { caps: { channel: 20n, whenReached: 'refuse' } })
    const shop = await openShop(receiver)
    const buyer = await newBuyer(world, receiver)
    for (const amount of [5n, 10n, 15n, 20n]) expect((await buyer.pay(`${shop.url}/x`, amount)).status).toBe(200)
    const refused = await buyer.pay(`${shop.url}/x`, 25n)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ code: 'receiver-unavailable', reason: 'exposure' })
    expect(shop.calls).toHaveLength(4)
    const { key, charged } = (await buyer.known())!
    expect(charged).toBe(20n)
    await until(() => receiver.alarms.standing().length > 0)
    expect(named(receiver.alarms.standing())).toEqual([`exposure-high ${key}`])
    expect(await receiver.settle()).toMatchObject([{ ok: true, amount: 20n }])
    await until(async () => (await buyer.known())?.settled === 20n)
    expect((await buyer.pay(`${shop.url}/x`, 25n)).status).toBe(200)
    await until(() => receiver.alarms.standing().length === 0)
    await shop.close()
    await receiver.stop()
  })
})
