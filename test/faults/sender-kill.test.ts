/**
 * SIGKILL of a sender, in the middle of payments, while it opens its channel and while it tops it up: no voucher leaves
 * before it is on the disk, no second channel is opened, nothing that was paid is paid twice, and no budget starts anew.
 * KILLS says how often for each kind of sender (6), SEED repeats the choices, though not the moments, of a run.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { authorized, type Channel } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { SPENT } from '../../src/sender/budget.ts'
import type { Ahead } from '../../src/sender/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { newAccount, startWorld, tokensOf, until } from '../support/market.ts'
import { railKits, type RailKit } from '../support/rail-kits.ts'
import { bundle } from './program.ts'
import { seeded } from './random.ts'
import type { SenderSettings } from './sender-process.ts'
import { openNode, openSenderShop, startSender, type Fact, type SenderShop } from './sender-world.ts'

const KILLS = Number(process.env.KILLS ?? 6)
const TOKENS = 1_000_000_000n
const { seed, random, pick } = seeded()
const folder = mkdtempSync(join(tmpdir(), 'farthing-sender-kill-'))
const endings: (() => unknown)[] = []
let world: LocalChain
let program: string

beforeAll(async () => {
  world = await startWorld()
  program = await bundle('sender-process.ts')
})
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})
afterAll(async () => {
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

/** A sender, over all its starts. */
type Subject = {
  readonly settings: SenderSettings
  readonly shop: SenderShop
  /** How each purchase ended, by its name; undefined: no answer was seen. */
  readonly ends: Map<string, string | undefined>
  /** Called at each fact from now on. */
  onFact(act: (fact: Fact) => boolean): void
}

const policies: readonly (readonly [string, Ahead | undefined])[] = [
  ['a voucher each', undefined],
  ['vouchers ahead', { requests: 5 }],
]

describe.each(railKits)('a sender on the rail $name', (kit) => {
  it.each(policies)(
    `with %s goes on where it was, over ${KILLS} kills (SEED=${seed})`,
    { timeout: 60_000 + KILLS * 10_000 },
    async (_what, ahead) => {
      const subject = await openSubject(kit, ahead)
      for (let boot = 0; boot < KILLS; boot += 1) {
        await killSomewhere(subject, boot)
        await audit(subject)
      }
      await buyAllAndClose(subject)
    },
  )
})

async function openSubject(kit: RailKit, ahead: Ahead | undefined): Promise<Subject> {
  let act: (fact: Fact) => boolean = () => true
  const shop = await openSenderShop(world, kit, (fact) => act(fact), random)
  const node = await openNode(world, (fact) => act(fact))
  endings.push(shop.close, node.close)
  const { privateKey: key } = await newAccount(world, TOKENS)
  const settings: SenderSettings = {
    rpc: node.url,
    key,
    rail: kit.name,
    escrow: kit.name === 'rdn' ? world.raiden : world.escrow,
    token: world.token,
    path: join(folder, `${kit.name}-${ahead ? 'ahead' : 'each'}.db`),
    url: shop.url,
    boot: 0,
    again: [],
    lanes: 8,
    deposit: '60',
    perOrigin: `${TOKENS}`,
    ...(ahead && { ahead }),
  }
  return { settings, shop, ends: new Map(), onFact: (next) => (act = next) }
}

/** The first kills come at the first transactions, which open the channel; the others anywhere. */
function pickMoment(boot: number): { readonly fact: Fact; readonly count: number; readonly pauseMs: number } {
  if (boot === 0) return { fact: 'to be sent', count: 1, pauseMs: 0 }
  const fact = pick<Fact>(
    boot < 3 ? ['to be sent', 'sent', 'asked'] : ['arrival', 'run', 'answer', 'to be sent', 'sent'],
  )
  const most = { 'to be sent': 2, sent: 3, asked: 30, arrival: 60, run: 60, answer: 60 }[fact]
  return { fact, count: 1 + Math.floor(random() * most), pauseMs: random() < 0.5 ? 0 : random() * 10 }
}

async function killSomewhere(subject: Subject, boot: number): Promise<void> {
  const { settings, shop } = subject
  const { fact, count, pauseMs } = pickMoment(boot)
  const sender = startSender(program, { ...settings, boot, again: unanswered(subject) })
  let left = count
  let isKilled = false
  const kill = () => {
    isKilled = true
    sender.kill()
  }
  subject.onFact((now) => {
    if (now === fact) left -= 1
    if (now === fact && left === 0) {
      if (pauseMs === 0) kill()
      else setTimeout(kill, pauseMs)
    }
    return !isKilled
  })
  note(subject, await sender.ended('SIGKILL'))
  await until(() => shop.isQuiet())
  // Nothing that it signed was refused, unless the receiver had yet to see what the chain says already.
  expect(shop.refusals.filter((code) => !/^(channel-not-found|channel-pending|deposit-exceeded)$/.test(code))).toEqual(
    [],
  )
}

