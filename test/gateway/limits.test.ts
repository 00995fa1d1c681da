/** What one who proves nothing can take of a receiver, and what it cannot take from others. */
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import express from 'express'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createGateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { createLimiter } from '../../src/gateway/limiter.ts'
import { networkOf } from '../../src/gateway/request.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, startWorld, until } from '../support/market.ts'
import { cheapHash, close, openStand, prove, proven, read } from './stand.ts'

const world = await startWorld()
const stand = await openStand(world)
afterAll(async () => {
  await stand.close()
  await world.anvil.stop()
})

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** One request a second, five at once; the time stands still unless it is moved. */
async function strict(receiver: Receiver = stand.receiver, options: GatewayOptions = {}) {
  const clock = { ms: Date.now() }
  const users = [{ name: 'ops', password: cheapHash('battery') }]
  const named = (request: { headers: IncomingHttpHeaders }) => [request.headers['x-client']].flat()[0] ?? 'one'
  const given = { requestsPerSecond: 1, now: () => clock.ms, clientOf: named, users, ...options }
  const gateway = createGateway(receiver, given)
  const { url, close: stop } = await listen((request, response) => void gateway.serve(request, response))
  endings.push(stop)
  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}/api/1${path}`, { headers })
  const spend = async (headers?: Record<string, string>) => {
    for (let count = 0; count < 5; count += 1) await get('/nothing', headers)
  }
  return { api: `${url}/api/1`, clock, get, spend }
}

describe('a client that proves nothing', () => {
  it('has to wait when it has asked too much, and others have not', async () => {
    const { clock, get } = await strict()
    for (const path of ['/stats', '/channels/', '/channels/0x12', '/nothing', '/channels/0x12/1'])
      expect((await get(path)).status).not.toBe(429)
    const refused = await get('/stats')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ status: 429, detail: 'Too many requests. Ask again in 1 seconds.' })
    expect((await get('/stats', { 'X-Client': 'two' })).status).toBe(200)
    clock.ms += 1_000
    expect([(await get('/stats')).status, (await get('/stats')).status]).toEqual([200, 429])
  })

  it('does not get more by a proof that does not hold, or by a password that is none', async () => {
    const customer = await stand.customer(1)
    const { get } = await strict()
    const wrong = { 'RDN-Sender-Proof': await prove(world, customer.key, close(customer, 7n)) }
    const broken = { 'RDN-Sender-Proof': '1' }
    const statuses: number[] = []
    for (const headers of [wrong, broken, wrong, broken]) statuses.push((await get(customer.path, headers)).status)
    expect(statuses).toEqual([403, 400, 403, 400])
    const token = { Authorization: `Basic ${Buffer.from('token:').toString('base64')}` }
    expect([(await get('/stats', token)).status, (await get('/stats', token)).status]).toEqual([401, 429])
    expect((await get(customer.path, wrong)).status).toBe(429)
    expect((await get('/stats', wrong)).status).toBe(429) // a proof is good for nothing there
  })

  it('does not hold up a sender that proves itself, or an administrator', async () => {
    const customer = await stand.customer(1)
    const { api, get, spend } = await strict()
    await spend()
    expect((await get(customer.path)).status).toBe(429)
    const proof = await prove(world, customer.key, read(customer))
    for (let count = 0; count < 10; count += 1)
      expect((await get(customer.path, { 'RDN-Sender-Proof': proof })).status).toBe(200)
    const closing = await prove(world, customer.key, close(customer, 7n))
    const init = proven(closing, { method: 'DELETE', body: new URLSearchParams({ balance: '7' }) })
    expect((await fetch(`${api}${customer.path}`, init)).status).toBe(200)
    const ops = { Authorization: `Basic ${Buffer.from('ops:battery').toString('base64')}` }
    for (let count = 0; count < 10; count += 1) expect((await get('/stats', ops)).status).toBe(200)
  })

  it('has no more by coming from everywhere', async () => {
    const { get, spend } = await strict()
    for (let client = 0; client < 10; client += 1) await spend({ 'X-Client': `c${client}` })
    expect((await get('/stats', { 'X-Client': 'fresh' })).status).toBe(429)
  })

  it('pays for a long answer as for several', async () => {
    const known = (await (await stand.customer(0)).known())!
    const many = Array.from({ length: 2_000 }, (_, block) => {
      const sender = `0x${block.toString(16).padStart(40, '0')}` as const
      return { ...known, sender, terms: { openBlock: block } }
    })
    const channels = (): AsyncIterable<typeof known> => Readable.from(many)
    const { get } = await strict({ ...stand.receiver, channels })
    const answer = await get('/channels/')
    expect([answer.status, (await answer.text()).length > 2 * 65_536]).toEqual([200, true])
    const after = [await get('/cm2'), await get('/cm2'), await get('/cm2')].map(({ status }) => status)
    expect(after).toEqual([404, 404, 429])
  })
})

describe('the list of channels', () => {
  it('is read once for all who ask at a time, and then not for a while', async () => {
    let readings = 0
    async function* channels() {
      readings += 1
      const start = performance.now()
      await until(() => performance.now() > start + 200) // a slow disk
      yield* stand.receiver.channels()
    }
    const { get } = await strict({ ...stand.receiver, channels }, { requestsPerSecond: 1_000 })
    const asked = await Promise.all(Array.from({ length: 20 }, () => get('/channels/')))
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]))
    await Promise.all(Array.from({ length: 20 }, () => get('/stats')))
    expect(readings).toBe(1)
  })

  it('is asked for again after a reading that failed', async () => {
    let readings = 0
    async function* channels() {
      readings += 1
      if (readings === 1) throw new Error('the disk is on fire')
      yield* stand.receiver.channels()
    }
    const { get } = await strict({ ...stand.receiver, channels }, { requestsPerSecond: 10_000 })
    const failed = await get('/channels/')
    expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining('fire') as string])
    await until(async () => (await get('/channels/')).status === 200)
  })
})

it('a limiter gives room back evenly, remembers a bounded number of clients, and lets debts be paid', () => {
  let now = 0
  const limiter = createLimiter({ burst: 2, everyMs: 1_000, clients: 100 }, () => now)
  expect([limiter.take('a'), limiter.take('a'), limiter.take('a')]).toEqual([0, 0, 1])
  now = 1_000
  expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 1])
  limiter.giveBack('a')
  expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 1])
  limiter.charge('b', 10)
  expect(limiter.take('b')).toBe(9)
  now = 11_000
  expect(limiter.take('b')).toBe(0)
})

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8:1::', '2001:db8:1:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1:2:3:4', 'fe80:0:0:0'],
  ['', ''],
])('a client at %s is one of %s', (address, name) => {
  expect(networkOf(address)).toBe(name)
})

describe('whatever comes', () => {
  const { hostname, port } = new URL(stand.url)
  const raw = (text: string | Buffer) =>
    new Promise<string>((resolve) => {
      let said = ''
      const socket = connect(Number(port), hostname, () => socket.end(text))
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
      socket.on('close', () => resolve(said))
      socket.on('error', () => resolve(said))
    })

  it.each([
    'GET /api/1/channels/%00/1',
    'GET /api/1/channels/%ff%fe/1',
    'GET /api/1/channels/../../admin/1',
    'GET /api/1/channels/0x12/-1',
    `GET /api/1/channels/${'a'.repeat(8_000)}/1`,
    `GET /api/1/${'/'.repeat(8_000)}`,
    'GET /api/1/channels/?status=%E0%A4%A',
    'GET /api/1/channels/?status=open&status=%00',
    'DELETE /api/1/channels/0x12/1?balance=%',
    'TRACE /api/1/stats',
    'CONNECT /api/1/stats',
    'GET http://evil.example/api/1/stats',
  ])('%s is answered, and not with an error of the server', async (line) => {
    const answer = await raw(`${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    if (answer !== '') expect(Number(answer.slice(9, 12))).toBeLessThan(500)
    expect((await fetch(`${stand.url}/cm`)).status).toBe(200)
  })

  it('a password of no letters and a proof of no bytes are refused', async () => {
    for (const headers of [
      { Authorization: `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0x00]).toString('base64')}` },
      { Authorization: `Basic ${'A'.repeat(8_000)}` },
      { 'RDN-Sender-Proof': 'x'.repeat(8_000) },
      { 'RDN-Sender-Proof': '1 2 3' },
    ]) {
      const { status } = await fetch(`${stand.api}/channels/${stand.contract}`, { headers })
      expect([400, 401]).toContain(status)
    }
  })
})

it('is mounted in an Express application, behind a body parser too', async () => {
  const customer = await stand.customer(1)
  const gateway = createGateway(stand.receiver, { closeWithoutProof: true })
  const app = express()
  app.use(express.json(), (request, response, next) => {
    gateway.serve(request, response).then((served) => served || next(), next)
  })
  app.get('/mine', (_request, response) => response.send('mine'))
  const { url, close: stop } = await listen(app)
  endings.push(stop)
  expect(await (await fetch(`${url}/mine`)).text()).toBe('mine')
  const ask = async (body: BodyInit, type: string) =>
    (await fetch(`${url}/api/1${customer.path}`, { method: 'DELETE', body, headers: { 'Content-Type': type } })).status
  expect(await ask('{"balance":7.5}', 'application/json')).toBe(400)
  expect(await ask('{"balance":12345678901234567890}', 'application/json')).toBe(400)
  expect(await ask('{}', 'application/json')).toBe(400)
  expect(await ask('{"balance":7}', 'application/json')).toBe(200)
  expect(await ask('balance=7', 'application/x-www-form-urlencoded')).toBe(200)
})
