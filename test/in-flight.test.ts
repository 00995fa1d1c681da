/** Many requests at once on one channel, on each rail: what goes over the wire once offers are known, and to what sums it leads. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Routes, Run } from '../src/proxy/proxy.ts'
import type { Ahead, ClientConfig } from '../src/sender/index.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { newClientOn, onlyChannel, openCountingShop, openRelay } from './support/counting-shop.ts'
import { newAccount, startWorld, until } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

const SIXTEEN = Array.from({ length: 16 }, (_, index) => index)

const policies: readonly (readonly [string, Ahead | undefined])[] = [
  ['a voucher each', undefined],
  ['vouchers ahead', { requests: 5 }],
]

describe.each(railKits)('sixteen requests in flight on the rail $name', (kit) => {
  const open = async (routes?: Routes | Run) => {
    const shop = await openCountingShop(world, kit, routes)
    endings.push(shop.close)
    return shop
  }
  /** With a store whose commits take their time. */
  const newClient = (config: Partial<ClientConfig> = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-in-flight-'))
    const store = sqlite(join(folder, 'sender.db'))
    endings.push(
      () => rmSync(folder, { recursive: true }),
      () => store.close(),
    )
    return newClientOn(world, kit, { store, ...config })
  }

  /** Holds every answer until `release` names it: the numbers in the paths, in any order. */
  function holding(answer: (index: number) => number = () => 200) {
    const held = new Map<number, () => void>()
    const run: Run = (request, response) => {
      const index = Number((request.url ?? '').split('/').at(-1))
      const send = () => {
        response.statusCode = answer(index)
        response.end('foo')
      }
      if (Number.isNaN(index)) send()
      else held.set(index, send)
    }
    const release = async (order: readonly number[]) => {
      for (const index of order) {
        await until(() => held.has(index))
        held.get(index)?.()
        held.delete(index)
      }
    }
    return { run, release, allArrived: () => until(() => held.size === SIXTEEN.length) }
  }

  it.each(policies)('need sixteen wire requests with %s, and are charged to the unit', async (_what, ahead) => {
    const { url, arrived, receiver } = await open()
    const client = await newClient({ ...(ahead && { ahead }) })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    for (let round = 1n; round <= 3n; round += 1n) {
      const before = arrived.length
      const answers = await Promise.all(SIXTEEN.map(() => buyer.get(`${url}/x`)))
      expect(answers.map(({ status }) => status)).toEqual(SIXTEEN.map(() => 200))
      expect(arrived.length - before).toBe(16)
      const { key, charged } = await onlyChannel(client)
      expect(charged).toBe(5n + 80n * round)
      expect(await receiver.store.get(key)).toMatchObject({ charged })
    }
  })

  it.each(policies)('may come and go in any order with %s, each leaving room for the next', async (_what, ahead) => {
    const { url, arrived, receiver } = await open((_request, response) => setImmediate(() => response.end('foo')))
    const client = await newClient({ budget: { perRequest: 10n, deposit: 10_000n }, ...(ahead && { ahead }) })
    const buyer = client.session({ initialDeposit: () => 10_000n })
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const before = arrived.length
    let left = 320
    const visitor = async () => {
      while (left-- > 0) expect((await buyer.get(`${url}/x`)).status).toBe(200)
    }
    await Promise.all(SIXTEEN.map(visitor))
    expect(arrived.length - before).toBe(320)
    const { key, charged } = await onlyChannel(client)
    expect(charged).toBe(1_605n)
    expect(await receiver.store.get(key)).toMatchObject({ charged })
  })

  it.each(policies)('may be answered in any order with %s', async (_what, ahead) => {
    const { run, release, allArrived } = holding()
    const { url, arrived, receiver } = await open(run)
    const client = await newClient({ ...(ahead && { ahead }) })
    const buyer = client.session()
    const visit = async (index: number) => (await buyer.get(`${url}/${index}`)).status
    // Each address is known from an earlier visit.
    const first = Promise.all(SIXTEEN.map(visit))
    await release(SIXTEEN)
    await first
    for (const order of [SIXTEEN.toReversed(), SIXTEEN.map((index) => (7 * index) % 16)]) {
      const before = arrived.length
      const answers = Promise.all(SIXTEEN.map(visit))
      await allArrived()
      await release(order)
      expect([await answers, arrived.length - before]).toEqual([SIXTEEN.map(() => 200), 16])
    }
    const { key, charged } = await onlyChannel(client)
    expect(charged).toBe(240n)
    expect(await receiver.store.get(key)).toMatchObject({ charged })
  })

  it.each(policies)('go on when one of them fails, with %s', async (_what, ahead) => {
    let failing = -1
    const { run, release, allArrived } = holding((index) => (index === failing ? 500 : 200))
    const { url, arrived, receiver } = await open(run)
    const client = await newClient({ ...(ahead && { ahead }) })
    const buyer = client.session()
    const visit = async (index: number) => (await buyer.get(`${url}/${index}`)).status
    const first = Promise.all(SIXTEEN.map(visit))
    await release(SIXTEEN)
    await first
    failing = 6
    const before = arrived.length
    const answers = Promise.all(SIXTEEN.map(visit))
    await allArrived()
    await release([3, 6, ...SIXTEEN.filter((index) => index !== 3 && index !== 6)])
    expect(await answers).toEqual(SIXTEEN.map((index) => (index === 6 ? 500 : 200)))
    const { key } = await onlyChannel(client)
    expect(await receiver.store.get(key)).toMatchObject({ charged: 155n })
    // What came back is used by the next request, and the books of both agree again.
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    expect(await onlyChannel(client)).toMatchObject({ charged: 160n })
    expect((await receiver.store.get(key))?.charged).toBe(160n)
    expect(arrived.length - before).toBeLessThanOrEqual(18)
  })

  it.each(policies)('go on when some of them are refused, with %s', async (_what, ahead) => {
    const { url, arrived, receiver } = await open()
    const client = await newClient({ ...(ahead && { ahead }) })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    // A key that was used for another request is refused, and nothing is charged for it.
    const used = { headers: { 'Idempotency-Key': 'used before' } }
    expect((await buyer.get(`${url}/x`, used)).status).toBe(200)
    const before = arrived.length
    const statuses = await Promise.all(
      SIXTEEN.map(async (index) => {
        const init = index % 5 === 2 ? { ...used, method: 'POST' } : {}
        return (await buyer.fetch(`${url}/x`, init)).status
      }),
    )
    expect(statuses).toEqual(SIXTEEN.map((index) => (index % 5 === 2 ? 409 : 200)))
    const { key, charged } = await onlyChannel(client)
    expect(charged).toBe(75n)
    expect(await receiver.store.get(key)).toMatchObject({ charged })
    // The address of another method has its own price, which had to be asked for.
    expect(arrived.length - before).toBe(16 + 3)
  })

  it.each(policies)('heal books that were lost, with %s', async (_what, ahead) => {
    const { url, receiver } = await open()
    const { privateKey: account } = await newAccount(world)
    const former = (await newClient({ account })).session()
    for (let visit = 0; visit < 20; visit += 1) expect((await former.get(`${url}/x`)).status).toBe(200)
    const client = await newClient({ account, ...(ahead && { ahead }) })
    const buyer = client.session()
    const answers = await Promise.all(SIXTEEN.map(() => buyer.get(`${url}/x`)))
    expect(answers.map(({ status }) => status)).toEqual(SIXTEEN.map(() => 200))
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    const { key, charged } = await onlyChannel(client)
    expect(charged).toBe(185n)
    expect(await receiver.store.get(key)).toMatchObject({ charged })
  })
})

