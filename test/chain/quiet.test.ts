/** Nothing happens, and little is asked: what follows a chain looks for a new block once in `pollMs`, and does no more. */
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, expect, it, onTestFinished, vi } from 'vitest'
import { createChain } from '../../src/chain/rpc.ts'
import { cursorAt, follow } from '../../src/chain/follow.ts'
import { createWallet } from '../../src/chain/wallet.ts'
import { memory } from '../../src/store/memory.ts'
import { newReceiver, rpc, startWorld } from '../support/market.ts'
import { startBrokenNode } from './broken-node.ts'
import { emitCall, emitterAt, emitterEscrow, receiver } from './contracts.ts'

const POLL_MS = 150
const LOOKS = 12

const world = await startWorld()
afterAll(() => world.anvil.stop())
const node = await startBrokenNode(world.anvil.url)
const chain = createChain({ rpc: node.url, pollMs: POLL_MS, confirmations: 2 })

const countOf = (method: string) => node.asked.filter((asked) => asked.method === method).length

/** What is asked from now on until the head was asked for so many times, and how long that took. */
async function watchLooks(method: string) {
  node.forget()
  const startedMs = performance.now()
  await vi.waitFor(() => expect(countOf(method)).toBeGreaterThanOrEqual(LOOKS), { interval: 5, timeout: 20_000 })
  return { tookMs: performance.now() - startedMs, asked: node.asked.length }
}

it('who follows from the newest block asks for the head, once in pollMs', async () => {
  const abort = new AbortController()
  const from = await cursorAt(chain, await chain.confirmed())
  let looks = 0
  const following = (async () => {
    const at = { chainId: world.chainId, address: emitterAt }
    const settings = { chain, escrow: emitterEscrow, at, of: { receiver }, from, signal: abort.signal }
    for await (const step of follow({ ...settings, onHeard: () => (looks += 1) })) expect(step.type).toBe('seen')
  })()
  onTestFinished(async () => {
    abort.abort()
    await following
  })
  await vi.waitFor(() => expect(looks).toBeGreaterThan(1))
  const { tookMs, asked } = await watchLooks('eth_getBlockByNumber')
  expect(tookMs).toBeGreaterThan((LOOKS - 1) * POLL_MS * 0.95)
  expect(asked).toBe(LOOKS)
})

it('a receiver that starts again at the newest block asks for little else', async () => {
  const store = memory()
  const config = { chain, store, address: receiver } as const
  await (await newReceiver(world, config)).stop()
  const again = await newReceiver(world, config)
  onTestFinished(() => again.stop())
  const { tookMs, asked } = await watchLooks('eth_getBlockByNumber')
  expect(tookMs).toBeGreaterThan((LOOKS - 1) * POLL_MS * 0.9)
  expect(asked).toBeLessThanOrEqual(LOOKS * 2)
})

it('a wallet whose transaction waits for confirmations asks three questions in pollMs', async () => {
  const wallet = createWallet({ chain, account: privateKeyToAccount(world.accounts[1]!.privateKey) })
  const sending = wallet.send(emitCall(1), { gas: 100_000n })
  await vi.waitFor(async () => expect(await wallet.pending()).toMatchObject([{ mined: true }]))
  const { tookMs, asked } = await watchLooks('eth_getBlockByNumber')
  expect(tookMs).toBeGreaterThan((LOOKS - 1) * POLL_MS * 0.95)
  expect(asked).toBeLessThanOrEqual(LOOKS * 3)
  await rpc(world, 'anvil_mine', '0x2')
  await sending
})
