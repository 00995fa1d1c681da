/** A proxy that could give something away by mistake does not start, and says which route is wrong. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type Routes } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newReceiver, startWorld, until } from '../support/market.ts'
import { ask } from './raw.ts'

let world: LocalChain
let receiver: Receiver
const folder = mkdtempSync(join(tmpdir(), 'farthing-config-'))
beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world)
})
afterAll(async () => {
  await receiver.stop()
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

/** What callers without types may write, too. */
function refusal(routes: unknown): ConfigError {
  try {
    createProxy({ receiver, routes: routes as Routes })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the routes were taken')
}

describe('a proxy does not start with', () => {
  it.each([
    ['a price of 0', { price: 0n, text: 'x' }],
    ['a negative price', { price: -1n, text: 'x' }],
    ['a price that is a number', { price: 5, text: 'x' }],
    ['a price of NaN', { price: Number.NaN, text: 'x' }],
    ['a price in words', { price: 'free', text: 'x' }],
    ['no price', { text: 'x' }],
    ['a price of null', { price: null, text: 'x' }],
    ['free: false', { price: { free: false }, text: 'x' }],
    ['an empty object for a price', { price: {}, text: 'x' }],
    ['a ceiling of 0', { price: { upTo: 0n }, text: 'x' }],
  ])('%s', (_what, route) => {
    const { field, message } = refusal({ 'GET /a': route })
    expect(field).toBe('routes["GET /a"].price')
    expect(message).toContain('base units')
  })

  it.each([
    ['no content', { price: 5n }, 'exactly one of'],
    ['two contents', { price: 5n, text: 'x', json: 1 }, 'text and json'],
    ['a handler that is no function', { price: 5n, run: 'x' }, 'function'],
    ['a folder that is not there', { price: 5n, files: join(folder, 'none') }, 'not a folder'],
    ['a folder that is a file', { price: 5n, file: folder }, 'not a file'],
    ['a file that is not there', { price: 5n, file: join(folder, 'none') }, 'not a file'],
  ])('%s', (_what, route, said) => {
    const { field, message } = refusal({ 'GET /a/*': route })
    expect(field).toMatch(/^routes\["GET \/a\/\*"\]/)
    expect(message).toContain(said)
  })

  it.each([
    '/a',
    'GET',
    'GET a',
    'get /a',
    'GET  /a',
    'HEAD /a',
    'OPTIONS /a',
    'FOO /a',
    'GET, POST /a',
    'GET /a?x=1',
    'GET /a#x',
    'GET /a b',
    'GET /a/*/b',
    'GET|POST|FOO /a',
  ])('the pattern %s', (pattern) => {
    expect(refusal({ [pattern]: { price: 5n, text: 'x' } }).field).toBe(`routes[${JSON.stringify(pattern)}]`)
  })

  it.each([
    ['an address without a scheme', 'example.com/base', 'not a whole URL'],
    ['a path alone', '/base', 'not a whole URL'],
    ['an address without a scheme, with slashes', '//example.com', 'not a whole URL'],
    ['nothing', '', 'not a whole URL'],
    ['a number', 5, 'not a whole URL'],
    ['null', null, 'not a whole URL'],
    ['another scheme', 'ftp://example.com', 'http: or https:'],
    ['a file', 'file:///etc/passwd', 'http: or https:'],
    ['a user', 'https://user@example.com', 'user name or a password'],
    ['a password', 'https://:hunter2@example.com', 'user name or a password'],
    ['a query', 'https://example.com/?key=hunter2', 'query or a fragment'],
    ['an empty query', 'https://example.com/?', 'query or a fragment'],
    ['a fragment', 'https://example.com/#x', 'query or a fragment'],
  ])('an upstream with %s', (_what, url, said) => {
    const alone = refusal({ 'GET /a/*': { price: 5n, upstream: url } })
    expect([alone.field, alone.message]).toEqual(['routes["GET /a/*"].upstream', expect.stringContaining(said)])
    const withOptions = refusal({ 'GET /a/*': { price: 5n, upstream: { url } } })
    expect([withOptions.field, withOptions.message]).toEqual([
      'routes["GET /a/*"].upstream.url',
      expect.stringContaining(said),
    ])
    expect(alone.message).not.toContain('hunter2')
  })

  it.each([
    ['strip', '/b'],
    ['strip', '/a/'],
    ['strip', 'a'],
    ['strip', '/a/:x'],
    ['strip', '/a/:x/*'],
    ['strip', '/'],
    ['strip', 5],
    ['timeoutMs', 0],
    ['timeoutMs', -1],
    ['timeoutMs', 1.5],
    ['timeoutMs', '5'],
    ['freeStatuses', [200, 'x']],
    ['freeStatuses', [100]],
    ['headers', { Host: 'x' }],
    ['headers', { Connection: 'close' }],
    ['headers', { 'Content-Length': '5' }],
    ['headers', { 'Idempotency-Key': '5' }],
    ['headers', { 'X Key': '5' }],
    ['headers', { Cookie: 'a=b' }],
    ['headers', { 'X-Key': 'hunter2\r\nX-Other: 1' }],
    ['headers', { 'X-Key': '' }],
    ['headers', { 'X-Key': undefined }],
    ['forward', ['Cookie']],
    ['forward', ['Set-Cookie']],
    ['forward', ['Transfer-Encoding']],
    ['forward', ['Proxy-Authorization']],
    ['forward', ['Host']],
    ['forward', ['X-Forwarded-For']],
    ['forward', ['Forwarded']],
    ['forward', ['*']],
    ['forward', ['']],
  ])('an upstream with the option %s: %j', (option, value) => {
    const upstream = { url: 'https://example.com', [option]: value }
    const { field, message } = refusal({ 'GET /a/:x/*': { price: 5n, upstream } })
    expect(field).toBe(`routes["GET /a/:x/*"].upstream.${option}`)
    expect(message).not.toContain('hunter2')
  })

  it('an upstream that is to get the payments', () => {
    const [rail] = receiver.rails
    const dialect = { ...rail!.dialect, requestHeaders: ['Accept', 'X-Pay', 'Authorization'] }
    const other = { ...receiver, rails: [{ ...rail!, dialect }] }
    const make = (upstream: object) => () => {
      createProxy({ receiver: other, routes: { 'GET /a': { price: 5n, upstream: { url: 'http://x', ...upstream } } } })
    }
    expect(make({ forward: ['x-pay'] })).toThrow(/upstream\.forward: x-pay is for payments/)
    expect(make({ headers: { 'X-PAY': '5' } })).toThrow(/upstream\.headers: X-PAY is for payments/)
    expect(make({ forward: ['Accept', 'Authorization'] })).not.toThrow()
  })

  it.each([
    ['/a', {}, 'routes["/a"]'],
    ['/a', { GET: 0n }, 'routes["/a"].price.GET'],
    ['/a', { GET: 5n, POST: 5 }, 'routes["/a"].price.POST'],
    ['/a', { GET: 5n, HEAD: 5n }, 'routes["/a"].price'],
    ['/a', { GET: 5n, FOO: 5n }, 'routes["/a"].price'],
    ['/a', { GET: 5n, upTo: 5n }, 'routes["/a"].price'],
    ['GET /a', { GET: 5n }, 'routes["GET /a"]'],
    ['/a', { free: true }, 'routes["/a"]'],
  ])('%s with prices by method: %o', (pattern, price, field) => {
    expect(refusal({ [pattern]: { price, text: 'x' } }).field).toBe(field)
  })

  it('a folder without a * in its pattern, or sold by POST', () => {
    expect(refusal({ 'GET /a': { price: 5n, files: folder } }).message).toContain('/*')
    expect(refusal({ 'POST /a/*': { price: 5n, files: folder } }).message).toContain('GET only')
  })

  it.each([
    [['GET /a', 'GET /a']],
    [['GET /a', 'POST|GET /a']],
    [['GET /a/:x', 'GET /a/:y']],
    [['GET /a/*', 'GET /a/*']],
  ])('two routes for the same requests: %s', (patterns) => {
    const [, second] = patterns
    const routes = patterns.map((pattern, n) => [pattern, { price: BigInt(n + 1), text: 'x' }])
    expect(refusal(routes).field).toBe(`routes[${JSON.stringify(second)}]`)
  })
})

describe('a running proxy', () => {
  it('says where it listens, and that a port is in use', async () => {
    const proxy = createProxy({ receiver, routes: { 'GET /': { price: { free: true }, text: 'x' } } })
    expect(proxy.url).toBeUndefined()
    const url = await proxy.listen(0)
    expect(proxy.url).toBe(url)
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const other = createProxy({ receiver, routes: {} })
    await expect(other.listen(Number(new URL(url).port))).rejects.toThrow(/in use/)
    await proxy.close()
    expect(proxy.url).toBeUndefined()
  })

  it('keeps no connection to its upstream when it has closed', async () => {
    const upstream = await listen((_request, response) => {
      response.setHeader('Keep-Alive', 'timeout=600')
      response.end('x')
    })
    upstream.server.keepAliveTimeout = 600_000
    let open = 0
    upstream.server.on('connection', (socket) => {
      open++
      socket.once('close', () => open--)
    })
    const proxy = createProxy({ receiver, routes: { 'GET /': { price: { free: true }, upstream: upstream.url } } })
    const url = await proxy.listen(0)
    expect((await ask(url, 'GET', '/')).body).toBe('x')
    expect(open).toBe(1)
    await proxy.close()
    await until(() => open === 0)
    await upstream.close()
  })

  it('takes nobody new when it closes, lets a running request finish, and keeps no connection', async () => {
    let finish = (): void => undefined
    const proxy = createProxy({
      receiver,
      routes: {
        'GET /slow': {
          price: { free: true },
          run: (_request, response) => {
            response.write('well ')
            finish = () => response.end('done')
          },
        },
      },
    })
    const url = await proxy.listen(0)
    const slow = await fetch(`${url}/slow`)
    const closed = proxy.close()
    await expect(ask(url, 'GET', '/slow')).rejects.toThrow(/ECONNREFUSED/)
    const began = performance.now()
    finish()
    expect(await slow.text()).toBe('well done')
    await closed
    expect(performance.now() - began).toBeLessThan(3_000) // Node keeps connections for five seconds
  })

  it('does not wait longer than it was told for a request that never ends', async () => {
    let begun = false
    const proxy = createProxy({
      receiver,
      graceMs: 20,
      routes: { 'GET /never': { price: { free: true }, run: () => (begun = true) } },
    })
    const url = await proxy.listen(0)
    const never = fetch(`${url}/never`)
    const outcome = expect(never).rejects.toThrow()
    await until(() => begun)
    await proxy.close()
    await outcome
  })
})
