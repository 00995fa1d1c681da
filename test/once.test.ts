/** The same request is charged once and run once: under concurrency, after a crash, and when its answer is gone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LocalChain } from '../src/cli/local-chain.ts'
import { StoreUnavailableError } from '../src/base/faults.ts'
import type { Limits } from '../src/receiver/context.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import type { Store } from '../src/store/store.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { memory } from '../src/store/memory.ts'
import {
  newAccount,
  newBuyer,
  newReceiver,
  openShop,
  startWorld,
  until,
  walletOf,
  type Buyer,
  type Shop,
} from './support/market.ts'
import { challengeOf, receiptOf } from './support/wire.ts'

let world: LocalChain
let receiver: Receiver
let shop: Shop
/** Handlers wait here until the test lets them go. */
let gate: { open(): void; passed: Promise<void> }
let served = 0

beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world, { limits: { answerBytes: 1_000, bodyBytes: 1_000 } })
  shop = await openShop(receiver, 5n, async (request, response) => {
    if (request.url === '/slow') await gate.passed
    if (request.url === '/broken') throw new Error('a secret that stays here')
    if (request.url === '/teapot') response.statusCode = 418
    const body = await text(request)
    served += 1
    response.setHeader('x-served', served)
    response.end(request.url === '/long' ? 'x'.repeat(2_000) : `answer ${body}`)
  })
})
afterAll(async () => {
  await shop.close()
  await receiver.stop()
  await world.anvil.stop()
})

