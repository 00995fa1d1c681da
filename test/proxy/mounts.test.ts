/** What is served beside the routes is never sold by them, and routes can be exchanged while requests run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type Mount, type PaidServer, type Routes } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newBuyer, newReceiver, startWorld, until } from '../support/market.ts'
import { ask } from './raw.ts'

let world: LocalChain
let receiver: Receiver
const open: PaidServer[] = []
beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world)
})
afterAll(async () => {
  await Promise.all(open.map((server) => server.close()))
  await receiver.stop()
  await world.anvil.stop()
})

/** Answers everything but what ends in `/none`, which it leaves to the routes. */
const desk: Mount = {
  path: '/api/1',
  serve: (request, response) => {
    if (request.url?.endsWith('/none')) return Promise.resolve(false)
    response.end(`desk ${request.method} ${request.url}`)
    return Promise.resolve(true)
  },
}

async function serve(routes: Routes, mounts: readonly Mount[] = [desk]): Promise<{ server: PaidServer; url: string }> {
  const server = createProxy({ receiver, routes, mounts, graceMs: 100 })
  open.push(server)
  return { server, url: await server.listen(0) }
}

function refusal(routes: Routes, mounts: readonly Mount[] = [desk]): ConfigError {
  try {
    createProxy({ receiver, routes, mounts })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the routes were taken')
}

describe('a mount', () => {
  it('is asked at its path and below, by any method, before a route for everything', async () => {
    const { url } = await serve({ 'GET /*': { price: 5n, text: 'sold' } })
    for (const [method, target] of [
      ['GET', '/api/1'],
      ['GET', '/api/1?x=/2'],
      ['DELETE', '/api/1/channels/0xab/7'],
      ['OPTIONS', '/api/1/x'],
      ['PROPFIND', '/api/1/x'],
    ] as const) {
      expect(await ask(url, method, target)).toMatchObject({ status: 200, body: `desk ${method} ${target}` })
    }
  })

  it.each(['/', '/api', '/api/', '/api/10', '/api/2/api/1', '/API/1', '/x?/api/1', '/api/1/none'])(
    'leaves %s to the routes',
    async (target) => {
      const { url } = await serve({ 'GET /*': { price: 5n, text: 'sold' } })
      expect((await ask(url, 'GET', target)).status).toBe(402)
    },
  )

  it('that fails is a 500 which says nothing, and the next request is served', async () => {
    const broken: Mount = { path: '/broken', serve: () => Promise.reject(new Error('a secret')) }
    const { url } = await serve({ 'GET /': { price: { free: true }, text: 'shop' } }, [broken])
    const { status, body } = await ask(url, 'GET', '/broken')
    expect([status, body.includes('secret')]).toEqual([500, false])
    expect((await ask(url, 'GET', '/')).body).toBe('shop')
  })

  it.each([
    'GET /api/1',
    'POST /api/1/',
    'GET /api/1/channels',
    'GET /api/1/*',
    'GET /api/*',
    'GET /a*',
    'GET /api/:version',
    'GET /:all/1',
    'GET /:a/:b/:c',
    'GET /api/:n(^\\d$)/x',
    'GET /api/:n?',
  ])('cannot have a route in its way: %s', (pattern) => {
    const { field, message } = refusal({ [pattern]: { price: 5n, text: 'x' } })
    expect(field).toBe(`routes[${JSON.stringify(pattern)}]`)
    expect(message).toContain('/api/1, which is served already. Choose a path beside it')
  })

  it('minds no route beside it', () => {
    const beside = ['/', '/api', '/api/2', '/api/11/x', '/api/:n(^[02-9]$)', '/:year(^\\d{4}$)/1', '/apis/*', '/*']
    const routes = Object.fromEntries(beside.map((path) => [`GET ${path}`, { price: 5n, text: 'x' }]))
    expect(() => createProxy({ receiver, routes, mounts: [desk] })).not.toThrow()
  })

  it.each(['', '/', 'api', '/api/', '/api//1', '/api/:n', '/a?b'])('cannot be at %j', (path) => {
    expect(refusal({}, [{ ...desk, path }]).field).toBe('mounts[0].path')
  })

  it.each(['/api/1', '/api', '/api/1/x'])('cannot be at %s beside one at /api/1', (path) => {
    const { field, message } = refusal({}, [desk, { ...desk, path }])
    expect([field, message]).toEqual(['mounts[1].path', expect.stringContaining('the one at /api/1') as string])
  })
})

describe('routes', () => {
  it('are exchanged at once, and those that are wrong are not taken', async () => {
    const { server, url } = await serve({ 'GET /old': { price: { free: true }, text: 'old' } })
    server.reloadRoutes({ 'GET /new': { price: { free: true }, text: 'new' } })
    expect([(await ask(url, 'GET', '/old')).status, (await ask(url, 'GET', '/new')).body]).toEqual([404, 'new'])
    for (const wrong of [{ 'GET /x': { price: 0n, text: 'x' } }, { 'GET /api/1': { price: 1n, text: 'x' } }]) {
      expect(() => server.reloadRoutes(wrong)).toThrow(ConfigError)
    }
    expect((await ask(url, 'GET', '/new')).body).toBe('new')
  })

  it('that are exchanged serve the requests that found them to their end, and then let go of their upstream', async () => {
    const upstream = await listen((_request, response) => response.end('slow'))
    let connections = 0
    upstream.server.on('connection', (socket) => {
      connections += 1
      socket.once('close', () => (connections -= 1))
    })
    let asked = 0
    let admit = Promise.resolve()
    const price = async () => {
      asked += 1
      await admit
      return 5n
    }
    const { server, url } = await serve({ 'GET /slow': { price, upstream: upstream.url } })
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${url}/slow`, 5n)
    const gate = createGate()
    admit = gate.opened
    const before = asked
    const slow = fetch(`${url}/slow`, { headers })
    await until(() => asked > before)
    server.reloadRoutes({ 'GET /slow': { price: { free: true }, text: 'quick' } })
    expect((await ask(url, 'GET', '/slow')).body).toBe('quick')
    gate.open()
    expect(await (await slow).text()).toBe('slow')
    await until(() => connections === 0)
    await upstream.close()
  })
})

function createGate(): { readonly opened: Promise<void>; open(): void } {
  const passed = { open: () => {} }
  const opened = new Promise<void>((resolve) => (passed.open = resolve))
  return { opened, open: () => passed.open() }
}
