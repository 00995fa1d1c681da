/** What keeps a receiver from selling: at the start, and later when it cannot see the chain or reach its disk. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { request as httpRequest } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { paid } from '../src/adapter/node.ts'
import { createChain } from '../src/chain/rpc.ts'
import type { LocalChain } from '../src/cli/local-chain.ts'
import { payment, session } from '../src/rails.ts'
import { createReceiver, rail } from '../src/receiver/index.ts'
import { memory } from '../src/store/memory.ts'
import { readCursor } from '../src/store/cursor.ts'
import { sqlite } from '../src/store/sqlite.ts'
import type { Store } from '../src/store/store.ts'
import {
  listen,
  newAccount,
  newBuyer,
  newReceiver,
  openShop,
  railOf,
  rpc,
  startWorld,
  until,
  walletOf,
} from './support/market.ts'

let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

const base = () => ({ address: world.accounts[1]!.address, chain: world.chain, store: memory(), log: () => undefined })
const here = () => ({
  dialect: payment(),
  escrow: session,
  chainId: world.chainId,
  address: world.escrow,
  token: world.token,
})

const anyRail = () =>
  rail({
    dialect: payment(),
    escrow: session,
    chainId: 1,
    address: `0x${'11'.repeat(20)}`,
    token: `0x${'22'.repeat(20)}`,
  })

describe('a receiver does not start', () => {
  it('on another chain than its rail names', async () => {
    const receiver = createReceiver({ ...base(), rails: [rail({ ...here(), chainId: 1 })] })
    await expect(receiver.start()).rejects.toThrow('rail.chainId: is 1, but the node is on chain 31337')
  })

  it('where there is no contract, or another one', async () => {
    const nowhere = createReceiver({ ...base(), rails: [rail({ ...here(), address: world.accounts[3]!.address })] })
    await expect(nowhere.start()).rejects.toThrow(/rail.address: there is no contract .* Deploy the escrow/)
    const token = createReceiver({ ...base(), rails: [rail({ ...here(), address: world.token })] })
    await expect(token.start()).rejects.toThrow('is not the escrow "session"')
  })

  it('for a token that does not exist', async () => {
    const receiver = createReceiver({ ...base(), rails: [rail({ ...here(), token: world.accounts[3]!.address })] })
    await expect(receiver.start()).rejects.toThrow('rail.token: there is no contract')
  })

  it('on the state of another receiver', async () => {
    const store = memory()
    const first = createReceiver({ ...base(), store, rails: [railOf(world)] })
    await first.start()
    await first.stop()
    const second = createReceiver({ ...base(), store, address: world.accounts[2]!.address, rails: [railOf(world)] })
    await expect(second.start()).rejects.toThrow(/store: it holds the channels of 0x/)
  })

  it('on a store that another process holds (peer mistake 15)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-held-'))
    const held = sqlite(join(folder, 'state.db'))
    expect(() => sqlite(join(folder, 'state.db'))).toThrow('is in use by another process')
    return held.close().then(() => rmSync(folder, { recursive: true }))
  })

  it.each([
    ['no address', { address: undefined }, 'address: give the address'],
    ['no rail', { rails: [] }, 'rails: give at least one'],
    ['a dialect of its own for each rail', { rails: [anyRail(), anyRail()] }, 'speak "payment" by two dialects'],
  ])('with %s', (_what, change, message) => {
    expect(() => createReceiver({ ...base(), rails: [railOf(world)], ...change } as never)).toThrow(message)
  })

  it.each([0n, -1n, 5, 0.5, NaN, '5', undefined, { upTo: 0n }])('with a price of %s', async (price) => {
    const receiver = await newReceiver(world)
    expect(() => paid(receiver, price as never, () => undefined)).toThrow(/price: .* is not a price/)
    await receiver.stop()
  })

  it.each([
    [{ realm: 'a|b' }, 'realm'],
    [{ realm: 'a"b' }, 'realm'],
    [{ secrets: ['short'] }, 'secrets'],
    [{ secrets: [] }, 'secrets'],
  ])('with the dialect options %j', (options, field) => {
    expect(() => payment(options)).toThrow(`${field}: `)
  })
})

describe('how far the chain was read', () => {
  it('is in one commit with what was read there', async () => {
    const kept = memory()
    const lost: string[] = []
    // Of what is filed beside the channels nothing arrives, as if the process had ended there each time.
    const writeRecord: Store['writeRecord'] = (name, change) => {
      if (!name.startsWith('cursor:')) return kept.writeRecord(name, change)
      lost.push(name)
      return Promise.resolve()
    }
    const receiver = await newReceiver(world, { store: { ...kept, writeRecord } })
    const buyer = await newBuyer(world, receiver)
    const { block } = (await buyer.known())!
    const cursor = await readCursor(kept, { chainId: world.chainId, address: world.escrow })
    expect(lost).not.toEqual([])
    expect(cursor?.block).toBeGreaterThanOrEqual(block)
    await receiver.stop()
  })
})

describe('nothing is sold', () => {
  it('before the chain was read, and everything after', async () => {
    const account = await newAccount(world, 0n)
    const gate = await openGate(world.anvil.url)
    gate.open = false
    const chain = createChain({ rpc: gate.url, confirmations: 1, pollMs: 10, timeoutMs: 500 })
    const receiver = createReceiver({
      ...base(),
      chain,
      wallet: walletOf(world, account),
      address: account.address,
      rails: [railOf(world)],
    })
    const started = receiver.start()
    const shop = await openShop(receiver)
    const early = await fetch(`${shop.url}/x`)
    expect([early.status, await early.json()]).toMatchObject([
      503,
      { code: 'receiver-unavailable', reason: 'starting' },
    ])
    expect(early.headers.get('retry-after')).toBe('5')
    gate.open = true
    await started
    expect((await fetch(`${shop.url}/x`)).status).toBe(402)
    await shop.close()
    await receiver.stop()
    await gate.close()
  })

  it('beyond the exposure while the chain is silent, and again when it speaks (peer mistake 14)', async () => {
    const gate = await openGate(world.anvil.url)
    const chain = createChain({ rpc: gate.url, confirmations: 1, pollMs: 10, timeoutMs: 500 })
    const receiver = await newReceiver(world, { chain, limits: { chainSilenceMs: 300, exposure: 10n } })
    const shop = await openShop(receiver)
    const buyer = await newBuyer(world, receiver)
    gate.open = false
    await until(() => Date.now() - receiver.live.chainHeardMs > 300)
    const statuses = []
    for (const amount of [5n, 10n, 15n]) statuses.push((await buyer.pay(`${shop.url}/x`, amount)).status)
    expect(statuses).toEqual([200, 200, 503])
    expect(await buyer.known()).toMatchObject({ charged: 10n })
    gate.open = true
    await until(async () => (await buyer.pay(`${shop.url}/x`, 15n)).status === 200)
    await shop.close()
    await receiver.stop()
    await gate.close()
  })

  it('when the store cannot keep the voucher', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-broken-'))
    const store = sqlite(join(folder, 'state.db'))
    const receiver = await newReceiver(world, { store })
    const shop = await openShop(receiver)
    const buyer = await newBuyer(world, receiver)
    const headers = await buyer.headers(`${shop.url}/x`, 5n)
    await store.close()
    const response = await fetch(`${shop.url}/x`, { headers })
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { code: 'receiver-unavailable', reason: 'store' },
    ])
    expect(shop.calls.length).toBe(0)
    await shop.close()
    await receiver.stop()
    rmSync(folder, { recursive: true })
  })

  it('after a reorganisation deeper than the confirmations (peer mistake 5)', async () => {
    const receiver = await newReceiver(world)
    const shop = await openShop(receiver)
    const buyer = await newBuyer(world, receiver)
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    const headers = await buyer.headers(`${shop.url}/x`, 10n)
    await rpc(world, 'anvil_reorg', 3, [])
    await until(() => receiver.live.phase === 'reorg')
    const response = await fetch(`${shop.url}/x`, { headers })
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { code: 'receiver-unavailable', reason: 'reorg' },
    ])
    await shop.close()
    await receiver.stop()
  })
})

/** A node behind a door: real answers while it is open, none while it is shut. */
async function openGate(target: string) {
  const gate = { open: true, url: '', close: () => Promise.resolve() }
  const { url, close } = await listen((incoming, outgoing) => {
    if (!gate.open) {
      incoming.socket.destroy()
      return
    }
    const forwarded = httpRequest(target, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  return Object.assign(gate, { url, close })
}
