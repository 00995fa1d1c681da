/** What a proxy serves, what it charges for, and that nothing else can be had. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type PaidServer } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { newBuyer, newReceiver, startWorld, type Buyer } from '../support/market.ts'
import { authorization, challengeOf, requestOf } from '../support/wire.ts'
import { ask } from './raw.ts'

let world: LocalChain
let receiver: Receiver
let proxy: PaidServer
let url: string
let buyer: Buyer
let served = 0
beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world)
  proxy = createProxy({
    receiver,
    routes: {
      'GET /': { price: { free: true }, text: 'welcome' },
      'GET /api/premium': { price: 5n, run: (_request, response) => response.end(`secret ${++served}`) },
      'GET /echofix/:text': { price: 5n, text: ({ params }) => params.text! },
      'GET /echodyn/:n(^[1-9]\\d{0,5}$)': { price: ({ params }) => BigInt(params.n!), json: ({ params }) => params },
      'GET /tree/*': { price: 1n, text: ({ params }) => params['*']! },
      'POST|PUT /notes': { price: 2n, run: (request, response) => request.pipe(response) },
      'GET /notes': { price: { free: true }, json: ['a', 'b'] },
      'GET /broken': { price: 5n, json: () => undefined },
    },
  })
  url = await proxy.listen(0)
  buyer = await newBuyer(world, receiver, 100_000n)
})
afterAll(async () => {
  await proxy.close()
  await receiver.stop()
  await world.anvil.stop()
})

/** Pays what is asked on the buyer's one channel; `cumulative` rises from test to test. */
let cumulative = 0n
async function buy(target: string, init: RequestInit = {}): Promise<Response> {
  const { method = 'GET' } = init
  const challenge = challengeOf(await fetch(`${url}${target}`, { method }))
  const paid = (cumulative += BigInt(requestOf(challenge).amount))
  return buyer.pay(`${url}${target}`, paid, { challenge, init })
}

describe('a proxy', () => {
  it('serves what is free to everyone', async () => {
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([200, 'welcome'])
  })

  it('asks for the price of the route, and serves who pays', async () => {
    expect((await fetch(`${url}/echofix/foo`)).status).toBe(402)
    const response = await buy('/echofix/foo')
    expect([response.status, await response.text()]).toEqual([200, 'foo'])
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  })

  it('computes a price from the parameters', async () => {
    expect(requestOf(challengeOf(await fetch(`${url}/echodyn/7`))).amount).toBe('7')
    expect(await (await buy('/echodyn/7')).json()).toEqual({ n: '7' })
  })

  it.each(['/echodyn/0', '/echodyn/-1', '/echodyn/x', '/echodyn/1234567', '/nothing'])(
    'has nothing at %s, and charges nothing for it',
    async (target) => {
      const { status, headers, body } = await ask(url, 'GET', target)
      expect(status).toBe(404)
      expect(headers['content-type']).toBe('application/problem+json')
      expect(headers['www-authenticate']).toBeUndefined()
      expect(JSON.parse(body)).toMatchObject({ status: 404, detail: expect.stringContaining('nothing') as unknown })
    },
  )

  it('takes an offer for every URL of a route with a fixed price, and for no other route', async () => {
    const challenge = challengeOf(await fetch(`${url}/echofix/foo`))
    const other = await buyer.pay(`${url}/echofix/bar?x=1`, (cumulative += 5n), { challenge })
    expect(await other.text()).toBe('bar')
    const dearer = await buyer.pay(`${url}/api/premium`, cumulative + 5n, { challenge })
    expect([dearer.status, ((await dearer.json()) as { code: string }).code]).toEqual([402, 'offer-not-found'])
  })

  it('gives the charge back when the content fails', async () => {
    const before = (await buyer.known())!.charged
    expect((await buy('/broken')).status).toBe(500)
    cumulative -= 5n // the credit stays
    expect((await buyer.known())!.charged).toBe(before)
  })
})

