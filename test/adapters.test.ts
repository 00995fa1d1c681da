/** The same promises for every framework. A new adapter is one more row. */
import { request as httpRequest, type RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as expressAdapter from '../src/adapter/express.ts'
import * as honoAdapter from '../src/adapter/hono.ts'
import * as nodeAdapter from '../src/adapter/node.ts'
import * as webAdapter from '../src/adapter/web.ts'
import type { LocalChain } from '../src/cli/local-chain.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import { createClient } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { listen, newAccount, newBuyer, newReceiver, startWorld, until, type Buyer } from './support/market.ts'
import { challengeOf, receiptOf, requestOf } from './support/wire.ts'

/** `runs`: how often a handler has begun to wait. */
let steps: { readonly released: Promise<void>; readonly release: () => void; runs: number }
const newSteps = () => {
  let release: () => void = () => undefined
  steps = { released: new Promise((resolve) => (release = resolve)), release: () => release(), runs: 0 }
}

/** Each framework sells the same small shop. `calls` counts what reached a handler. */
type Kit = { readonly name: string; readonly listener: (receiver: Receiver, calls: string[]) => RequestListener }

const slow = async function* () {
  yield 'first '
  await steps.released
  yield 'last'
}

/** Answers all at once, when the test says so. */
async function late(): Promise<string> {
  steps.runs += 1
  await steps.released
  return 'late'
}

function streamOf(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
  })
}

const web: Kit = {
  name: 'web',
  listener: (receiver, calls) => {
    const sell = (price: Parameters<typeof webAdapter.paid>[1], run: webAdapter.WebHandler) =>
      webAdapter.paid(receiver, price, (request, paid) => {
        calls.push(new URL(request.url).pathname)
        return run(request, paid)
      })
    const stream = () => new Response(streamOf(slow()))
    const routes: Record<string, (request: Request) => Promise<Response>> = {
      '/plain': sell(5n, () => new Response('plain')),
      '/own': sell(5n, () => new Response('own', { headers: { 'cache-control': 'max-age=60', vary: 'Accept' } })),
      '/post': sell(5n, async (request) => new Response(`got ${await request.text()}`)),
      '/throws': sell(5n, () => Promise.reject(new Error('a secret'))),
      '/fails': sell(5n, () => new Response('no', { status: 503 })),
      '/teapot': sell(5n, () => new Response('tea', { status: 418 })),
      '/computed': sell(
        (request) => BigInt(new URL(request.url).searchParams.get('n') ?? 0),
        () => new Response('n'),
      ),
      '/ceiling': sell({ upTo: 50n }, (_request, paid) => {
        paid?.spend(20n)
        return new Response('cheap')
      }),
      '/free': sell({ free: true }, () => new Response('free')),
      '/stream': sell(5n, stream),
      '/late': sell(5n, async () => new Response(await late())),
    }
    const answer = (request: Request) =>
      routes[new URL(request.url).pathname]?.(request) ?? new Response('?', { status: 404 })
    const handle = getRequestListener(answer)
    return (incoming, outgoing) => void handle(incoming, outgoing)
  },
}

