/**
 * The programs of examples/, each server and each client a process of its own, as a newcomer runs them: they find the
 * chain of this machine, and import the package by its name, as it is built.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Channel } from '../src/channel/channel.ts'
import { announceRun, runningDevs } from '../src/cli/running.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { blocksOf, proseOf } from './architecture/pages.ts'
import { filesIn, read, root, sources } from './architecture/sources.ts'
import { newAccount, startWorld, tokensOf, until } from './support/market.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-examples-'))
const world = await startWorld()
const { chainId, escrow, token, accounts } = world

/** What sells, where it keeps its channels, and who is paid. */
const shops = {
  echo: { program: 'echo/server.ts', store: 'echo-server', account: accounts[3]! },
  fortune: { program: 'fortune/server.ts', store: 'fortune-server', account: accounts[4]! },
  'paid-site': { program: 'paid-site/server.ts', store: 'site-server', account: accounts[5]! },
  ticker: { program: 'ticker/server.ts', store: 'ticker-server', account: accounts[6]! },
  streaming: { program: 'streaming/server.ts', store: 'streaming-server', account: accounts[7]! },
  'machine-to-machine': { program: 'machine-to-machine/sensor.ts', store: 'sensor', account: accounts[8]! },
  'express-app': { program: 'express-app/app.ts', store: 'notes-server', account: accounts[9]! },
}
type Name = keyof typeof shops

/** Base units that each account of the chain begins with. */
const STARTED_WITH = 1_000_000_000n

const running: Program[] = []