async function text(request: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function newGate() {
  let open: () => void = () => undefined
  gate = { passed: new Promise((resolve) => (open = resolve)), open: () => open() }
}

/** Another receiver on the same chain. */
async function open(limits: Partial<Limits>) {
  const here = await newReceiver(world, { limits })
  const stand = await openShop(here, 5n, (_request, response) => {
    served += 1
    response.end('answer')
  })
  const close = async () => {
    await stand.close()
    await here.stop()
  }
  return { receiver: here, shop: stand, close }
}

async function waitFor(ask: () => Promise<Response>, status: number): Promise<Response> {
  for (;;) {
    const response = await ask()
    if (response.status === status) return response
  }
}

const charged = async (buyer: Buyer) => (await buyer.known())?.charged

describe('a request with an Idempotency-Key', () => {
  it('that is sent again gets the same answer and receipt, and costs nothing more', async () => {
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${shop.url}/a`, 50n, { key: 'one' })
    const first = await fetch(`${shop.url}/a`, { headers })
    const again = await fetch(`${shop.url}/a`, { headers })
    expect(await again.text()).toBe(await first.text())
    expect(again.headers.get('x-served')).toBe(first.headers.get('x-served'))
    expect(receiptOf(again)).toEqual(receiptOf(first))
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await charged(buyer)).toBe(5n)
  })

  it.each(['GET', 'POST'])('waits while the first %s is running, then gets its answer', async (method) => {
    newGate()
    const buyer = await newBuyer(world, receiver)
    const challenge = challengeOf(await fetch(`${shop.url}/slow`, { method }))
    const headers = await buyer.headers(`${shop.url}/slow`, 50n, { key: 'two', challenge })
    const calls = shop.calls.length
    const all = Array.from({ length: 5 }, () => fetch(`${shop.url}/slow`, { method, headers }))
    while (shop.calls.length === calls) await new Promise((resolve) => setTimeout(resolve, 1))
    gate.open()
    const answers = await Promise.all((await Promise.all(all)).map((response) => response.text()))
    expect(new Set(answers).size).toBe(1)
    expect(shop.calls.length - calls).toBe(1)
    expect(await charged(buyer)).toBe(5n)
  })

  it.each([
    ['URL', '/b', { method: 'POST', body: 'x' }],
    ['method', '/a', { method: 'PUT', body: 'x' }],
    ['body', '/a', { method: 'POST', body: 'y' }],
  ])('used for another %s is a conflict, and costs nothing', async (_what, path, init) => {
    const buyer = await newBuyer(world, receiver)
    const first = await buyer.pay(`${shop.url}/a`, 50n, {
      key: 'three',
      challenge: await post('/a', 'POST'),
      init: { method: 'POST', body: 'x' },
    })
    expect(await first.text()).toBe('answer x')
    const other = await buyer.pay(`${shop.url}${path}`, 50n, {
      key: 'three',
      challenge: await post(path, init.method),
      init,
    })
    expect({ status: other.status, body: await other.json() }).toMatchObject({
      status: 409,
      body: { code: 'request-conflict' },
    })
    expect(await charged(buyer)).toBe(5n)
  })

  it('whose handler failed was given back, and runs again when it is sent again', async () => {
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${shop.url}/broken`, 5n, { key: 'four' })
    const calls = shop.calls.length
    for (let i = 0; i < 2; i += 1) {
      const response = await fetch(`${shop.url}/broken`, { headers })
      expect(response.status).toBe(500)
      expect(response.headers.get('payment-receipt')).toBeNull()
      expect(await response.text()).not.toContain('secret')
      expect(await charged(buyer)).toBe(0n)
    }
    expect(shop.calls.length - calls).toBe(2)
  })

  it.each(['/torn', '/torn-slow', '/torn-late', '/thrown'])(
    'whose answer its own handler broke off runs again at once, on the charge that was made: %s',
    async (path) => {
      newGate()
      const told: string[] = []
      const stall = await openShop(receiver, 5n, async (_request, response) => {
        told.push('begun')
        if (told.length > 1) return response.end('whole')
        response.write('part')
        if (path === '/torn-late') return setImmediate(() => response.destroy())
        if (path === '/thrown') throw new Error('half way')
        response.destroy()
        // It may still do what must not be done twice.
        if (path === '/torn-slow') await gate.passed
        return told.push('ended')
      })
      const buyer = await newBuyer(world, receiver)
      const headers = await buyer.headers(`${stall.url}${path}`, 50n, { key: 'torn' })
      const ask = () => fetch(`${stall.url}${path}`, { headers }).then((response) => response.text())
      await expect(ask()).rejects.toThrow()
      const retry = ask()
      if (path === '/torn-slow') {
        // Another one has bought meanwhile, so there was time enough to run it again.
        const other = await newBuyer(world, receiver)
        expect((await other.pay(`${shop.url}/a`, 5n)).status).toBe(200)
        expect(told).toEqual(['begun'])
      }
      gate.open()
      expect(await retry).toBe('whole')
      expect(told).toEqual(/^.torn(-slow)?$/.test(path) ? ['begun', 'ended', 'begun'] : ['begun', 'begun'])
      expect(await charged(buyer)).toBe(5n)
      await stall.close()
    },
  )

  it('whose handler said no is charged, and its answer is kept without a receipt', async () => {
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${shop.url}/teapot`, 50n, { key: 'five' })
    const statuses = [
      (await fetch(`${shop.url}/teapot`, { headers })).status,
      (await fetch(`${shop.url}/teapot`, { headers })).status,
    ]
    expect(statuses).toEqual([418, 418])
    expect(await charged(buyer)).toBe(5n)
  })

  it('whose answer was too long to keep is told so instead of run twice', async () => {
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${shop.url}/long`, 50n, { key: 'six' })
    expect((await (await fetch(`${shop.url}/long`, { headers })).text()).length).toBe(2_000)
    const again = await fetch(`${shop.url}/long`, { headers })
    expect({ status: again.status, body: await again.json() }).toMatchObject({
      status: 409,
      body: { code: 'answer-gone' },
    })
    expect(await charged(buyer)).toBe(5n)
  })

  it.each([
    ['of a request that failed', 'POST', undefined, 0n],
    ['of a request that failed, with a key', 'POST', 'eight', 0n],
    ['that was not spent', 'GET', undefined, 2n],
    ['that was not spent, with a key', 'GET', 'nine', 2n],
  ] as const)('gets back later what cannot be given back at once: %s', async (_what, method, key, rest) => {
    const store = memory()
    let isFull = false
    const whileThereIsRoom = <T>(work: () => Promise<T>) =>
      isFull ? Promise.reject(new StoreUnavailableError('no room')) : work()
    const here = await newReceiver(world, {
      store: {
        ...store,
        update: (...args) => whileThereIsRoom(() => store.update(...args)),
        updateWithRecord: (...args) => whileThereIsRoom(() => store.updateWithRecord(...args)),
      },
    })
    const stand = await openShop(here, { upTo: 5n }, (_request, response, sold) => {
      isFull = true
      if (rest > 0n) sold?.spend(rest)
      response.writeHead(rest > 0n ? 200 : 500).end()
    })
    const buyer = await newBuyer(world, here)
    const init = { method }
    const challenge = challengeOf(await fetch(`${stand.url}/x`, init))
    const options = { init, challenge, ...(key !== undefined && { key }) }
    expect((await buyer.pay(`${stand.url}/x`, 5n, options)).ok).toBe(rest > 0n)
    expect((await buyer.known())?.charged).toBe(5n)
    isFull = false
    await until(async () => (await buyer.known())?.charged === rest)
    await stand.close()
    await here.stop()
  })

  it('whose answer was dropped is told so instead of run twice', async () => {
    const here = await open({ answerMs: 1 })
    const buyer = await newBuyer(world, here.receiver)
    const ask = () => buyer.pay(`${here.shop.url}/x`, 5n, { key: 'seven' })
    expect((await ask()).status).toBe(200)
    const before = served
    const gone = await waitFor(ask, 409)
    expect(await gone.json()).toMatchObject({ code: 'answer-gone' })
    expect([served, (await buyer.known())?.charged]).toEqual([before, 5n])
    await here.close()
  })

  it('whose answer finds no room beside the others is told so instead of run twice', async () => {
    const here = await open({ answersBytes: 1_500 })
    const buyer = await newBuyer(world, here.receiver)
    const ask = (key: string, amount: bigint) => buyer.pay(`${here.shop.url}/x`, amount, { key })
    for (const [key, amount] of [
      ['a', 5n],
      ['b', 10n],
      ['c', 15n],
      ['d', 20n],
    ] as const)
      await ask(key, amount)
    const again = await Promise.all((['a', 'b', 'c', 'd'] as const).map((key) => ask(key, 20n)))
    expect(again[0]!.headers.get('idempotency-replayed')).toBe('true')
    expect([again[3]!.status, await again[3]!.json()]).toMatchObject([409, { code: 'answer-gone' }])
    expect((await buyer.known())?.charged).toBe(20n)
    await here.close()
  })

  it('is known after its offer has expired', async () => {
    const hasty = await newReceiver(world, { limits: { offerMs: 1_500 } })
    const stall = await openShop(hasty)
    const buyer = await newBuyer(world, hasty)
    const headers = await buyer.headers(`${stall.url}/a`, 50n, { key: 'seven' })
    expect((await fetch(`${stall.url}/a`, { headers })).status).toBe(200)
    const fresh = { ...headers, 'idempotency-key': 'another' }
    while ((await fetch(`${stall.url}/a`, { headers: fresh })).status !== 402) fresh['idempotency-key'] += '.'
    const again = await fetch(`${stall.url}/a`, { headers })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    await stall.close()
    await hasty.stop()
  })

  it('with a body that is too long to compare is refused before it is charged', async () => {
    const buyer = await newBuyer(world, receiver)
    const init = { method: 'POST', body: 'x'.repeat(1_001) }
    const response = await buyer.pay(`${shop.url}/a`, 5n, { key: 'eight', challenge: await post('/a', 'POST'), init })
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 413,
      body: { code: 'body-too-large' },
    })
    expect(await charged(buyer)).toBe(0n)
  })

  it.each(['', 'x'.repeat(256), 'tab\there'])('of the form %j is refused as malformed', async (key) => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(`${shop.url}/a`, 5n, { key })
    expect(response.status).toBe(400)
    expect(await charged(buyer)).toBe(0n)
  })

  async function post(path: string, method: string) {
    return challengeOf(await fetch(`${shop.url}${path}`, { method, body: 'x' }))
  }
})

