/** SIGKILL under load, ten times: what was answered with 200 is still there, and nothing is charged twice. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Address } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { authorized } from '../../src/channel/channel.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { newAccount, openChannel, startWorld } from '../support/market.ts'
import { authorization, challengeOf, type Challenge } from '../support/wire.ts'
import type { Settings } from './receiver-process.ts'

const ROUNDS = 10
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const random = generator(seed)
const folder = mkdtempSync(join(tmpdir(), 'farthing-kill-'))
const path = join(folder, 'receiver.db')
let world: LocalChain
let child: ChildProcess | undefined

beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  child?.kill('SIGKILL')
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

type Customer = Awaited<ReturnType<typeof openChannel>>

/** One purchase: the same headers every time it is sent. */
type Purchase = {
  readonly buyer: Customer
  readonly amount: bigint
  readonly headers: Record<string, string>
  served: boolean
}

it(
  `keeps every voucher that was answered with 200 and charges no key twice (peer mistake 6; SEED=${seed})`,
  { timeout: 120_000 },
  async () => {
    const account = await newAccount(world, 0n)
    const settings = { rpc: world.anvil.url, key: account.privateKey, escrow: world.escrow, token: world.token, path }
    const start = () => spawnReceiver({ ...settings, chainId: world.chainId, secret: 'a secret that survives' })
    let url = await start()
    const buyers = await Promise.all([1, 2, 3].map(() => openBuyer(url, account.address)))
    const challenge = challengeOf(await fetch(`${url}/x`))
    const purchases: Purchase[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const fresh = await Promise.all(buyers.flatMap((buyer, i) => batch(buyer, round, i, challenge)))
      purchases.push(...fresh)
      const exited = new Promise((resolve) => child!.once('exit', resolve))
      const load = Promise.all(fresh.map((purchase) => send(url, purchase)))
      setTimeout(() => child?.kill('SIGKILL'), 5 + random() * 60)
      await exited
      await load
      url = await start()
      // Whoever got no answer asks again, with the same key and voucher.
      await Promise.all(purchases.filter(({ served }) => !served).map((purchase) => send(url, purchase)))
      expect(purchases.filter(({ served }) => !served)).toEqual([])
    }
    child!.kill('SIGTERM')
    await new Promise((resolve) => child!.once('exit', resolve))
    await audit(purchases)
  },
)

/** Twenty vouchers of five more each, all to be sent at once. */
function batch(buyer: Customer, round: number, nth: number, challenge: Challenge): Promise<Purchase>[] {
  return Array.from({ length: 20 }, async (_, i) => {
    const amount = BigInt(round * 20 + i + 1) * 5n
    const headers = {
      authorization: authorization(challenge, await buyer.voucher(amount)),
      'idempotency-key': `${nth}-${amount}`,
    }
    return { buyer, amount, headers, served: false }
  })
}

async function send(url: string, purchase: Purchase): Promise<void> {
  try {
    const response = await fetch(`${url}/x`, { headers: purchase.headers })
    const text = await response.text()
    if (response.status === 200 && text === 'sold') purchase.served = true
    else if (purchase.headers.authorization) expect(`${response.status} ${text}`).toMatch(/^(503|402 .*underpaid)/s)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // fetch: the connection is gone with its process
  }
}

async function audit(purchases: readonly Purchase[]): Promise<void> {
  const store = sqlite(path)
  for await (const channel of store.list()) {
    const own = purchases.filter(({ buyer }) => buyer.id === channel.id)
    const largest = own.reduce((most, { amount }) => (amount > most ? amount : most), 0n)
    expect(channel.charged).toBe(5n * BigInt(own.length))
    expect(authorized(channel)).toBe(largest)
    expect(channel.charged).toBeLessThanOrEqual(authorized(channel))
  }
  await store.close()
}

/** A channel that the receiver's own process has seen. */
async function openBuyer(url: string, receiver: Address): Promise<Customer> {
  const buyer = await openChannel(world, receiver, 10_000n)
  const challenge = challengeOf(await fetch(`${url}/x`))
  const headers = { authorization: authorization(challenge, await buyer.voucher(0n)) }
  while ((await fetch(`${url}/x`, { headers })).status === 410) await new Promise((resolve) => setTimeout(resolve, 10))
  return buyer
}

async function spawnReceiver(settings: Settings): Promise<string> {
  const script = new URL('receiver-process.ts', import.meta.url).pathname
  child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout! })) return line
  throw new Error('the receiver ended before it sold anything')
}

/** Small and repeatable; not for secrets. */
function generator(start: number): () => number {
  let state = start
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
