/**
 * SIGKILL under load: what was answered with 200 is still there, nothing is charged twice, and nothing runs twice that
 * must not. KILLS says how often (8), SEED repeats the choices, though not the moments, of a run.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { authorized, type Channel } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { startWorld } from '../support/market.ts'
import { introduce, openRemoteBuyer, type RemoteBuyer } from './buyer.ts'
import { bundle, settingsFor, startReceiver, type Running } from './program.ts'
import { seeded } from './random.ts'

const KILLS = Number(process.env.KILLS ?? 8)
const PER_ROUND = 24
const { seed, random, pick } = seeded()
const folder = mkdtempSync(join(tmpdir(), 'farthing-kill-'))
const path = join(folder, 'receiver.db')
const runs = join(folder, 'runs')
let world: LocalChain
let program: string

beforeAll(async () => {
  world = await startWorld()
  program = await bundle('receiver-process.ts')
})
afterAll(async () => {
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

/** How a purchase is asked for: what may run twice after a kill, what may not, and what its handler refuses. */
const kinds = [
  { path: '/sold', method: 'GET', mayRunAgain: true },
  { path: '/sold', method: 'POST', mayRunAgain: false },
  { path: '/sold', method: 'DELETE', mayRunAgain: false },
  { path: '/again', method: 'POST', mayRunAgain: true },
  { path: '/fails', method: 'GET', mayRunAgain: true },
  { path: '/fails', method: 'PUT', mayRunAgain: true },
] as const

type Kind = (typeof kinds)[number]

/** One purchase: the same request every time it is sent. */
type Purchase = {
  readonly customer: Customer
  readonly kind: Kind
  readonly name: string
  readonly amount: bigint
  headers: Record<string, string>
  /** The start of the receiver during which it was sent first. */
  readonly boot: number
  /** How it ended for its buyer; undefined: no answer came. */
  end?: 'sold' | 'failed' | 'interrupted'
  body?: string
}

/** A channel. Those without keys never ask twice. */
type Customer = {
  readonly buyer: RemoteBuyer
  readonly keyed: boolean
  readonly purchases: Purchase[]
  /** The most that a receipt said. */
  authorized: bigint
  charged: bigint
}

it(
  `keeps what was answered with 200, and charges and runs no key twice, over ${KILLS} kills (peer mistake 6; SEED=${seed})`,
  { timeout: 60_000 + KILLS * 15_000 },
  async () => {
    const settings = { ...(await settingsFor(world, path)), runs, slowMs: 40 }
    let receiver = await startReceiver(program, settings)
    const customers = await openCustomers(receiver.url, settings.address)
    for (let boot = 0; boot < KILLS; boot += 1) {
      const fresh = (await Promise.all(customers.map((customer) => order(customer, receiver.url, boot)))).flat()
      await killUnderLoad(receiver, fresh, customers, boot)
      for (const customer of customers) await audit(customer)
      receiver = await startReceiver(program, { ...settings, boot: boot + 1 })
      await Promise.all(unanswered(customers).map((purchase) => send(receiver.url, purchase, boot + 1)))
      expect(unanswered(customers)).toEqual([])
    }
    // Whether a failure was given back before a kill is not known to its buyer. Now it is.
    for (const customer of customers) await askOnceMore(customer, receiver.url)
    await receiver.end('SIGTERM')
    expect(receiver.said()).toBe('')
    for (const customer of customers) await auditAtTheEnd(customer)
  },
)

async function openCustomers(url: string, receiver: Address): Promise<Customer[]> {
  const wanted = (['payment', 'rdn'] as const).flatMap((rail) => [true, false].map((keyed) => ({ rail, keyed })))
  const customers: Customer[] = []
  for (const { rail, keyed } of wanted) {
    const buyer = await openRemoteBuyer(world, rail, receiver, BigInt(KILLS * PER_ROUND * 5))
    customers.push({
      buyer: await introduce(buyer, `${url}/sold`),
      keyed,
      purchases: [],
      authorized: 0n,
      charged: 0n,
    })
  }
  return customers
}

/** What a customer buys in one round: a voucher of five more for each. */
function order(customer: Customer, url: string, boot: number): Promise<Purchase[]> {
  const { buyer, keyed, purchases } = customer
  const wanted = Array.from({ length: PER_ROUND }, async (_, i) => {
    const kind = keyed ? pick(kinds) : kinds[0]
    const amount = BigInt(boot * PER_ROUND + i + 1) * 5n
    const name = `${buyer.rail}-${keyed ? 'keyed' : 'plain'}-${amount}`
    const headers = {
      ...(await buyer.headers(amount, `${url}${kind.path}`, kind.method)),
      ...(keyed && { 'idempotency-key': name }),
    }
    const purchase: Purchase = { customer, kind, name, amount, headers, boot }
    purchases.push(purchase)
    return purchase
  })
  return Promise.all(wanted)
}

/** Sends all at once, some of them twice and some of the old ones again, and kills after any number of answers. */
async function killUnderLoad(
  receiver: Running,
  fresh: readonly Purchase[],
  customers: readonly Customer[],
  boot: number,
): Promise<void> {
  const withTwins = fresh.flatMap((one) => (one.customer.keyed && random() < 0.3 ? [one, one] : [one]))
  const old = customers.flatMap(({ keyed, purchases }) => purchases.filter(({ end }) => keyed && end === 'sold'))
  const load = [...withTwins, ...old.filter(() => random() < 8 / old.length)]
  let left = Math.floor(random() * load.length)
  const pauseMs = random() * 10
  let count: () => void = () => undefined
  const killed = new Promise<void>((resolve) => {
    count = () => {
      left -= 1
      if (left === -1) setTimeout(() => void receiver.end('SIGKILL').then(resolve), pauseMs)
    }
  })
  count()
  await Promise.all([killed, ...load.map((purchase) => send(receiver.url, purchase, boot).then(count))])
}