type Running = { readonly here: Receiver; readonly stall: Shop }

describe('after a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-once-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('the same key is charged once and gets the kept answer (peer mistake 7)', async () => {
    const account = await newAccount(world, 0n)
    const open = async () => {
      const store = sqlite(join(folder, 'kept.db'))
      const here = await newReceiver(world, { store, wallet: walletOf(world, account) })
      return { here, store, stall: await openShop(here) }
    }
    const end = async (running: Running & { store: Store }) => {
      await close(running)
      await running.store.close()
    }
    const before = await open()
    const buyer = await newBuyer(world, before.here)
    const headers = await buyer.headers(`${before.stall.url}/a`, 50n, { key: 'one' })
    expect((await fetch(`${before.stall.url}/a`, { headers })).status).toBe(200)
    await end(before)
    const after = await open()
    const again = await fetch(`${after.stall.url}/a`, { headers })
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect(after.stall.calls.length).toBe(0)
    expect(await chargedIn(after.store, buyer)).toBe(5n)
    await end(after)
  })

  it.each([
    ['GET', 200, 5n],
    ['POST', 409, 5n],
  ])('in the middle of a %s the retry gets %i and costs nothing more', async (method, status, cost) => {
    const account = await newAccount(world, 0n)
    const store = memory()
    newGate()
    // The first process never comes to the end of its handler; the second one finds what it left in the store.
    const open = async (handler?: () => unknown): Promise<Running> => {
      const here = await newReceiver(world, { store, wallet: walletOf(world, account) })
      return { here, stall: await openShop(here, 5n, handler) }
    }
    const before = await open(() => gate.passed)
    const buyer = await newBuyer(world, before.here)
    const headers = await buyer.headers(`${before.stall.url}/a`, 50n, {
      key: 'one',
      challenge: challengeOf(await fetch(`${before.stall.url}/a`, { method })),
    })
    const lost = fetch(`${before.stall.url}/a`, { method, headers }).catch(() => 'lost')
    while (before.stall.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await close(before)
    expect(await lost).toBe('lost')
    const after = await open()
    expect((await fetch(`${after.stall.url}/a`, { method, headers })).status).toBe(status)
    expect(await chargedIn(store, buyer)).toBe(cost)
    await close(after)
  })

  async function close({ here, stall }: Running): Promise<void> {
    await stall.close()
    await here.stop()
  }

  async function chargedIn(store: Store, { id }: Buyer): Promise<bigint | undefined> {
    for await (const channel of store.list()) if (channel.id === id) return channel.charged
    return undefined
  }
})
