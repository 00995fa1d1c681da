/** The books against the chain: what agrees is silent, what does not is named with both numbers. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Channel } from '../src/channel/channel.ts'
import { reconcileAll } from '../src/receiver/reconcile-chore.ts'
import { sumUp } from '../src/receiver/reconcile-totals.ts'
import { reconcileChannels, type Disagreement } from '../src/receiver/reconcile.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import { newReceiver, openShop, startWorld, until } from './support/market.ts'
import { railKits, type RailBuyer } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function disagreementsOf(receiver: Receiver, from?: Channel['key']): Promise<Disagreement[]> {
  const found: Disagreement[] = []
  for await (const { disagreements } of reconcileChannels(receiver, from)) found.push(...disagreements)
  return found
}

const booksAlarms = ({ alarms }: Receiver) => alarms.standing().filter(({ name }) => name === 'books-disagree')

describe.each(railKits)('the books of a receiver on the rail $name', ({ rail, openBuyer }) => {
  async function open(purchases: readonly number[]) {
    const receiver = await newReceiver(world, { rails: [rail(world)] })
    const shop = await openShop(receiver)
    endings.push(
      () => shop.close(),
      () => receiver.stop(),
    )
    const buyers: RailBuyer[] = []
    for (const count of purchases) {
      const buyer = await openBuyer(world, receiver)
      for (let i = 1; i <= count; i += 1) expect((await buyer.pay(`${shop.url}/x`, BigInt(i) * 5n)).status).toBe(200)
      buyers.push(buyer)
    }
    const change = async (buyer: RailBuyer, to: (now: Channel) => Partial<Channel>) => {
      const { key } = (await buyer.known())!
      await receiver.store.update(key, (now) => ({ ...now!, ...to(now!) }))
      return key
    }
    return { receiver, shop, buyers, change }
  }

  it('agree with the chain: unpaid, paid, settled, paid again, leaving and closed', async () => {
    const { receiver, shop, buyers } = await open([0, 2, 3, 1, 1])
    const [, , settled, leaving, closed] = buyers
    await receiver.close((await closed!.known())!.key)
    await receiver.settle((channel) => channel.sender === settled!.sender.toLowerCase())
    await until(async () => (await settled!.known())?.settled === 15n && (await closed!.known())?.status === 'closed')
    expect((await settled!.pay(`${shop.url}/x`, 20n)).status).toBe(200)
    expect(await disagreementsOf(receiver)).toEqual([])
    await receiver.stop()
    await leaving!.requestClose()
    // Nobody follows the chain now: the store is as of its cursor, and so is the comparison.
    expect(await disagreementsOf(receiver)).toEqual([])
    const [totals] = await sumUp(receiver)
    expect(totals).toMatchObject({ channels: 4, held: 3_985n, authorized: 40n, charged: 40n, settled: 20n, lost: 0n })
    expect(await reconcileAll(receiver)).toEqual({ compared: 4, disagreements: 0 })
    expect(booksAlarms(receiver)).toEqual([])
  }, 60_000)

  it.each([
    ['deposit', () => ({ deposit: 1_001n }), { what: 'deposit', ours: '1001', theirs: '1000' }],
    ['settled', () => ({ settled: 5n }), { what: 'settled', ours: '5', theirs: '0' }],
    ['status', () => ({ status: 'closing' as const }), { what: 'status', ours: 'closing', theirs: 'open' }],
    ['charged', () => ({ charged: 11n }), { what: 'charged, beyond authorized', ours: '11', theirs: '10' }],
    [
      'voucher',
      () => ({ voucher: { cumulativeAmount: 12n, signature: `0x${'11'.repeat(64)}1b` as const } }),
      { what: 'voucher', ours: '12' },
    ],
  ])(
    'name a wrong %s with both numbers, and raise an alarm until it is right again',
    async (_what, wrong, expected) => {
      const { receiver, buyers, change } = await open([1, 2])
      const before = (await buyers[1]!.known())!
      const subject = await change(buyers[1]!, wrong)
      expect(await disagreementsOf(receiver)).toMatchObject([{ subject, ...expected }])
      expect(await reconcileAll(receiver)).toMatchObject({ compared: 2 })
      const alarms = booksAlarms(receiver).filter((alarm) => alarm.subject === subject)
      expect(alarms).toMatchObject([
        { message: expect.stringContaining(`${expected.what}: ${expected.ours} here`) as string },
      ])
      await receiver.store.update(subject, () => before)
      await reconcileAll(receiver)
      expect(booksAlarms(receiver).filter((alarm) => alarm.subject === subject)).toEqual([])
    },
    60_000,
  )

  it('do not agree where the escrow has too few tokens, or where sums have fallen', async () => {
    const { receiver, buyers, change } = await open([2])
    const { rails } = receiver
    const subject = `${rails[0]!.address} ${rails[0]!.token}`
    await receiver.stop()
    const before = (await buyers[0]!.known())!
    const key = await change(buyers[0]!, () => ({ deposit: 10n ** 15n }))
    await reconcileAll(receiver)
    const short = booksAlarms(receiver).find((alarm) => alarm.subject === subject)
    expect(short?.facts['tokens in the escrow']).toMatch(/^1000000000000000 \/ \d{3,}$/)
    const { voucher: _none, ...rest } = before
    await receiver.store.update(key, () => rest)
    await reconcileAll(receiver)
    const fallen = booksAlarms(receiver).find((alarm) => alarm.subject === subject)
    expect(fallen?.facts).toEqual({ 'authorized in all, which fell': '0 / 10' })
  }, 60_000)

  it('are compared from where it was, after a channel that is said', async () => {
    const { receiver, buyers, change } = await open([1, 1, 1])
    const keys: Channel['key'][] = []
    for await (const { key } of receiver.store.list()) keys.push(key)
    for (const buyer of buyers) await change(buyer, () => ({ charged: 11n }))
    expect((await disagreementsOf(receiver)).map(({ subject }) => subject)).toEqual(keys)
    expect((await disagreementsOf(receiver, keys[0])).map(({ subject }) => subject)).toEqual(keys.slice(1))
    expect((await disagreementsOf(receiver, keys[2])).length).toBe(0)
  }, 60_000)
})