describe.each(railKits)('an offer on the rail $name', (kit) => {
  const open = async (routes: Routes) => {
    const shop = await openCountingShop(world, kit, routes)
    endings.push(shop.close)
    return shop
  }
  const wires = async (shop: Awaited<ReturnType<typeof open>>, visit: () => Promise<Response>) => {
    const before = shop.arrived.length
    return [(await visit()).status, shop.arrived.length - before]
  }

  it('is used for every address of its route where it names the route, and for its own address else', async () => {
    const shop = await open({
      'GET /items/free': { price: { free: true }, text: 'free' },
      'GET /items/:id': { price: 5n, text: 'item' },
      'GET /search': { price: 6n, text: 'found' },
      'GET /files/*': { price: 7n, text: 'file' },
      'GET /items/:id/:part': { price: ({ params }) => BigInt(params.part ?? ''), text: 'part' },
    })
    const { url, receiver } = shop
    const client = await newClientOn(world, kit)
    const buyer = client.session()
    const visit = (path: string) => wires(shop, () => buyer.get(`${url}${path}`))
    const known = kit.name === 'payment' ? 1 : 2
    await visit('/items/1')
    expect(await visit('/items/2')).toEqual([200, known])
    expect(await visit('/items/1')).toEqual([200, 1])
    expect(await visit('/search?q=a')).toEqual([200, 2])
    expect(await visit('/search?q=b&page=2')).toEqual([200, known])
    expect(await visit('/files/a/b.txt')).toEqual([200, 2])
    expect(await visit('/files/c.txt')).toEqual([200, known])
    expect(await visit('/items/1/8')).toEqual([200, 2])
    expect(await visit('/items/1/9')).toEqual([200, 2])
    const { key, charged } = await onlyChannel(client)
    expect(charged).toBe(5n * 3n + 6n * 2n + 7n * 2n + 8n + 9n)
    expect(await visit('/items/free')).toEqual([200, 1])
    expect(await onlyChannel(client)).toMatchObject({ charged })
    expect(await receiver.store.get(key)).toMatchObject({ charged })
    expect(await visit('/items/3')).toEqual([200, known])
  })
})

