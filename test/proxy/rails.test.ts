/** What a proxy promises, on each rail: prices by method and parameter, the upstream unpaid and paid, failures for nothing. */
import type { IncomingMessage } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { createProxy } from '../../src/proxy/proxy.ts'
import { listen, newReceiver, startWorld, until } from '../support/market.ts'
import { railKits } from '../support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

describe.each(railKits)('a proxy on the rail $name', ({ name, rail, openBuyer }) => {
  const open = async () => {
    const receiver = await newReceiver(world, { rails: [rail(world)] })
    const seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = []
    const upstream = await listen((request, response) => {
      void (async () => {
        const { method = '', url = '', headers } = request
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
        response.writeHead(url.includes('broken') ? 503 : 201, { ETag: '"1"' }).end('content')
      })()
    })
    const proxy = createProxy({
      receiver,
      routes: {
        'GET /': { price: { free: true }, text: 'welcome' },
        'GET /dear/:n(^[1-9]\\d{0,5}$)': { price: ({ params }) => BigInt(params.n!), json: ({ params }) => params },
        'GET /fails': { price: 5n, json: () => undefined },
        '/api/*': {
          price: { GET: 5n, POST: 50n, PUT: 7n, DELETE: { free: true } },
          upstream: `${upstream.url}/base/`,
        },
      },
    })
    const url = await proxy.listen(0)
    const buyer = await openBuyer(world, receiver, 10_000n)
    const charged = async () => (await buyer.known())!.charged
    const buy = async (method: string, target: string, price: bigint, init: RequestInit = {}) =>
      buyer.pay(`${url}${target}`, (await charged()) + price, { init: { ...init, method } })
    return { receiver, upstream, proxy, url, seen, charged, buy }
  }
  const market = open()
  afterAll(async () => {
    const { receiver, upstream, proxy } = await market
    await proxy.close()
    await receiver.stop()
    await upstream.close()
  })

  /** What an unpaid answer asks for, in base units. */
  const askedFor = ({ headers }: Response) => {
    if (name === 'rdn') return headers.get('rdn-price')
    const [, request = ''] = /request="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? []
    return (JSON.parse(Buffer.from(request, 'base64url').toString()) as { amount: string }).amount
  }

  it('gives away what is free, and asks for the price of the parameter for the rest', async () => {
    const { url, buy, charged } = await market
    expect(await (await fetch(url)).text()).toBe('welcome')
    const unpaid = await fetch(`${url}/dear/17`)
    expect([unpaid.status, askedFor(unpaid)]).toEqual([402, '17'])
    const before = await charged()
    const response = await buy('GET', '/dear/17', 17n)
    expect([response.status, await response.json()]).toEqual([200, { n: '17' }])
    expect((await charged()) - before).toBe(17n)
    expect((await fetch(`${url}/dear/0`)).status).toBe(404)
  })

  it.each([
    ['GET', 5n],
    ['POST', 50n],
    ['PUT', 7n],
  ] as const)('charges the price of %s, and shows the upstream the request and no payment', async (method, price) => {
    const { url, buy, charged, seen } = await market
    const before = await charged()
    const reached = seen.length
    const unpaid = await fetch(`${url}/api/a%20b?q=%2F`, { method })
    expect([unpaid.status, askedFor(unpaid)]).toEqual([402, `${price}`])
    expect((await buy(method, '/api/a%20b?q=%2F', price - 1n)).status).toBe(402)
    expect(seen.length).toBe(reached)
    const body = method === 'GET' ? '' : 'hello'
    const response = await buy(method, '/api/a%20b?q=%2F', price, body ? { body } : {})
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([201, '"1"', 'content'])
    expect((await charged()) - before).toBe(price)
    expect(seen.slice(reached)).toMatchObject([{ method, url: '/base/api/a%20b?q=%2F', body }])
    const shown = Object.keys(seen.at(-1)!.headers).filter((header) => /^(rdn-|authorization|payment)/.test(header))
    expect(shown).toEqual([])
  })

  it('gives a method away that is free, and refuses one that has no price', async () => {
    const { url, seen } = await market
    const reached = seen.length
    expect((await fetch(`${url}/api/x`, { method: 'DELETE' })).status).toBe(201)
    const { status, headers } = await fetch(`${url}/api/x`, { method: 'PATCH' })
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, POST, PUT, DELETE, OPTIONS'])
    expect(seen.slice(reached).map(({ method }) => method)).toEqual(['DELETE'])
  })

  it.each(['/fails', '/api/broken'])('charges nothing for what fails: %s', async (target) => {
    const { buy, charged } = await market
    const before = await charged()
    expect((await buy('GET', target, 5n)).status).toBeGreaterThanOrEqual(500)
    await until(async () => (await charged()) === before)
    // What was paid is credit: the next purchase needs no more.
    expect((await buy('GET', '/dear/5', 5n)).status).toBe(200)
    expect(await charged()).toBe(before + 5n)
  })
})
