/** Files for sale: what is not there costs nothing, and nothing outside the folder can be had. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createProxy, type PaidServer } from '../../src/proxy/proxy.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { memory } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { newBuyer, newReceiver, startWorld, until, type Buyer } from '../support/market.ts'
import { challengeOf } from '../support/wire.ts'
import { ask } from './raw.ts'

let world: LocalChain
let receiver: Receiver
let proxy: PaidServer
let url: string
let folder: string
let buyer: Buyer
let beforeCharge: (() => Promise<void>) | undefined
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farthing-files-'))
  await mkdir(join(folder, 'images', '.hidden'), { recursive: true })
  await mkdir(join(folder, 'images', 'deep'))
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await writeFile(join(folder, 'images', 'a.txt'), '0123456789')
  await writeFile(join(folder, 'images', 'two words 100%.txt'), 'spaced')
  await writeFile(join(folder, 'images', 'deep', 'b.json'), '{}')
  await writeFile(join(folder, 'images', '.env'), 'secret')
  await writeFile(join(folder, 'images', '.hidden', 'c.txt'), 'secret')
  await symlink(join(folder, 'secret.txt'), join(folder, 'images', 'link.txt'))
  await symlink('a.txt', join(folder, 'images', 'inner.txt'))
  world = await startWorld()
  const store = memory()
  const update: Store['update'] = async (key, change) => {
    await beforeCharge?.()
    beforeCharge = undefined
    return store.update(key, change)
  }
  receiver = await newReceiver(world, { store: { ...store, update } })
  proxy = createProxy({
    receiver,
    routes: [
      ['GET /one', { price: 3n, file: join(folder, 'secret.txt') }],
      ['GET /images/*', { price: 5n, files: join(folder, 'images') }],
      ['GET /free/*', { price: { free: true }, files: join(folder, 'images') }],
    ],
  })
  url = await proxy.listen(0)
  buyer = await newBuyer(world, receiver, 100_000n)
})
afterAll(async () => {
  await proxy.close()
  await receiver.stop()
  await world.anvil.stop()
  await rm(folder, { recursive: true })
})

async function charged(): Promise<bigint> {
  return (await buyer.known())!.charged
}

/** Pays what the ledger still wants for it. */
async function buy(target: string, headers: Record<string, string> = {}): Promise<Response> {
  const price = target === '/one' ? 3n : 5n
  const challenge = challengeOf(await fetch(`${url}${target}`))
  return buyer.pay(`${url}${target}`, (await charged()) + price, { challenge, init: { headers } })
}

describe('a file', () => {
  it('is sold under the address of its route', async () => {
    const response = await buy('/one')
    expect([response.status, await response.text()]).toEqual([200, 'secret'])
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.get('payment-receipt')).not.toBeNull()
  })

  it('may be cached where it is free', async () => {
    const response = await fetch(`${url}/free/a.txt`)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'public, max-age=0'])
  })
})

describe('a folder', () => {
  it.each([
    ['/images/a.txt', '0123456789'],
    ['/images/deep/b.json', '{}'],
    ['/images/two%20words%20100%25.txt', 'spaced'],
    ['/images/inner.txt', '0123456789'],
  ])('sells %s', async (target, text) => {
    const response = await buy(target)
    expect([response.status, await response.text()]).toEqual([200, text])
  })

  it.each([
    '/images/none.txt',
    '/images/',
    '/images/deep',
    '/images/deep/',
    '/images/.env',
    '/images/%2eenv',
    '/images/.hidden/c.txt',
    '/images/link.txt',
    '/images/../secret.txt',
    '/images/..%2fsecret.txt',
    '/images/%2e%2e%2fsecret.txt',
    '/images/..%5csecret.txt',
    '/images/deep/../../secret.txt',
    '/images//a.txt',
    '/images/a.txt/',
    '/images/a.txt%00',
    '/images/a.txt%00.png',
    '/images/%2Fetc%2Fpasswd',
    '/images/C:%5Cwindows',
    `/images/${'a'.repeat(300)}`,
    '/free/.env',
    '/free/..%2fsecret.txt',
  ])('has nothing at %s, and offers nothing for it', async (target) => {
    const { status, headers, body } = await ask(url, 'GET', target)
    expect(status).toBe(404)
    expect(headers['www-authenticate']).toBeUndefined()
    expect(body).not.toContain('secret')
    expect((await ask(url, 'HEAD', target)).status).toBe(404)
  })

  it('charges nothing for a file that is not there, to one who pays for it', async () => {
    const challenge = challengeOf(await fetch(`${url}/images/a.txt`))
    const before = await charged()
    const response = await buyer.pay(`${url}/images/none.txt`, before + 5n, { challenge })
    expect(response.status).toBe(404)
    expect(await charged()).toBe(before)
  })

  it('charges a part like the whole, and tells how to ask for parts', async () => {
    const before = await charged()
    const response = await buy('/images/a.txt', { range: 'bytes=2-4' })
    expect([response.status, await response.text()]).toEqual([206, '234'])
    expect(response.headers.get('content-range')).toBe('bytes 2-4/10')
    expect(await charged()).toBe(before + 5n)
  })

  it('gives back the charge of an answer without content', async () => {
    const whole = await buy('/images/a.txt')
    const etag = whole.headers.get('etag')!
    const before = await charged()
    // Not with fetch, which asks caches to be passed by.
    const paying = await buyer.headers(`${url}/images/a.txt`, before + 5n)
    const unchanged = await ask(url, 'GET', '/images/a.txt', { ...paying, 'if-none-match': etag })
    expect([unchanged.status, unchanged.body]).toEqual([304, ''])
    await until(async () => (await charged()) === before)
    const beyond = await buy('/images/a.txt', { range: 'bytes=50-' })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10'])
    await until(async () => (await charged()) === before)
    const changed = await buy('/images/a.txt', { 'if-match': '"other"' })
    expect(changed.status).toBe(412)
    await until(async () => (await charged()) === before)
  })

  it('gives back the charge of a file that goes away between the offer and the answer', async () => {
    const target = '/images/short-lived.txt'
    await writeFile(join(folder, target), 'x')
    const challenge = challengeOf(await fetch(`${url}${target}`))
    const before = await charged()
    beforeCharge = () => rm(join(folder, target))
    const response = await buyer.pay(`${url}${target}`, before + 5n, { challenge })
    expect(response.status).toBe(500)
    await until(async () => (await charged()) === before)
  })
})