const node: Kit = {
  name: 'node',
  listener: (receiver, calls) => {
    const sell = (price: Parameters<typeof nodeAdapter.paid>[1], run: nodeAdapter.NodeHandler) =>
      nodeAdapter.paid(receiver, price, (request, response, paid) => {
        calls.push(request.url ?? '')
        return run(request, response, paid)
      })
    const routes: Record<string, RequestListener> = {
      '/plain': sell(5n, (_request, response) => response.end('plain')),
      '/own': sell(5n, (_request, response) => {
        response.writeHead(200, { 'cache-control': 'max-age=60', vary: 'Accept' }).end('own')
      }),
      '/post': sell(5n, async (request, response) => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        response.end(`got ${Buffer.concat(chunks).toString()}`)
      }),
      '/throws': sell(5n, () => Promise.reject(new Error('a secret'))),
      '/fails': sell(5n, (_request, response) => response.writeHead(503).end('no')),
      '/teapot': sell(5n, (_request, response) => response.writeHead(418).end('tea')),
      '/computed': sell(
        (request) => BigInt(new URL(request.url ?? '', 'http://x').searchParams.get('n') ?? 0),
        (_q, response) => response.end('n'),
      ),
      '/ceiling': sell({ upTo: 50n }, (_request, response, paid) => {
        paid?.spend(20n)
        response.end('cheap')
      }),
      '/free': sell({ free: true }, (_request, response) => response.end('free')),
      '/late': sell(5n, async (_request, response) => response.end(await late())),
      '/stream': sell(5n, async (_request, response) => {
        for await (const piece of slow()) response.write(piece)
        response.end()
      }),
    }
    return (request, response) => {
      const route = routes[(request.url ?? '').split('?')[0] ?? '']
      if (route) route(request, response)
      else response.writeHead(404).end()
    }
  },
}

const expressKit: Kit = {
  name: 'express',
  listener: (receiver, calls) => {
    const app = express()
    const sell = (price: Parameters<typeof expressAdapter.paid>[1]) => expressAdapter.paid(receiver, price)
    const note: express.RequestHandler = (request, _response, next) => {
      calls.push(request.path)
      next()
    }
    app.all('/plain', sell(5n), note, (_request, response) => void response.send('plain'))
    app.get(
      '/own',
      sell(5n),
      (_request, response) => void response.set({ 'cache-control': 'max-age=60', vary: 'Accept' }).send('own'),
    )
    app.post('/post', sell(5n), express.text({ type: '*/*' }), note, (request, response) => {
      response.send(`got ${String(request.body)}`)
    })
    app.get('/throws', sell(5n), note, () => {
      throw new Error('a secret')
    })
    app.get('/fails', sell(5n), note, (_request, response) => void response.status(503).send('no'))
    app.get('/teapot', sell(5n), note, (_request, response) => void response.status(418).send('tea'))
    app.get(
      '/computed',
      sell((request) => BigInt(request.query.n as string)),
      (_request, response) => void response.send('n'),
    )
    app.get('/ceiling', sell({ upTo: 50n }), (_request, response) => {
      expressAdapter.paidOf(response)?.spend(20n)
      response.send('cheap')
    })
    app.get('/free', sell({ free: true }), (_request, response) => void response.send('free'))
    app.post('/late', sell(5n), async (_request, response) => void response.send(await late()))
    app.get('/stream', sell(5n), note, async (_request, response) => {
      for await (const piece of slow()) response.write(piece)
      response.end()
    })
    const quiet: express.ErrorRequestHandler = (_error, _request, response, _next) =>
      void response.status(500).send('oops')
    app.use(quiet)
    return app
  },
}

const hono: Kit = {
  name: 'hono',
  listener: (receiver, calls) => {
    const app = new Hono<honoAdapter.PaidVariables>()
    const sell = (price: Parameters<typeof honoAdapter.paid>[1]) => honoAdapter.paid(receiver, price)
    app.use('*', async (c, next) => {
      await next()
      if (c.res.headers.has('x-ran')) calls.push(c.req.path)
    })
    const ran = { 'x-ran': '1' }
    app.all('/plain', sell(5n), (c) => c.body('plain', 200, ran))
    app.get('/own', sell(5n), (c) => c.body('own', 200, { 'cache-control': 'max-age=60', vary: 'Accept' }))
    app.post('/post', sell(5n), async (c) => c.body(`got ${await c.req.text()}`, 200, ran))
    app.get('/throws', sell(5n), () => {
      throw new Error('a secret')
    })
    app.get('/fails', sell(5n), (c) => c.body('no', 503, ran))
    app.get('/teapot', sell(5n), (c) => c.body('tea', 418, ran))
    app.get(
      '/computed',
      sell((c) => BigInt(c.req.query('n') ?? 0)),
      (c) => c.text('n'),
    )
    app.get('/ceiling', sell({ upTo: 50n }), (c) => {
      c.get('paid').spend(20n)
      return c.text('cheap')
    })
    app.get('/free', sell({ free: true }), (c) => c.text('free'))
    app.post('/late', sell(5n), async (c) => c.text(await late()))
    app.get('/stream', sell(5n), (c) => c.body(streamOf(slow()), 200, ran))
    app.onError((_error, c) => c.text('oops', 500))
    const handle = getRequestListener(app.fetch)
    return (incoming, outgoing) => void handle(incoming, outgoing)
  },
}