/** What has a key can be asked for again. */
function unanswered({ ends }: Subject): string[] {
  return [...ends].filter(([name, end]) => name.includes('keyed') && end === undefined).map(([name]) => name)
}

/** Takes down what a sender saw. */
function note({ ends }: Subject, lines: readonly string[]): void {
  for (const line of lines) {
    const [word, name = '', ...end] = line.split(' ')
    if (word === 'ask') ends.set(name, undefined)
    else if (word === 'got' || word === 'failed') ends.set(name, end.join(' '))
  }
}

/** What a kill has left on the disk, looked at in a copy, so that the sender has to recover from the same. */
async function booksOf({ settings }: Subject): Promise<{ readonly channels: Channel[]; readonly signed: bigint }> {
  const { path, url } = settings
  for (const end of ['', '-wal']) {
    rmSync(`${path}.copy${end}`, { force: true })
    if (existsSync(`${path}${end}`)) copyFileSync(`${path}${end}`, `${path}.copy${end}`)
  }
  const store = sqlite(`${path}.copy`)
  const channels: Channel[] = []
  for await (const channel of store.list()) channels.push(channel)
  const record = await store.readRecord(SPENT)
  await store.close()
  const { origins } = JSON.parse(record ?? '{"origins":{}}') as { origins: Record<string, string> }
  return { channels, signed: BigInt(origins[url] ?? '0') }
}

async function audit(subject: Subject): Promise<void> {
  const { shop, ends } = subject
  const { channels, signed } = await booksOf(subject)
  const held = await heldBy(shop)
  expect(held.length).toBeLessThanOrEqual(1)
  expect(channels.length).toBeLessThanOrEqual(1)
  const [ours] = channels
  const [theirs] = held
  const promised = ours ? authorized(ours) : 0n
  // What was signed is what the budget counts, in the same commit.
  expect(signed).toBe(promised)
  // Of everything that was ever on the wire.
  expect(shop.seen.size).toBeLessThanOrEqual(1)
  for (const [, amount] of shop.seen) expect(amount).toBeLessThanOrEqual(promised)
  expect(theirs?.charged ?? 0n).toBe(5n * BigInt(shop.ran.length))
  if (theirs) {
    expect(theirs.charged).toBeLessThanOrEqual(authorized(theirs))
    expect(authorized(theirs)).toBeLessThanOrEqual(promised)
    expect(authorized(theirs)).toBeLessThanOrEqual(theirs.deposit)
  }
  // What may have been charged is reckoned with, whether an answer came or not.
  if (ours) expect(ours.charged).toBeGreaterThanOrEqual(theirs?.charged ?? 0n)
  expect(new Set(shop.ran).size, shop.ran.join(' ')).toBe(shop.ran.length)
  for (const [name, end] of ends) {
    expect(end ?? '200', name).toBe('200')
    if (end === '200') expect(shop.ran, name).toContain(name)
  }
}

async function heldBy({ receiver }: SenderShop): Promise<Channel[]> {
  const held: Channel[] = []
  for await (const channel of receiver.store.list()) held.push(channel)
  return held
}

/** The last start: what was asked for is asked for again, then the budget is used up to the unit, and the channel closed. */
async function buyAllAndClose(subject: Subject): Promise<void> {
  const { settings, shop, ends } = subject
  // Room for what was on its way at each kill: it is reckoned with until an answer that came alone says what was charged.
  const perOrigin = (await booksOf(subject)).signed + BigInt(KILLS) * 100n
  subject.onFact(() => true)
  const again = unanswered(subject)
  const last = startSender(program, { ...settings, boot: KILLS, again, lanes: 0, perOrigin: `${perOrigin}` })
  const lines = await last.ended()
  const sum = 5n * BigInt(shop.ran.length)
  const [refused, closed] = lines.slice(-2)
  expect(refused).toMatch(/^failed \S+ over-budget$/)
  note(subject, lines.slice(0, -2))
  ends.delete(refused!.split(' ')[1]!)
  await audit(subject)
  expect(unanswered(subject)).toEqual([])
  // All that was signed before the kills too: nothing is lost by them, and no limit starts anew.
  expect(sum).toBe(perOrigin)
  expect((await booksOf(subject)).signed).toBe(perOrigin)
  const { address } = privateKeyToAccount(settings.key)
  const channel = await closedIn(shop)
  expect(channel).toMatchObject({ charged: sum, settled: sum })
  expect(closed).toBe(`closed ${sum} ${channel.deposit - sum}`)
  expect(await tokensOf(world, shop.receiver.address)).toBe(sum)
  expect(await tokensOf(world, address)).toBe(TOKENS - sum)
}

/** The only channel that there ever was, when its receiver has seen the end of it. */
async function closedIn(shop: SenderShop): Promise<Channel> {
  await until(async () => (await heldBy(shop)).every(({ status }) => status === 'closed'))
  const [only, ...others] = await heldBy(shop)
  expect(others).toEqual([])
  return only!
}