describe('an offer that expires', () => {
  const kit = railKits.find(({ name }) => name === 'payment')!
  const challengeIn = ({ headers }: IncomingMessage) => {
    const encoded = headers.authorization?.replace('Payment ', '')
    if (encoded === undefined) return undefined
    return (JSON.parse(Buffer.from(encoded, 'base64url').toString()) as { challenge: Record<string, string> }).challenge
      .id
  }

  it.each<[string, 'the same' | 'another place' | 'sooner', string | undefined]>([
    ['is replaced by one that comes with a paid answer', 'the same', 'renewed'],
    ['is kept when what comes has other terms', 'another place', undefined],
    ['is kept when what comes ends sooner', 'sooner', undefined],
  ])('%s', async (_what, terms, expected) => {
    const shop = await openCountingShop(world, kit)
    const paidWith: (string | undefined)[] = []
    const asked = (await fetch(`${shop.url}/x`)).headers.get('www-authenticate')!
    const elsewhere = Buffer.from(JSON.stringify({ resource: 'GET /elsewhere' })).toString('base64url')
    const inMinutes = (minutes: number) => `expires="${new Date(Date.now() + minutes * 60_000).toISOString()}"`
    const told = asked.replace(/id="[^"]*"/, 'id="renewed"').replace(/expires="[^"]*"/, inMinutes(10))
    const says = {
      'the same': told,
      'another place': told.replace(/opaque="[^"]*"/, `opaque="${elsewhere}"`),
      sooner: told.replace(/expires="[^"]*"/, inMinutes(1)),
    }[terms]
    const relay = await openRelay(shop.url, ({ headers, ok }, request) => {
      if (challengeIn(request) !== undefined) paidWith.push(challengeIn(request))
      if (ok) headers.set('www-authenticate', says)
    })
    endings.push(shop.close, relay.close)
    const buyer = (await newClientOn(world, kit)).session()
    expect((await buyer.get(`${relay.url}/x`)).status).toBe(200)
    const first = paidWith.at(-1)
    const before = paidWith.length
    // What the relay made up is refused, which costs one more round trip and nothing else.
    expect((await buyer.get(`${relay.url}/x`)).status).toBe(200)
    expect(paidWith[before]).toBe(expected ?? first)
  })
})