let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

describe.each([web, node, expressKit, hono])('$name', ({ listener }) => {
  const calls: string[] = []
  let receiver: Receiver
  let shop: Awaited<ReturnType<typeof listen>>
  beforeAll(async () => {
    receiver = await newReceiver(world, { limits: { failures: 3 } })
    shop = await listen(listener(receiver, calls))
  })
  afterAll(async () => {
    await shop.close()
    await receiver.stop()
  })
  const charged = async (buyer: Buyer) => (await buyer.known())?.charged
  const url = (path: string) => `${shop.url}${path}`

  it('asks for payment, and serves who pays, with a receipt', async () => {
    const unpaid = await fetch(url('/plain'))
    expect([unpaid.status, unpaid.headers.get('cache-control')]).toEqual([402, 'no-store'])
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(url('/plain'), 5n)
    expect([response.status, await response.text()]).toEqual([200, 'plain'])
    expect(receiptOf(response)).toMatchObject({ charged: '5' })
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.get('vary')).toContain('Authorization')
  })

  it("leaves the handler's own caching to the handler, and adds to its Vary", async () => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(url('/own'), 5n)
    expect(response.headers.get('cache-control')).toBe('max-age=60')
    expect(response.headers.get('vary')).toMatch(/Accept.*Authorization/)
  })

  it('hands the body on, and remembers the answer to it', async () => {
    const buyer = await newBuyer(world, receiver)
    const init = { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } }
    const challenge = challengeOf(await fetch(url('/post'), init))
    for (let i = 0; i < 2; i += 1) {
      const response = await buyer.pay(url('/post'), 50n, { init, challenge, key: 'k' })
      expect([response.status, await response.text()]).toEqual([200, 'got hello'])
      expect(response.headers.get('idempotency-replayed')).toBe(i === 0 ? null : 'true')
    }
    expect(await charged(buyer)).toBe(5n)
  })

  it.each(['/throws', '/fails'])('gives back when %s, without a receipt and without a secret', async (path) => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(url(path), 5n)
    expect(response.status).toBe(path === '/fails' ? 503 : 500)
    expect(response.headers.get('payment-receipt')).toBeNull()
    expect(await response.text()).not.toContain('secret')
    await until(async () => (await charged(buyer)) === 0n)
    const served = await buyer.pay(url('/plain'), 5n)
    expect(served.status).toBe(200)
  })

  it('stops one who makes handlers fail again and again, and charges nothing for it', async () => {
    const buyer = await newBuyer(world, receiver)
    const statuses: number[] = []
    for (let i = 0; i < 4; i += 1) {
      const response = await buyer.pay(url('/fails'), 50n)
      statuses.push(response.status)
      if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      await until(async () => (await charged(buyer)) === 0n)
    }
    expect(statuses).toEqual([503, 503, 503, 429])
  })

  it('charges for an answer that is no failure of ours', async () => {
    const buyer = await newBuyer(world, receiver)
    expect((await buyer.pay(url('/teapot'), 5n)).status).toBe(418)
    expect(await charged(buyer)).toBe(5n)
  })

  it('charges a computed price, and takes an offer for one request for no other', async () => {
    const buyer = await newBuyer(world, receiver)
    const cheap = challengeOf(await fetch(url('/computed?n=1')))
    expect(requestOf(cheap).amount).toBe('1')
    expect((await buyer.pay(url('/computed?n=900'), 1n, { challenge: cheap })).status).toBe(402)
    expect((await buyer.pay(url('/computed?n=7'), 7n)).status).toBe(200)
    expect(await charged(buyer)).toBe(7n)
  })

  it('sells nothing when the price cannot be computed', async () => {
    const response = await fetch(url('/computed?n=0'))
    expect(response.status).toBe(500)
    expect((await fetch(url('/computed?n=x'))).status).toBe(500)
  })

  it('charges what a request with a ceiling really cost', async () => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(url('/ceiling'), 50n)
    expect(receiptOf(response)).toMatchObject({ authorized: '50', charged: '20' })
    await until(async () => (await charged(buyer)) === 20n)
  })

  it('lets through what is free', async () => {
    expect(await (await fetch(url('/free'))).text()).toBe('free')
  })

  it('answers OPTIONS for nothing, with nothing', async () => {
    const response = await fetch(url('/plain'), { method: 'OPTIONS' })
    expect([response.status, await response.text()]).toEqual([204, ''])
  })

  it('does not sell methods that nobody knows', async () => {
    const status = await new Promise((resolve) => {
      httpRequest(url('/plain'), { method: 'PURGE' }, (response) => resolve(response.statusCode)).end()
    })
    expect([404, 405]).toContain(status)
  })

  it('sends the receipt with the first byte, and holds nothing back', async () => {
    newSteps()
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(url('/stream'), 5n, { key: 'streamed' })
    expect(receiptOf(response)).toMatchObject({ charged: '5' })
    const reader = response.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first ')
    steps.release()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('last')
  })

  it.each(['GET', 'POST'])('takes top ups and closes at a route that sells by %s only', async (method) => {
    const path = method === 'GET' ? '/teapot' : '/post'
    const client = await createClient({
      account: (await newAccount(world)).privateKey,
      chain: world.chain,
      store: memory(),
      budget: { perRequest: 5n, deposit: 100n },
      deposit: () => 5n,
      escrows: [world.escrow],
      tokens: [world.token],
    })
    const session = client.session()
    for (let i = 0; i < 2; i += 1) {
      const response = await session.request(method, url(path), method === 'GET' ? {} : { body: 'x' })
      expect(response.status).toBe(method === 'GET' ? 418 : 200)
    }
    for await (const { key } of client.channels()) {
      expect(await (await client.channel(key)).close(method === 'GET' ? url(path) : undefined)).toMatchObject({
        settled: 10n,
        refunded: 0n,
      })
    }
  })

  it('keeps the whole answer for a client that left in the middle (peer mistake 7)', async () => {
    newSteps()
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(url('/stream'), 5n, { key: 'left' })
    const leave = new AbortController()
    const response = await fetch(url('/stream'), { headers, signal: leave.signal })
    await response.body!.getReader().read()
    leave.abort()
    steps.release()
    const again = await fetch(url('/stream'), { headers })
    expect([again.status, await again.text()]).toEqual([200, 'first last'])
    expect(await charged(buyer)).toBe(5n)
  })

  it('keeps the answer for a client that left before its first byte', async () => {
    newSteps()
    const buyer = await newBuyer(world, receiver)
    const method = 'POST'
    const challenge = challengeOf(await fetch(url('/late'), { method }))
    const headers = await buyer.headers(url('/late'), 5n, { key: 'left early', challenge })
    let isClosed = false
    shop.server.once('request', (_request, response) => response.once('close', () => (isClosed = true)))
    const leave = new AbortController()
    const left = fetch(url('/late'), { method, headers, signal: leave.signal }).catch(
      (error: unknown) => (error as Error).name,
    )
    await until(() => steps.runs === 1)
    leave.abort()
    expect(await left).toBe('AbortError')
    await until(() => isClosed)
    steps.release()
    const again = await fetch(url('/late'), { method, headers })
    expect([again.status, await again.text(), steps.runs]).toEqual([200, 'late', 1])
    expect(receiptOf(again)).toMatchObject({ charged: '5' })
    expect(await charged(buyer)).toBe(5n)
  })
})