beforeAll(() => {
  for (const path of [...sources, ...filesIn('examples', '.ts')]) {
    const { outputText } = ts.transpileModule(read(path), { compilerOptions })
    write(path.replace(/^src/, 'dist').replace(/ts$/, 'js'), outputText)
  }
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  copyFileSync(join(root, 'examples/streaming/farthing.cast'), join(folder, 'examples/streaming/farthing.cast'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(folder, 'dist'), join(folder, 'src'))
})

afterAll(async () => {
  for (const program of running) await program.stop('SIGTERM')
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

describe.concurrent('the example', { timeout: 120_000 }, () => {
  it('echo sells at a fixed price, and at a price that is in the address', async () => {
    const { url, env, ledger } = await open('echo')
    expect(await outputOf('echo/client.ts', [url], env)).toBe(shownIn('echo'))
    expect(await ledger()).toMatchObject([{ charged: 17n, deposit: 500n, status: 'open' }])
  })

  it('fortune has two prices, one more for another method, and gives back what a handler says', async () => {
    const { url, env, ledger } = await open('fortune')
    const [latin, english, added, refused] = (await outputOf('fortune/client.ts', [url], env)).split('\n')
    expect(latin).toMatch(/^3 for: 200 \w.*\.$/)
    expect(english).toMatch(/^2 for: 200 \w.*\.$/)
    expect([added, refused]).toEqual(shownIn('fortune').split('\n').slice(2))
    expect(await ledger()).toMatchObject([{ charged: 25n, deposit: 200n }])
  })

  it('paid-site sells the pages of one path, and gives the others away', async () => {
    const site = await addressIn(start('paid-site/site.ts'))
    const { url, env, ledger } = await open('paid-site', [site])
    const unpaid = await fetch(`${url}/wiki/Wren`)
    expect(unpaid.status).toBe(402)
    expect(await unpaid.text()).not.toContain('loud voice')
    expect(await (await fetch(`${url}/about`)).text()).toContain('nobody in particular')
    expect(await outputOf('paid-site/client.ts', [url], env)).toBe(shownIn('paid-site'))
    expect(await ledger()).toMatchObject([{ charged: 20n }])
  })

  it('ticker polls, and closes its channel when it is told to leave', async () => {
    const { url, env, ledger } = await open('ticker')
    const client = start('ticker/client.ts', [url, '50'], env)
    await client.has(/(^\S+T\S+Z \d+\.\d\d\n){3}/m)
    expect(await client.stop('SIGINT')).toBe(0)
    const [, bought = '', paid = ''] = /\n(\d+) quotes for (\d+)\. The channel is closed\.\n$/.exec(client.said()) ?? []
    expect(client.said().match(/Z \d+\.\d\d\n/g)).toHaveLength(Number(bought))
    expect(BigInt(paid)).toBe(BigInt(bought) * 100n)
    expect(await earnedBy('ticker')).toBe(BigInt(paid))
    // The server may be stopped before it has followed the close into its ledger; what it charged is there at once.
    expect(await ledger()).toMatchObject([{ charged: BigInt(paid) }])
  })

  it('streaming is paid part by part, and not any more when nobody watches', async () => {
    const { url, env, ledger } = await open('streaming')
    const all = await outputOf('streaming/client.ts', [url, '1000'], env)
    expect(all).toContain('15 for the birds')
    expect(all.split('\n').at(-1)).toBe(shownIn('streaming'))
    const viewer = start('streaming/client.ts', [url], env)
    await viewer.has(/\$ /)
    expect(await viewer.stop('SIGINT')).toBe(0)
    expect(viewer.said()).toMatch(/\nWatched 1 of 5 parts and paid 20\.\n$/)
    expect(await ledger()).toMatchObject([{ charged: 120n }])
  })

  it('machine-to-machine goes on after either was killed, to the end of its budget and no further', async () => {
    const { url, env, shop } = await open('machine-to-machine')
    const first = start('machine-to-machine/buyer.ts', [url, '250'], env)
    await first.has(/(^\{.*\}\n){3}/m)
    await first.stop('SIGKILL')

    const second = start('machine-to-machine/buyer.ts', [url, '250'], env)
    await second.has(/(^\{.*\}\n){2}/m)
    await shop.stop('SIGKILL')
    await second.has(/does not answer/)
    const again = start('machine-to-machine/sensor.ts', [], { ...env, PORT: new URL(url).port })
    expect(await second.ended).toBe(0)
    expect(second.said()).toMatch(/Enough for today\. .*perDay is 480.*\n$/)

    await until(async () => (await earnedBy('machine-to-machine')) >= 200n) // what the sensor takes by itself
    await again.stop('SIGTERM')
    const readings = [...`${first.said()}${second.said()}`.matchAll(/celsius/g)].length
    const [channel, ...more] = await channelsOf('machine-to-machine', env)
    expect(more).toEqual([])
    expect(channel!.charged).toBeLessThanOrEqual(480n)
    expect(channel!.charged).toBeGreaterThanOrEqual(BigInt(readings) * 40n)
    expect(readings).toBeGreaterThanOrEqual(10) // of 12; each one that was killed may have had one on its way
  })

  it('express-app sells two routes of an application, and leaves the others as they were', async () => {
    const { url, env, ledger } = await open('express-app')
    const unpaid = await fetch(`${url}/search`, { method: 'POST', body: 'farthing' })
    expect([unpaid.status, (await fetch(`${url}/notes`)).status]).toEqual([402, 200])
    expect(await outputOf('express-app/client.ts', [url], env)).toBe(shownIn('express-app'))
    expect(await ledger()).toMatchObject([{ charged: 35n }])
  })

  it('takes the chain, a key and a file from the environment', async () => {
    const [sellers, buyers] = [await settings('seller'), await settings('buyer')]
    const shop = start('echo/server.ts', [], sellers)
    expect(await outputOf('echo/client.ts', [await addressIn(shop)], buyers)).toBe(shownIn('echo'))
    await shop.stop('SIGTERM')
    expect(await channelsIn(sellers.FARTHING_STATE)).toMatchObject([{ charged: 17n }])
  })

  it('says in one line what to do when there is no chain', async () => {
    const lost = start('echo/client.ts')
    expect(await lost.ended).toBe(2)
    expect(lost.complained()).toContain('Or start a chain in another terminal: npx farthing dev\n')
    expect(lost.complained()).not.toContain('    at ')
  })
})

it('every example is one of these, and the page of examples leads to it', () => {
  const folders = readdirSync(join(root, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'demo')
    .map(({ name }) => name)
  expect(folders.sort()).toEqual(Object.keys(shops).sort())
  const page = proseOf('docs/how-to/examples.md').join('\n')
  for (const name of folders) expect(page).toContain(`(../../examples/${name}/README.md)`)
})

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ES2022,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

type Env = Readonly<Record<string, string>>

/** Starts the server of an example, beside a `farthing dev` whose buyer is nobody else. */
async function open(name: Name, args: readonly string[] = []) {
  const env = { FARTHING_HOME: join(folder, name) }
  const buyer = await newAccount(world)
  inHome(env, () => announceRun({ url: 'http://127.0.0.1:1', rpc: world.anvil.url, chainId, escrow, token, buyer }))
  const shop = start(shops[name].program, args, env)
  const url = await addressIn(shop)
  const ledger = async () => {
    await shop.stop('SIGTERM')
    return channelsOf(name, env)
  }
  /** `ledger` stops the server by its process id and reads what it has kept. */
  return { env, shop, url, ledger }
}

/** Other tests run meanwhile, so nothing may happen in between. */
function inHome<T>({ FARTHING_HOME }: Env, work: () => T): T {
  vi.stubEnv('FARTHING_HOME', FARTHING_HOME)
  try {
    return work()
  } finally {
    vi.unstubAllEnvs()
  }
}

async function settings(who: string) {
  return {
    FARTHING_RPC: world.anvil.url,
    FARTHING_ESCROW: escrow,
    FARTHING_TOKEN: token,
    FARTHING_KEY: (await newAccount(world)).privateKey,
    FARTHING_STATE: join(folder, `${who}.db`),
  }
}

type Program = {
  said(): string
  complained(): string
  /** Resolves when the pattern is in what it said. Rejects if it ends without. */
  has(pattern: RegExp): Promise<RegExpExecArray>
  readonly ended: Promise<number | null>
  stop(signal: NodeJS.Signals): Promise<number | null>
}

function start(path: string, args: readonly string[] = [], more: Env = {}): Program {
  const { PATH, HOME, TMPDIR } = process.env
  const env = { PATH, HOME, TMPDIR, FARTHING_HOME: join(folder, 'nobody'), PORT: '0', ...more }
  const file = join(folder, 'examples', path.replace(/ts$/, 'js'))
  const child = spawn(process.execPath, [file, ...args], { cwd: folder, env })
  const program = programOf(path, child)
  running.push(program)
  return program
}

function programOf(path: string, child: ChildProcess): Program {
  let said = ''
  let complained = ''
  let over = false
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  void ended.then(() => (over = true))
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr!.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  return {
    said: () => said,
    complained: () => complained,
    has: async (pattern) => {
      await until(() => over || pattern.test(said))
      const found = pattern.exec(said)
      if (!found) throw new Error(`${path} ended and did not say ${String(pattern)}: ${said}${complained}`)
      return found
    },
    ended,
    stop: (signal) => {
      if (!over) child.kill(signal)
      return ended
    },
  }
}

async function addressIn(program: Program): Promise<string> {
  const [, address = ''] = await program.has(/ at (http:\S+)\n/)
  return address
}

/** What a client prints until it ends well. */
async function outputOf(path: string, args: readonly string[], env: Env): Promise<string> {
  const client = start(path, args, env)
  const code = await client.ended
  expect({ code, complained: client.complained() }).toEqual({ code: 0, complained: '' })
  return client.said().trim()
}

/** What the README of an example shows: its last block. */
function shownIn(name: Name): string {
  return blocksOf(`examples/${name}/README.md`).at(-1)!.lines.join('\n')
}

async function earnedBy(name: Name): Promise<bigint> {
  return (await tokensOf(world, shops[name].account.address)) - STARTED_WITH
}

function channelsOf(name: Name, env: Env): Promise<Channel[]> {
  const { store, account } = shops[name]
  const [run] = inHome(env, runningDevs)
  return channelsIn(join(run!.folder, `${store}-${chainId}-${account.address}.db`))
}

async function channelsIn(file: string): Promise<Channel[]> {
  const store = sqlite(file)
  const channels: Channel[] = []
  for await (const channel of store.list()) channels.push(channel)
  await store.close()
  return channels
}
