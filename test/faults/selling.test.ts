/**
 * What buyers hear while the store of a receiver that sells is full, locked, slow, cut off or damaged: 503 and why, never
 * content for nothing; and that it sells on when the trouble is over, with nothing lost.
 */
import { DatabaseSync } from '@photostructure/sqlite'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { authorized, type Channel, type ChannelKey } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { groupCommit, type Batch } from '../../src/store/commit.ts'
import { memory } from '../../src/store/memory.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { newBuyer, newReceiver, openShop, rpc, startWorld, until } from '../support/market.ts'
import { channelOf, plusOne } from '../support/store-fixtures.ts'
import { introduce, openRemoteBuyer, type RemoteBuyer } from './buyer.ts'
import { bundle, settingsFor, startReceiver, type Running } from './program.ts'
import type { Settings } from './receiver-process.ts'

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0
const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
let world: LocalChain
let program: string
let path: string

beforeAll(async () => {
  world = await startWorld()
  program = await bundle('receiver-process.ts')
})
afterAll(() => world.anvil.stop())
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-selling-'))
  path = join(folder, 'receiver.db')
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

/** A buyer's ledger, by what it was answered. */
function newBook(buyer: RemoteBuyer, url: string) {
  let amount = 0n
  const told: string[] = []
  return {
    told,
    /** Asks once, for five more. Returns 200, or what was refused and why. */
    async buy(): Promise<string> {
      amount += 5n
      const response = await fetch(`${url}/sold?buy`, { headers: await buyer.headers(amount, `${url}/sold`) })
      const body = await response.text()
      if (response.status === 200) expect(body).toMatch(/^sold /)
      else expect(response.headers.get('content-type')).toBe('application/problem+json')
      told.push(response.status === 200 ? 'sold' : `${response.status} ${reasonIn(body)}`)
      return told.at(-1)!
    },
    sold: () => told.filter((word) => word === 'sold').length,
    amount: () => amount,
  }
}

function reasonIn(body: string): string {
  const { code, reason } = JSON.parse(body) as { code: string; reason?: string }
  return `${code} ${reason}`
}

const UNAVAILABLE = '503 receiver-unavailable store'

async function open(change: Partial<Settings> = {}, command: readonly string[] = []) {
  const settings = { ...(await settingsFor(world, path)), runs: `${path}.runs`, ...change }
  const receiver = await startReceiver(program, settings, command)
  const buyer = await introduce(
    await openRemoteBuyer(world, 'payment', settings.address, 100_000n),
    `${receiver.url}/sold`,
  )
  return { settings, receiver, buyer, book: newBook(buyer, receiver.url) }
}

const runs = () => readFileSync(`${path}.runs`, 'utf8').split('\n').length - 1

/** Nothing was lost and nothing was given away: each purchase is one run and one charge. */
async function expectExact(receiver: Running, buyer: RemoteBuyer, book: ReturnType<typeof newBook>): Promise<void> {
  expect(runs()).toBe(book.sold())
  await receiver.end('SIGTERM')
  const store = sqlite(path)
  const channel = (await store.get(buyer.channel))!
  expect(channel.charged).toBe(5n * BigInt(book.sold()))
  expect(authorized(channel)).toBe(book.amount())
  await store.close()
}

/** The chain goes on meanwhile, and what it says cannot be kept either. */
async function mineUnheard({ said }: Running): Promise<void> {
  const faults = () => said().split('store-unavailable').length
  const before = faults()
  await rpc(world, 'anvil_mine', '0x2')
  await until(() => faults() > before)
}

function limitFiles({ child }: Running, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', `${child.pid}`, `--fsize=${bytes}:unlimited`])
}

it.runIf(hasPrlimit).each([
  { title: 'no file can grow', room: () => statSync(`${path}-wal`).size },
  { title: 'nothing can be written at all', room: () => 0 },
])(
  'says 503 while $title, and sells on when it can (needs prlimit, for a limit that can be lifted)',
  { timeout: 60_000 },
  async ({ room }) => {
    const { receiver, buyer, book } = await open()
    for (let i = 0; i < 5; i += 1) expect(await book.buy()).toBe('sold')
    limitFiles(receiver, room())
    const during = [await book.buy(), await book.buy(), await book.buy()]
    // A log that was started over has some room, and not for long.
    while (!during.includes(UNAVAILABLE)) during.push(await book.buy())
    expect(during.filter((word) => word !== 'sold' && word !== UNAVAILABLE)).toEqual([])
    expect(runs()).toBe(book.sold())
    await mineUnheard(receiver)
    expect(receiver.said()).toContain(path)
    limitFiles(receiver, 'unlimited')
    await until(async () => (await book.buy()) === 'sold')
    for (let i = 0; i < 5; i += 1) expect(await book.buy()).toBe('sold')
    await expectExact(receiver, buyer, book)
  },
)

it('says 503 while another process holds a shared store, and sells on when it lets go', async () => {
  const { receiver, buyer, book } = await open({ busyTimeoutMs: 20 })
  expect(await book.buy()).toBe('sold')
  const other = new DatabaseSync(path, { timeout: 10_000 }) // the receiver forgets old records once a second
  other.exec('BEGIN IMMEDIATE')
  expect([await book.buy(), await book.buy()]).toEqual([UNAVAILABLE, UNAVAILABLE])
  await mineUnheard(receiver)
  expect(receiver.said()).toContain('is locked by another process')
  expect(runs()).toBe(1)
  other.exec('ROLLBACK')
  other.close()
  await until(async () => (await book.buy()) === 'sold')
  await expectExact(receiver, buyer, book)
})

