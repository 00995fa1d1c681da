/**
 * A wallet that is killed while a transaction is on its way: what was asked for takes effect once, whether the next
 * process asks for it again or not.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { keccak256, type Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startBrokenNode } from '../chain/broken-node.ts'
import { emitterAt, emitterCode } from '../chain/contracts.ts'
import { effects as effectsOn, nextId, pooled } from '../chain/sending.ts'
import { startTestChain } from '../support/anvil.ts'
import { bundle } from './program.ts'
import type { WalletSettings } from './wallet-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-wallet-kill-'))
const node = await startTestChain()
const broken = await startBrokenNode(node.url)
await node.setCode(emitterAt, emitterCode)
const program = await bundle('wallet-process.ts')
afterAll(() => rmSync(folder, { recursive: true }))

const effects = (id: number) => effectsOn(id, node)
/** Every version of a transaction that was handed to the node, or was to be. */
const versions = () => [
  ...new Set(
    broken.asked
      .filter(({ method }) => method === 'eth_sendRawTransaction')
      .map(({ params: [raw] }) => keccak256(raw as Hex)),
  ),
]

let used = 0
/** A key of its own, with coins, in a store of its own. */
async function settingsFor(more: Partial<WalletSettings> = {}) {
  const key = generatePrivateKey()
  const { address } = privateKeyToAccount(key)
  await node.setBalance(address, 10n ** 18n)
  const settings: WalletSettings = {
    rpc: broken.url,
    key,
    path: join(folder, `${++used}.db`),
    stuckMs: 60_000,
    id: nextId(),
    hold: false,
    ...more,
  }
  return { settings, address, id: settings.id! }
}

function start(settings: WalletSettings) {
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const closed = once(child, 'close')
  const saw = (word: string) =>
    vi.waitFor(() => expect(lines.find((line) => line.startsWith(word))).toBeDefined(), {
      interval: 5,
      timeout: 15_000,
    })
  return { kill: () => child.kill('SIGKILL'), lines, saw, closed }
}

beforeEach(async () => {
  broken.behave()
  broken.forget()
  await node.setAutomine(true)
})

type Running = ReturnType<typeof start>

/** Where a process can die, and what brings it there. */
const deaths: [string, Partial<WalletSettings>, (wallet: Running) => Promise<unknown>][] = [
  [
    'stored and not sent',
    {},
    async ({ kill, closed }) => {
      broken.misbehave(({ method }) => (method === 'eth_sendRawTransaction' && kill() ? 'reset' : undefined))
      await closed
    },
  ],
  [
    'sent and not mined',
    {},
    async ({ kill, closed }) => {
      await node.setAutomine(false)
      broken.misbehave(({ method }) => (method === 'eth_sendRawTransaction' && kill() ? 'swallow' : undefined))
      await closed
      await pooled(1, node)
    },
  ],
  [
    'mined and not marked as done',
    { hold: true },
    async ({ kill, closed, saw }) => {
      await saw('marking')
      kill()
      await closed
    },
  ],
]

describe.each(deaths)('a transaction that was %s when its process was killed', (_, more, die) => {
  it.each([
    ['is asked for again', true],
    ['is not asked for again', false],
  ])('takes effect once when it %s', async (_, isAskedAgain) => {
    const { settings, address, id } = await settingsFor(more)
    await die(start(settings))
    broken.behave()
    const { id: _id, ...silent } = settings
    const again = start({ ...(isAskedAgain ? settings : silent), hold: false })
    await again.saw('pending 0 0')
    await node.setAutomine(true)
    await node.mine()
    await again.closed

    expect(again.lines.at(-1)).toBe('idle')
    expect(await effects(id)).toHaveLength(1)
    expect(await node.rpc('eth_getTransactionCount', address, 'latest')).toBe('0x1')
    expect(versions()).toHaveLength(1)
    if (isAskedAgain) expect(again.lines).toContain(`mined ${versions()[0]}`)

    const third = start(settings)
    await third.closed
    expect(third.lines).toEqual([`sent ${versions()[0]}`, `mined ${versions()[0]}`, 'idle'])
    expect(await effects(id)).toHaveLength(1)
  })
})

it('a transaction that was replaced when its process was killed is the same one afterwards', async () => {
  const { settings, address, id } = await settingsFor({ stuckMs: 40 })
  await node.setAutomine(false)
  const first = start(settings)
  await vi.waitFor(() => expect(versions().length).toBeGreaterThan(2), { interval: 5, timeout: 15_000 })
  first.kill()
  await first.closed
  const before = versions()
  await node.rpc('anvil_dropAllTransactions')

  const again = start({ ...settings, stuckMs: 60_000 })
  await again.saw('sent')
  const [waiting] = await pooled(1, node)
  await node.mine()
  await again.closed

  // It may have been killed with one more version on file than a node has seen.
  const [replaced = 0] = again.lines.flatMap((line) => /^pending 0 (\d+)$/.exec(line)?.slice(1) ?? []).map(Number)
  expect(replaced).toBeGreaterThanOrEqual(before.length - 1)
  expect(waiting!.hash).toBe(versions().at(-1))
  expect(versions().length).toBeLessThanOrEqual(before.length + 1)
  expect(again.lines.slice(-2)).toEqual([`mined ${waiting!.hash}`, 'idle'])
  expect(await effects(id)).toHaveLength(1)
  expect(await node.rpc('eth_getTransactionCount', address, 'latest')).toBe('0x1')
})
