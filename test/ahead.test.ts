/** Vouchers over more than one request, on each rail: how often one is signed, and how much is at risk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Ahead, ClientConfig } from '../src/sender/index.ts'
import type { Routes, Run } from '../src/proxy/proxy.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { newClientOn, onlyChannel, openCountingShop, openRelay, signatureIn } from './support/counting-shop.ts'
import { newAccount, startWorld, tokensOf } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

describe.each(railKits)('a voucher ahead on the rail $name', (kit) => {
  const open = async (routes?: Routes | Run) => {
    const shop = await openCountingShop(world, kit, routes)
    endings.push(shop.close)
    return shop
  }
  const newClient = (config?: Partial<ClientConfig>) => newClientOn(world, kit, config)

  it('is signed for the request at hand and those after it, and then another one', async () => {
    const { url, receiver, vouchers, arrived } = await open()
    const client = await newClient()
    const buyer = client.session({ ahead: { requests: 4 } })
    const seen = []
    for (let visit = 1; visit <= 11; visit += 1) {
      expect((await buyer.get(`${url}/x`)).status).toBe(200)
      const { key, charged, voucher } = await onlyChannel(client)
      seen.push([charged, voucher?.cumulativeAmount])
      expect(await receiver.store.get(key)).toMatchObject({ charged, voucher })
    }
    const authorized = [25n, 25n, 25n, 25n, 25n, 50n, 50n, 50n, 50n, 50n, 75n]
    expect(seen).toEqual(authorized.map((amount, index) => [5n * BigInt(index + 1), amount]))
    expect(vouchers()).toBe(3)
    expect(arrived.slice(-10).every((request) => signatureIn(request) !== undefined)).toBe(true)
  })

  it.each<[string, Ahead | undefined, bigint]>([
    ['nothing', undefined, 5n],
    ['no requests', { requests: 0 }, 5n],
    ['base units', { amount: 7n }, 12n],
  ])('of %s is over no more than that', async (_what, ahead, amount) => {
    const { url } = await open()
    const client = await newClient({ ...(ahead && { ahead }) })
    expect((await client.session().get(`${url}/x`)).status).toBe(200)
    expect((await onlyChannel(client)).voucher?.cumulativeAmount).toBe(amount)
  })

  it('never exceeds the deposit, and is over whole requests', async () => {
    const { url } = await open()
    const client = await newClient({ deposit: () => 23n })
    const buyer = client.session({ ahead: { requests: 100 } })
    for (let visit = 0; visit < 4; visit += 1) expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect(await onlyChannel(client)).toMatchObject({ deposit: 23n, charged: 20n, voucher: { cumulativeAmount: 20n } })
  })

  it.each(['perOrigin', 'perDay'] as const)('stays within %s, and uses it up', async (limit) => {
    const { url } = await open()
    const budget = { perRequest: 5n, deposit: 1_000n, [limit]: 32n }
    const client = await newClient({ budget })
    const buyer = client.session({ ahead: { requests: 3 } })
    for (let visit = 0; visit < 6; visit += 1) expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const spent = { charged: 30n, voucher: { cumulativeAmount: 30n } }
    expect(await onlyChannel(client)).toMatchObject(spent)
    await expect(buyer.get(`${url}/x`)).rejects.toThrow(`This costs 35 and the budget's ${limit} is 32`)
    expect(await onlyChannel(client)).toMatchObject(spent)
  })

  it.each([{ requests: -1 }, { requests: 1.5 }, { amount: 5 as never }, {} as never, { requests: 1, amount: 1n }])(
    'of %o is refused at once',
    async (ahead) => {
      await expect(newClient({ ahead })).rejects.toThrow(/^ahead: /)
      const client = await newClient()
      expect(() => client.session({ ahead })).toThrow(/^ahead: /)
    },
  )

  it('is known again after a restart, and used up first', async () => {
    const { url, vouchers } = await open()
    const folder = mkdtempSync(join(tmpdir(), 'farthing-ahead-'))
    const { privateKey: account } = await newAccount(world)
    for (const [charged, cumulativeAmount] of [
      [5n, 15n],
      [10n, 15n],
      [15n, 15n],
      [20n, 30n],
    ] as const) {
      const store = sqlite(join(folder, 'sender.db'))
      const client = await newClient({ account, store, ahead: { requests: 2 } })
      expect((await client.session().get(`${url}/x`)).status).toBe(200)
      expect(await onlyChannel(client)).toMatchObject({ charged, voucher: { cumulativeAmount } })
      await store.close()
    }
    rmSync(folder, { recursive: true })
    expect(vouchers()).toBe(2)
  })

  it('comes back at a close together, as far as it was not charged', async () => {
    const { url } = await open()
    const { privateKey: account, address } = await newAccount(world)
    const client = await newClient({ account, ahead: { requests: 20 } })
    const before = await tokensOf(world, address)
    for (let visit = 0; visit < 3; visit += 1) expect((await client.session().get(`${url}/x`)).status).toBe(200)
    const { key, voucher } = await onlyChannel(client)
    expect(voucher?.cumulativeAmount).toBe(105n)
    expect(await (await client.channel(key)).close()).toMatchObject({ settled: 15n, refunded: 485n })
    expect(await tokensOf(world, address)).toBe(before - 15n)
  })

  it('is not what is stated as owed when the sender leaves alone', async () => {
    const { url, receiver } = await open()
    const client = await newClient({ ahead: { requests: 20 } })
    expect((await client.session().get(`${url}/x`)).status).toBe(200)
    await receiver.stop()
    const { key } = await onlyChannel(client)
    await (await client.channel(key)).requestClose()
    const { status, settled, closeStated } = await onlyChannel(client)
    expect([status, closeStated ?? settled]).toEqual(['closing', 5n])
  })

  it('can be settled before it is used, and is used afterwards all the same', async () => {
    const { url, receiver } = await open()
    const client = await newClient({ ahead: { requests: 3 } })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect(await receiver.settle()).toMatchObject([{ amount: 20n, ok: true }])
    await client.sync()
    for (let visit = 0; visit < 4; visit += 1) expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const { charged, settled, voucher } = await onlyChannel(client)
    expect([charged, settled, voucher?.cumulativeAmount]).toEqual([25n, 20n, 40n])
  })

  it('is signed once by an account that takes its time, however many ask at once', async () => {
    const { url, vouchers } = await open()
    const account = privateKeyToAccount((await newAccount(world)).privateKey)
    const budget = { perRequest: 10n, deposit: 1_000n, perDay: 110n }
    const client = await newClient({ account, budget, ahead: { requests: 9 } })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const answers = await Promise.all(Array.from({ length: 16 }, () => buyer.get(`${url}/x`)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(vouchers()).toBe(2)
    expect(await onlyChannel(client)).toMatchObject({ charged: 85n, voucher: { cumulativeAmount: 100n } })
  })

  it('that the receiver uses up on its own is disputed, and nothing more is signed', async () => {
    const { url, receiver } = await open()
    const client = await newClient({ ahead: { requests: 5 } })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const { key } = await onlyChannel(client)
    await receiver.store.update(key, (now) => ({ ...now!, charged: 20n }))
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    for (let visit = 0; visit < 3; visit += 1) {
      await expect(buyer.get(`${url}/x`)).rejects.toThrow('claims to have charged 30; our own records say at most 15')
      expect(await onlyChannel(client)).toMatchObject({ charged: 15n, voucher: { cumulativeAmount: 30n } })
    }
  })

  it('pays a price that has risen where the budget allows it, and asks for the price anew', async () => {
    let price = 5n
    const { url, arrived } = await open({ 'GET /x': { price: () => price, text: 'foo' } })
    const client = await newClient({ ahead: { requests: 20 } })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    price = 8n
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect(await onlyChannel(client)).toMatchObject({ charged: 13n })
    price = 9n
    const before = arrived.length
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect(arrived.length - before).toBe(2)
    expect(await onlyChannel(client)).toMatchObject({ charged: 22n })
    price = 11n
    if (kit.name === 'rdn') expect((await buyer.get(`${url}/x`)).status).toBe(200)
    await expect(buyer.get(`${url}/x`)).rejects.toThrow("This costs 11 and the budget's perRequest is 10")
  })
})

it('is never given to a server that wants each voucher to rise by exactly the price', async () => {
  const kit = railKits.find(({ name }) => name === 'rdn')!
  const shop = await openCountingShop(world, kit)
  const of2018 = await openRelay(shop.url, (answer) => answer.headers.delete('rdn-due'))
  endings.push(shop.close, of2018.close)
  const client = await newClientOn(world, kit, { ahead: { requests: 5 } })
  const buyer = client.session()
  for (const authorized of [5n, 10n, 15n]) {
    expect((await buyer.get(`${of2018.url}/x`)).status).toBe(200)
    expect((await onlyChannel(client)).voucher?.cumulativeAmount).toBe(authorized)
  }
})