it('does not even start on a store that another receiver holds', async () => {
  const { settings, receiver } = await open()
  await expect(startReceiver(program, settings)).rejects.toThrow('is in use by another process')
  await receiver.end('SIGKILL')
})

it.each([
  { title: 'cut off', spoil: (pages: number) => ['truncate', '-s', `${pages * 4096}`, path] },
  {
    title: 'overwritten',
    spoil: (pages: number) => [
      'dd',
      'if=/dev/urandom',
      `of=${path}`,
      'bs=4096',
      `seek=${pages}`,
      `count=${statSync(path).size / 4096 - pages}`,
      'conv=notrunc',
    ],
  },
])(
  'says 503 for what it cannot read any more in a file that was $title, and starts nothing anew',
  { timeout: 60_000 },
  async ({ spoil }) => {
    const first = await open()
    expect(await first.book.buy()).toBe('sold')
    await first.receiver.end('SIGTERM')
    // So many others that the file is larger than what is kept in memory.
    const store = sqlite(path)
    await Promise.all(Array.from({ length: 20_000 }, (_, n) => store.update(channelOf(n).key, plusOne(n))))
    await store.close()
    const receiver = await startReceiver(program, { ...first.settings, hotChannels: 1 })
    const [command = '', ...words] = spoil(2)
    execFileSync(command, words, { stdio: 'ignore' })
    const book = newBook(first.buyer, receiver.url)
    expect(await book.buy()).toBe(UNAVAILABLE)
    expect(receiver.said()).toContain('is damaged. Stop, keep the file, and restore a backup.')
    expect(runs()).toBe(1)
    await receiver.end('SIGKILL')
    const left = statSync(path).size
    await expect(startReceiver(program, first.settings)).rejects.toThrow(/is damaged|was cut off/)
    expect(statSync(path).size).toBe(left)
  },
)

/** A store whose disk takes as long as it is told to, and may then have no room. */
function slowStore() {
  const kept = { channels: new Map<ChannelKey, Channel>(), records: new Map<string, string | undefined>() }
  let isSlow = false
  let isFull = false
  let writing = 0
  async function write({ channels, records }: Batch): Promise<void> {
    writing += 1
    while (isSlow) await turn()
    writing -= 1
    if (isFull) throw new Error('no space left on device')
    for (const [key, channel] of channels) kept.channels.set(key, channel)
    for (const [name, value] of records) kept.records.set(name, value)
  }
  const [readChannel, readRecord] = [
    (key: ChannelKey) => kept.channels.get(key),
    (name: string) => kept.records.get(name),
  ]
  const store: Store = {
    ...memory(),
    ...groupCommit({ readChannel, readRecord, write }),
    get: (key) => Promise.resolve(readChannel(key)),
    readRecord: (name) => Promise.resolve(readRecord(name)),
  }
  return {
    store,
    isWriting: () => writing > 0,
    slowDown: () => (isSlow = true),
    speedUp: (full: boolean) => ([isSlow, isFull] = [false, full]),
  }
}

it('runs nothing before a slow disk has what was paid, and nothing at all if it never gets it', async () => {
  const disk = slowStore()
  const receiver = await newReceiver(world, { store: disk.store })
  const shop = await openShop(receiver)
  const buyer = await newBuyer(world, receiver)
  const paying = await Promise.all(
    [5n, 10n, 15n, 20n].map((amount, i) =>
      buyer.headers(`${shop.url}/x`, amount, i % 2 === 0 ? { key: `key ${i}` } : {}),
    ),
  )
  const ask = () => paying.map((headers) => fetch(`${shop.url}/x`, { headers }))
  for (const { full, status } of [
    { full: true, status: 503 },
    { full: false, status: 200 },
  ]) {
    disk.slowDown()
    const answers = ask()
    await until(disk.isWriting)
    // Whoever does not pay is answered meanwhile, so there was time to run a handler too early.
    expect((await fetch(`${shop.url}/x`)).status).toBe(402)
    expect(shop.calls).toEqual([])
    disk.speedUp(full)
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([status, status, status, status])
    expect(shop.calls).toHaveLength(full ? 0 : 4)
    disk.speedUp(false)
  }
  expect(await buyer.known()).toMatchObject({ charged: 20n, voucher: { cumulativeAmount: 20n } })
  await shop.close()
  await receiver.stop()
})

it.runIf(hasStrace)(
  'has the disk sync each charge before its handler runs, and answers then (seen where strace is installed)',
  { timeout: 60_000 },
  async () => {
    const log = `${path}.calls`
    const tracer = ['strace', '-D', '-f', '-s', '64', '-e', 'trace=fdatasync,fsync,write,writev', '-o', log]
    const { receiver, book } = await open({}, tracer)
    for (let i = 0; i < 10; i += 1) expect(await book.buy()).toBe('sold')
    await receiver.end('SIGTERM')
    const seen = () => readFileSync(log, 'utf8').match(/f(data)?sync|"0 buy|"HTTP\/1.1 200/g) ?? []
    await until(() => seen().filter((call) => call.includes('200')).length === 10)
    const calls = seen()
    const before = calls.flatMap((call, at) => (call.includes('200') ? [calls.slice(at - 2, at)] : []))
    for (const pair of before) expect(pair).toEqual([expect.stringMatching(/sync$/), '"0 buy'])
  },
)