function unanswered(customers: readonly Customer[]): Purchase[] {
  return customers.flatMap(({ keyed, purchases }) => purchases.filter(({ end }) => keyed && end === undefined))
}

/** Asks for what failed, under a fresh offer, some at a time. */
async function askOnceMore({ buyer, purchases }: Customer, url: string): Promise<void> {
  const failed = purchases.filter(({ end }) => end === 'failed')
  for (let from = 0; from < failed.length; from += PER_ROUND) {
    const some = failed.slice(from, from + PER_ROUND).map(async (purchase) => {
      const { amount, kind, headers } = purchase
      const fresh = await buyer.headers(amount, `${url}${kind.path}`, kind.method)
      purchase.headers = { ...headers, ...fresh }
      delete purchase.end
      await send(url, purchase, KILLS)
      expect(purchase.end, purchase.name).toBeDefined()
    })
    await Promise.all(some)
  }
}

async function send(url: string, purchase: Purchase, boot: number): Promise<void> {
  const { kind, name, headers } = purchase
  const init = { method: kind.method, headers, ...(kind.method !== 'GET' && { body: name }) }
  try {
    const response = await fetch(`${url}${kind.path}?${name}`, init)
    judge(purchase, response, await response.text(), boot)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error // fetch: the connection is gone with its process
  }
}

/** Holds an answer against what `docs/explanation/never-twice.md` says. */
function judge(purchase: Purchase, response: Response, body: string, boot: number): void {
  const { customer, kind, name } = purchase
  const isReplayed = response.headers.get('idempotency-replayed') === 'true'
  const told = `${name}: ${response.status} ${body}`
  if (response.status === 200) {
    expect(kind.path, told).not.toBe('/fails')
    if (isReplayed) expect(body, told).toBe(purchase.body ?? body)
    const { authorized, charged } = customer.buyer.totals(response)
    if (authorized > customer.authorized) customer.authorized = authorized
    if (charged > customer.charged) customer.charged = charged
    Object.assign(purchase, { end: 'sold', body })
  } else if (response.status === 500) {
    expect(kind.path, told).toBe('/fails')
    purchase.end = 'failed'
  } else {
    expect(told).toMatch(/: 409 .*request-interrupted/s)
    expect(kind.method, told).not.toBe('GET')
    expect(kind.path, told).not.toBe('/again')
    expect(boot, told).toBeGreaterThan(purchase.boot)
    // A buyer whose answer came shortly before the kill may be told so too.
    purchase.end = 'interrupted'
  }
}

/** What a kill has left, looked at in a copy, so that the receiver has to recover from the same. */
async function channelOf({ buyer }: Customer): Promise<Channel> {
  for (const end of ['', '-wal']) {
    rmSync(`${path}.copy${end}`, { force: true })
    if (existsSync(`${path}${end}`)) copyFileSync(`${path}${end}`, `${path}.copy${end}`)
  }
  const store = sqlite(`${path}.copy`)
  const channel = await store.get(buyer.channel)
  await store.close()
  return channel!
}

async function audit(customer: Customer): Promise<void> {
  const { keyed, purchases } = customer
  const channel = await channelOf(customer)
  const certain = purchases.filter(({ end }) => end === 'sold' || end === 'interrupted').length
  const ran = runsOf(customer)
  expect(authorized(channel)).toBeGreaterThanOrEqual(customer.authorized)
  expect(channel.charged).toBeGreaterThanOrEqual(5n * BigInt(keyed ? certain : ran.length))
  expect(channel.charged).toBeLessThanOrEqual(5n * BigInt(purchases.length))
  expect(channel.charged).toBeLessThanOrEqual(authorized(channel))
  expect(authorized(channel)).toBeLessThanOrEqual(channel.deposit)
  // Only a failure lowers what was charged.
  if (!keyed) expect(channel.charged).toBeGreaterThanOrEqual(customer.charged)
  if (!keyed) expect(ran.length).toBeGreaterThanOrEqual(certain)
  for (const purchase of purchases) checkRuns(purchase, ran)
}

/** Nothing is open any more, so the sums are exact. */
async function auditAtTheEnd(customer: Customer): Promise<void> {
  await audit(customer)
  if (!customer.keyed) return
  const channel = await channelOf(customer)
  const paid = customer.purchases.filter(({ end }) => end !== 'failed')
  expect(channel.charged).toBe(5n * BigInt(paid.length))
  const amounts = customer.purchases.map(({ amount }) => amount)
  expect(authorized(channel)).toBe(amounts.reduce((most, amount) => (amount > most ? amount : most)))
}

type Run = { readonly boot: string; readonly name: string }

function runsOf({ buyer, keyed }: Customer): Run[] {
  const lines = existsSync(runs) ? readFileSync(runs, 'utf8').trim().split('\n') : []
  const all = lines.map((line): Run => ({ boot: line.split(' ')[0]!, name: line.split(' ')[1]! }))
  return all.filter(({ name }) => name.startsWith(`${buyer.rail}-${keyed ? 'keyed' : 'plain'}-`))
}

/** One run, one more for each kill where that may be; a failure may be tried as often as it is asked for. */
function checkRuns({ name, kind, end }: Purchase, ran: readonly Run[]): void {
  const boots = ran.filter((run) => run.name === name).map(({ boot }) => boot)
  if (end === 'sold') expect(boots.length, name).toBeGreaterThan(0)
  if (kind.path === '/fails') return
  expect(new Set(boots).size, `${name} ran in ${boots.join(', ')}`).toBe(boots.length)
  if (!kind.mayRunAgain) expect(boots.length, name).toBeLessThanOrEqual(1)
}
