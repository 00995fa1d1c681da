/** A proxy that could give something away by mistake does not start, and says which route is wrong. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type Routes } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { newReceiver, startWorld, until } from '../support/market.ts'
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