describe('methods of a route', () => {
  it('are those that it declares; HEAD comes with GET', async () => {
    expect((await fetch(`${url}/echofix/foo`, { method: 'HEAD' })).status).toBe(402)
    const { status, headers } = await ask(url, 'DELETE', '/echofix/foo')
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect((await ask(url, 'PATCH', '/notes')).headers.allow).toBe('GET, HEAD, POST, PUT, OPTIONS')
    expect((await ask(url, 'TRACE', '/notes')).status).toBe(405)
    expect((await ask(url, 'POST', '/nothing')).status).toBe(404)
  })

  it('may have different prices', async () => {
    expect(await (await fetch(`${url}/notes`)).json()).toEqual(['a', 'b'])
    expect((await fetch(`${url}/notes`, { method: 'POST' })).status).toBe(402)
    const response = await buy('/notes', { method: 'PUT', body: 'remember' })
    expect([response.status, await response.text()]).toEqual([200, 'remember'])
  })

  it('are said to who asks with OPTIONS, for nothing', async () => {
    const { status, headers, body } = await ask(url, 'OPTIONS', '/echofix/foo')
    expect([status, headers.allow, body]).toEqual([204, 'GET, HEAD, OPTIONS', ''])
  })

  it('do not keep a sender from closing its channel at the address it bought from', async () => {
    const leaver = await newBuyer(world, receiver, 500n)
    const challenge = challengeOf(await fetch(`${url}/echofix/foo`))
    const close = { action: 'close', channelId: leaver.id, cumulativeAmount: '0', signature: await leaver.sign(0n) }
    const headers = { authorization: authorization(challenge, close) }
    const response = await fetch(`${url}/echofix/foo`, { method: 'POST', headers })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(response.headers.get('payment-receipt')).not.toBeNull()
  })

  it('do not sell by a method that the route does not have, whatever is paid', async () => {
    const before = (await buyer.known())!.charged
    const calls = served
    const challenge = challengeOf(await fetch(`${url}/api/premium`))
    const response = await buyer.pay(`${url}/api/premium`, cumulative + 5n, { challenge, init: { method: 'POST' } })
    expect(await response.text()).toBe('')
    expect(served).toBe(calls)
    expect((await buyer.known())!.charged).toBe(before)
  })
})

describe('another spelling of a paid address', () => {
  const spellings = [
    ['/api%2Fpremium', 404],
    ['/api%2fpremium', 404],
    ['/%61pi/premium', 402],
    ['/api/%70remium', 402],
    ['//api/premium', 404],
    ['/api//premium', 404],
    ['/api/premium/', 404],
    ['/API/premium', 404],
    ['/api/premium;x', 404],
    ['/api/premium;x=1', 404],
    ['/api/premium%3Bx', 404],
    ['/x/..%2fapi/premium', 404],
    ['/x/../api/premium', 404],
    ['/x/%2e%2e/api/premium', 404],
    ['/./api/premium', 404],
    ['/api/premium\\', 404],
    ['/api\\premium', 404],
    ['\\api\\premium', 400],
    ['/api%5Cpremium', 404],
    ['/%2561pi/premium', 404],
    ['/api%252Fpremium', 404],
    ['/api/premium%00', 404],
    ['/api/premium%20', 404],
    ['/api/premium?x', 402],
    ['/api/premium#x', 402],
    ['/api/premium%3Fx', 404],
    ['/api/premium%23', 404],
    ['/api/premium/..', 404],
    ['/tree/../api/premium', 402], // what is below /tree/ has the price of /tree/
    ['/tree/..%2fapi%2fpremium', 402],
    ['http://evil.example/api/premium', 402],
    ['https://evil.example:80/api/premium', 402],
    ['//evil.example/api/premium', 404],
    ['/api/premium%', 400],
    ['/api/premium%zz', 400],
    ['/%c0%af', 400],
    ['/echofix/%', 400],
    ['/echofix/a%2Fb', 402],
    ['/echofix/', 402],
  ] as const

  it.each(spellings)('%s is answered with %i and never served unpaid', async (target, status) => {
    const before = served
    expect((await ask(url, 'GET', target)).status).toBe(status)
    expect(served).toBe(before)
  })

  it('may be long, as far as the router reads', async () => {
    expect((await ask(url, 'GET', `/echofix/${'a'.repeat(8_000)}`)).status).toBe(402)
    expect((await ask(url, 'GET', `/echofix/${'a'.repeat(9_000)}`)).status).toBe(404)
  })

  it('is served as the address it means, to one who pays for that', async () => {
    const response = await buy('/api/%70remium')
    expect([response.status, await response.text()]).toEqual([200, `secret ${served}`])
  })
})
