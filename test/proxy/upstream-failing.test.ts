/** What breaks on the way to an upstream or back: what the client hears of it, and what it pays. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { listen, until } from '../support/market.ts'
import { ask } from './raw.ts'
import { openReseller, type Reseller } from './reseller.ts'

let shop: Reseller
/** Called when a paid request for /late waits for its client to go. */
let waiting = (): void => undefined
let raw: Server
let connected: Socket[]
/** What the server without HTTP does with a connection. */
let converse: (socket: Socket) => void
beforeAll(async () => {
  raw = createServer((socket) => {
    connected.push(socket)
    socket.on('error', () => undefined)
    converse(socket)
  })
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
  const rawUrl = `http://127.0.0.1:${(raw.address() as AddressInfo).port}`
  const dead = await listen(() => undefined)
  await dead.close()
  shop = await openReseller((upstream) => ({
    'GET|POST /good/*': { price: 5n, upstream },
    'GET|POST /dead': { price: 5n, upstream: { url: dead.url, headers: { 'x-api-key': 'of-the-operator' } } },
    'GET /nowhere': { price: 5n, upstream: 'http://nowhere.invalid' },
    'GET /slow/*': { price: 5n, upstream: { url: upstream, timeoutMs: 50 } },
    'GET|POST /raw': { price: 5n, upstream: rawUrl },
    'GET /late': {
      price: async ({ request }) => {
        if (request.headers.authorization) await gone(request)
        return 5n
      },
      upstream,
    },
    'GET /plain': { price: 5n, upstream: rawUrl.replace('http:', 'https:') },
  }))
})
beforeEach(() => {
  shop.seen.length = 0
  shop.logged.length = 0
  connected = []
  shop.answer = (_request, response) => response.end('content')
})
afterAll(() => {
  for (const socket of connected) socket.destroy()
  raw.close()
})

function gone(request: IncomingMessage): Promise<unknown> {
  waiting()
  return new Promise((resolve) => request.socket.once('close', resolve))
}

/** A request under way, paid. */
async function start(method: string, target: string, headers: Record<string, string> = {}) {
  const { hostname, port } = new URL(shop.url)
  const paying = await shop.paying(method, target)
  const sent = httpRequest({ hostname, port, method, path: target, headers: { ...headers, ...paying }, agent: false })
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject))
  return { sent, answered }
}

function chunksOf(stream: IncomingMessage): AsyncIterator<Buffer> {
  return stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
}

/** More bytes than sockets hold between them. */
const LONG = 32 * 1_048_576

