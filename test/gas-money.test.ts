/** A receiver whose account has no coins for gas, on each rail: it sells, says what it cannot do, and does it later. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Receiver, ReceiverConfig } from '../src/receiver/receiver.ts'
import { newReceiver, openShop, rpc, startWorld, tokensOf, until } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

type Told = { readonly atMs: number; readonly level: string; readonly event: string; readonly message: string }

describe.each(railKits)('a receiver without coins for gas on the rail $name', ({ rail, openBuyer }) => {
  async function openBroke(config: Partial<ReceiverConfig> = {}) {
    const told: Told[] = []
    const log: ReceiverConfig['log'] = (level, event, { message = '' } = {}) => {
      told.push({ atMs: Date.now(), level, event, message: String(message) })
    }
    const receiver = await newReceiver(world, { rails: [rail(world)], log, ...config })
    await rpc(world, 'anvil_setBalance', receiver.address, '0x0')
    const shop = await openShop(receiver)
    endings.push(
      () => shop.close(),
      () => receiver.stop(),
    )
    return { receiver, shop, told }
  }

  const give = ({ address }: Receiver) => rpc(world, 'anvil_setBalance', address, '0xde0b6b3a7640000')

  it('sells, says ever more rarely that it cannot settle, and settles by itself as soon as it has some', async () => {
    const { receiver, shop, told } = await openBroke({ settle: { amount: 10n } })
    const buyer = await openBuyer(world, receiver)
    const heard = () => told.filter(({ event }) => event === 'settle-failed')
    for (let count = 1n; count <= 3n; count += 1n)
      expect((await buyer.pay(`${shop.url}/x`, 5n * count)).status).toBe(200)
    await until(() => heard().length === 3)
    const [first, second, third] = heard().map(({ atMs }) => atMs)
    expect(second! - first!).toBeGreaterThanOrEqual(990)
    expect(third! - second!).toBeGreaterThanOrEqual(1_990)
    expect((await buyer.pay(`${shop.url}/x`, 20n)).status).toBe(200)
    expect(heard()[0]).toMatchObject({ level: 'error' })
    expect(heard()[0]?.message).toMatch(/^0x[0-9a-fA-F]{40} cannot pay for the transaction\. Send it at least \d+ wei/)
    const others = told.filter(({ event }) => event !== 'settle-failed' && event !== 'gas-money-low')
    expect(others).toEqual([])
    expect(await tokensOf(world, receiver.address)).toBe(0n)
    await give(receiver)
    await until(async () => (await tokensOf(world, receiver.address)) === 20n)
    await until(async () => (await buyer.known())?.settled === 20n)
    expect((await buyer.pay(`${shop.url}/x`, 25n)).status).toBe(200)
  })

  it('says of each channel why it was not settled, and settles it at the next call', async () => {
    const { receiver, shop } = await openBroke()
    const buyers = [await openBuyer(world, receiver), await openBuyer(world, receiver)]
    for (const buyer of buyers) expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    const keys = (await Promise.all(buyers.map((buyer) => buyer.known()))).map((channel) => channel!.key)
    const failed = await receiver.settle()
    expect(failed.map(({ channel }) => channel).sort()).toEqual(keys.sort())
    for (const one of failed) {
      expect(one).toMatchObject({ ok: false, amount: 0n, transaction: undefined })
      expect(one.reason).toContain('cannot pay for the transaction')
    }
    await give(receiver)
    const settled = await receiver.settle()
    expect(settled.map(({ ok, amount, reason }) => [ok, amount, reason])).toEqual([
      [true, 5n, undefined],
      [true, 5n, undefined],
    ])
    expect(await tokensOf(world, receiver.address)).toBe(10n)
  })

  it('answers a requested close as soon as it has some, and sells to the others meanwhile', async () => {
    const { receiver, shop, told } = await openBroke()
    const [leaver, other] = [await openBuyer(world, receiver), await openBuyer(world, receiver)]
    expect((await leaver.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    await leaver.requestClose()
    await until(() => told.some(({ event }) => event === 'close-answer-failed'))
    expect((await other.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    expect(told.find(({ event }) => event === 'close-answer-failed')).toMatchObject({
      level: 'error',
      message: expect.stringContaining('cannot pay for the transaction') as string,
    })
    expect(await leaver.known()).toMatchObject({ status: 'closing', charged: 5n })
    await give(receiver)
    await until(async () => (await leaver.known())?.status === 'closed')
    expect(await tokensOf(world, receiver.address)).toBe(5n)
    expect(await leaver.known()).toMatchObject({ settled: 5n })
  })

  it('forgets old requests all the same', async () => {
    const { receiver, shop, told } = await openBroke({ settle: { amount: 1n }, limits: { answerMs: 1, requestMs: 1 } })
    const buyer = await openBuyer(world, receiver)
    const ask = () => buyer.pay(`${shop.url}/x`, 5n, { key: 'once' })
    expect((await ask()).status).toBe(200)
    await until(() => told.some(({ event }) => event === 'settle-failed'))
    await until(async () => (await ask()).status === 402)
  })
})
