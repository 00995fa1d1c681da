/** What a client cannot take from a server without paying, on real sockets. */
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/base/faults.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type PaidServer, type Route, type ServerLimits } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { listen, newReceiver, startWorld, until } from '../support/market.ts'
import { ask } from './raw.ts'

let world: LocalChain
let receiver: Receiver
const open: (() => unknown)[] = []
beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world)
})
afterAll(async () => {
  for (const close of open) await close()
  await receiver.stop()
  await world.anvil.stop()
})

async function serving(
  limits: Partial<ServerLimits>,
  routes: Record<string, Route> = {},
): Promise<{ proxy: PaidServer; url: string }> {
  const free = { free: true } as const
  const proxy = createProxy({
    receiver,
    limits,
    graceMs: 20,
    routes: {
      'GET /': { price: free, text: 'welcome' },
      'POST /': { price: free, run: (request, response) => request.on('end', () => response.end('read')).resume() },
      ...routes,
    },
  })
  open.push(() => proxy.close())
  return { proxy, url: await proxy.listen(0) }
}

type Line = { readonly socket: Socket; readonly heard: () => string; readonly ended: () => boolean }

/** Says something to a server, and listens. */
function call(url: string, text: string): Line {
  const { hostname, port } = new URL(url)
  let heard = ''
  let ended = false
  const socket = connect(Number(port), hostname, () => socket.write(text))
  socket
    .on('data', (chunk) => (heard += String(chunk)))
    .on('error', () => undefined)
    .on('close', () => (ended = true))
  open.push(() => socket.destroy())
  return { socket, heard: () => heard, ended: () => ended }
}

describe('a client', () => {
  it('may send headers of a certain length', async () => {
    const { url } = await serving({})
    expect((await ask(url, 'GET', '/', { 'x-long': 'x'.repeat(30_000) })).status).toBe(200)
    expect((await ask(url, 'GET', '/', { 'x-long': 'x'.repeat(100_000) })).status).toBe(431)
    const { url: strict } = await serving({ headerBytes: 2_000 })
    expect((await ask(strict, 'GET', '/', { 'x-long': 'x'.repeat(3_000) })).status).toBe(431)
  })

  it('may not take its time over its headers', async () => {
    const { url } = await serving({ headersMs: 40 })
    const { heard, ended } = call(url, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    await until(ended)
    expect(heard()).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('may not take its time over its body', async () => {
    const { url } = await serving({ headersMs: 40, requestMs: 80 })
    const { heard, ended } = call(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf')
    await until(ended)
    expect(heard()).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('may keep its connection for a while', async () => {
    const { url } = await serving({ keepAliveMs: 30 })
    const { heard, ended } = call(url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(ended)
    expect(heard()).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('may not hold on to an answer without reading it', async () => {
    let ended = false
    const upstream = await listen((_request, response) => {
      const fill = () => {
        while (response.write(Buffer.alloc(65_536)));
      }
      response.on('close', () => (ended = true)).on('drain', fill)
      fill()
    })
    open.push(upstream.close)
    const { url } = await serving({ idleMs: 60 }, { 'GET /up': { price: { free: true }, upstream: upstream.url } })
    const { socket } = call(url, 'GET /up HTTP/1.1\r\nHost: x\r\n\r\n')
    socket.pause()
    await until(() => ended)
  })

  it('finds only so many places', async () => {
    const { url } = await serving({ connections: 1 })
    const first = call(url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => first.heard().includes('welcome'))
    const second = call(url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(second.ended)
    expect(second.heard()).toBe('')
    expect(first.ended()).toBe(false)
  })
})

describe('a limit', () => {
  it.each([
    ['headerBytes', 0],
    ['headersMs', -1],
    ['requestMs', 1.5],
    ['keepAliveMs', Number.NaN],
    ['idleMs', 2 ** 31],
    ['connections', '5'],
    ['connections', undefined],
    ['speed', 5],
    ['headersMs', 400_000],
  ])('%s is refused as %s', (name, value) => {
    const make = () => createProxy({ receiver, routes: {}, limits: { [name]: value } })
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(`limits.${name}: `)
  })
})