describe('an upstream that fails before it answers', () => {
  const garbage = (socket: Socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n'))
  const upgrade = (socket: Socket) =>
    socket.once('data', () =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    )
  const hangUp = (socket: Socket) => socket.once('data', () => socket.destroy())

  it.each([
    ['that refuses', '/dead', 502, undefined],
    ['that has no address', '/nowhere', 502, undefined],
    ['that is silent', '/slow/x', 504, undefined],
    ['that hangs up', '/raw', 502, hangUp],
    ['that does not speak HTTP', '/raw', 502, garbage],
    ['that changes the protocol', '/raw', 502, upgrade],
    ['that does not speak TLS', '/plain', 502, garbage],
  ])('%s costs nothing', async (_which, target, expected, how) => {
    shop.answer = () => undefined
    converse = how ?? (() => undefined)
    const before = await shop.charged()
    const { status, headers, body } = await shop.buy('GET', target)
    expect([status, headers['content-type']]).toEqual([expected, 'application/problem+json'])
    expect(JSON.parse(body)).toMatchObject({
      status,
      detail: expect.stringContaining('Nothing was charged') as unknown,
    })
    expect(body).not.toMatch(/127\.0\.0\.1|invalid|ECONN|operator/)
    expect(headers['payment-receipt']).toBeUndefined()
    await until(async () => (await shop.charged()) === before)
    expect(shop.logged).toMatchObject([{ event: 'upstream-failed' }])
    expect(JSON.stringify(shop.logged)).not.toContain('operator')
  })

  it.each([
    ['is not there', '/dead', 502],
    ['answers at once', '/raw', 413],
  ])(
    '%s leaves the connection of the client as it was, whatever the client still had to say',
    async (_how, target, status) => {
      converse = (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'))
      const { authorization } = await shop.paying('POST', target)
      let heard = ''
      const client = connect(Number(new URL(shop.url).port), '127.0.0.1')
      client.on('data', (chunk) => (heard += String(chunk)))
      client.write(
        `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Length: ${LONG}\r\n\r\n`,
      )
      client.write('x')
      await until(() => heard.includes(`HTTP/1.1 ${status} `))
      client.write(Buffer.alloc(LONG - 1))
      client.write('GET /good/x HTTP/1.1\r\nHost: x\r\n\r\n')
      await until(() => heard.includes('HTTP/1.1 402 '))
      client.destroy()
    },
  )

  it.each([402, 407])('with %i, which only its operator can do something about, costs nothing', async (code) => {
    shop.answer = (_request, response) => response.writeHead(code, { 'WWW-Authenticate': 'Payment id="x"' }).end('pay')
    const before = await shop.charged()
    const { status, headers } = await shop.buy('GET', '/good/x')
    expect([status, headers['www-authenticate']]).toEqual([502, undefined])
    await until(async () => (await shop.charged()) === before)
  })

  it('with a 5xx costs nothing, and is passed on', async () => {
    shop.answer = (_request, response) => response.writeHead(503, { 'Retry-After': '7' }).end('busy')
    const before = await shop.charged()
    const { status, headers, body } = await shop.buy('GET', '/good/x')
    expect([status, headers['retry-after'], body]).toEqual([503, '7', 'busy'])
    await until(async () => (await shop.charged()) === before)
  })
})

describe('an answer that breaks off', () => {
  it.each([
    ['of a known length', 'Content-Length: 10\r\n\r\nhalf'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('%s breaks off at the client, too', async (_how, text) => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      converse = (socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${text}`))
      const { sent, answered } = await start('GET', '/raw')
      sent.end()
      const chunks = chunksOf(await answered)
      expect(String((await chunks.next()).value)).toBe('half')
      connected.at(-1)![end]()
      await expect(chunks.next()).rejects.toThrow('aborted')
    }
  })

  it('because the upstream falls silent breaks off, too', async () => {
    shop.answer = (_request, response) => response.write('half')
    const { sent, answered } = await start('GET', '/slow/x')
    sent.end()
    const chunks = chunksOf(await answered)
    expect(String((await chunks.next()).value)).toBe('half')
    await expect(chunks.next()).rejects.toThrow('aborted')
  })
})

describe('a client that goes away', () => {
  it('before the answer ends the request to the upstream, and pays nothing', async () => {
    const before = await shop.charged()
    let ended = false
    shop.answer = (request) => request.socket.once('close', () => (ended = true))
    const { sent, answered } = await start('GET', '/good/x')
    sent.end()
    await until(() => shop.seen.length === 1)
    expect(await shop.charged()).toBe(before + 5n)
    sent.destroy()
    await expect(answered).rejects.toThrow()
    await until(() => ended)
    await until(async () => (await shop.charged()) === before)
    expect(shop.logged).toEqual([])
  })

  it('while it is charged never gets to the upstream, and pays nothing', async () => {
    await shop.buy('GET', '/good/x')
    const before = await shop.charged()
    const { failures } = shop.receiver.live
    expect(failures.size).toBe(0)
    const waits = new Promise<void>((resolve) => (waiting = resolve))
    const { sent, answered } = await start('GET', '/late')
    sent.end()
    await waits
    sent.destroy()
    await expect(answered).rejects.toThrow()
    await until(() => failures.size === 1)
    await until(async () => (await shop.charged()) === before)
    expect(shop.seen).toHaveLength(1)
  })

  it('in the middle of the answer ends the request to the upstream', async () => {
    let ended = false
    shop.answer = (_request, response) => response.once('close', () => (ended = true)).write('half')
    const { sent, answered } = await start('GET', '/good/x')
    sent.end()
    await chunksOf(await answered).next()
    sent.destroy()
    await until(() => ended)
  })

  it('in the middle of its body ends the request to the upstream', async () => {
    let ended = false
    shop.answer = (request) => request.on('error', () => (ended = true)).resume()
    const { sent, answered } = await start('POST', '/good/stream', { 'content-length': '10' })
    sent.write('half')
    await until(() => shop.seen.length === 1)
    sent.destroy()
    await expect(answered).rejects.toThrow()
    await until(() => ended)
  })
})

describe('what is long', () => {
  it('passes as it comes, both ways', async () => {
    shop.answer = (request, response) => request.pipe(response)
    const { sent, answered } = await start('POST', '/good/stream', { 'transfer-encoding': 'chunked' })
    for (const word of ['one', 'two', 'three']) {
      sent.write(word)
      const chunks = chunksOf(await answered)
      expect(String((await chunks.next()).value)).toBe(word)
    }
    sent.end()
  })

  it('is begun before there is any content', async () => {
    shop.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    const { sent, answered } = await start('GET', '/good/x')
    sent.end()
    expect((await answered).headers['content-type']).toBe('text/event-stream')
    sent.destroy()
  })

  const CHUNK = Buffer.alloc(65_536)
  const CHUNKS = 4_096

  it('waits at the upstream for a client that does not read', async () => {
    let written = 0
    shop.answer = async (_request, response) => {
      for (; written < CHUNKS; written++) {
        if (!response.write(CHUNK)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
    }
    const { sent, answered } = await start('GET', '/good/x')
    sent.end()
    const answer = await answered
    await standsStill(() => written)
    expect(written).toBeLessThan(CHUNKS / 4)
    let read = 0
    for await (const chunk of answer) read += (chunk as Buffer).length
    expect(read).toBe(CHUNKS * CHUNK.length)
  })

  it('waits at the client for an upstream that does not read', async () => {
    let written = 0
    let reading: IncomingMessage | undefined
    shop.answer = (request, response) => {
      reading = request.once('end', () => void response.end())
    }
    const { sent, answered } = await start('POST', '/good/stream', { 'transfer-encoding': 'chunked' })
    const done = fill(sent, () => written++)
    await standsStill(() => written)
    expect(written).toBeLessThan(CHUNKS / 4)
    let read = 0
    for await (const chunk of reading!) read += (chunk as Buffer).length
    expect(read).toBe(CHUNKS * CHUNK.length)
    await done
    expect((await answered).statusCode).toBe(200)
  })

  async function fill(sent: ClientRequest, count: () => void): Promise<void> {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      count()
      if (!sent.write(CHUNK)) await new Promise((resolve) => sent.once('drain', resolve))
    }
    sent.end()
  }
})

/** Waits until a count has begun to rise and then has stayed the same for 50 looks. */
async function standsStill(count: () => number): Promise<void> {
  let last = 0
  let same = 0
  await until(() => {
    same = count() === last && last > 0 ? same + 1 : 0
    last = count()
    return same === 50
  })
}

it('the next request finds everything as before', async () => {
  expect((await ask(shop.url, 'GET', '/good/x')).status).toBe(402)
  expect((await shop.buy('GET', '/good/x')).body).toBe('content')
})
