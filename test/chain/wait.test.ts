import type { Hash, Hex } from 'viem'
import { describe, expect, it, vi } from 'vitest'
import { TransactionUnknownError } from '../../src/base/faults.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode } from './broken-node.ts'
import { reverterCode } from './contracts.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
const chain = createChain({ rpc: broken.url, pollMs: 5, confirmations: 3, timeoutMs: 500 })
const reverter = '0x00000000000000000000000000000000000e0002'
await node.setCode(reverter, reverterCode)
await node.mine(5)

/** A signed transfer, and its hash once a node has it. */
async function signTransfer(index: number): Promise<Hex> {
  const account = node.accounts[index]!
  const nonce = await chain.nonce(account.address, 'pending')
  return account.signTransaction({
    type: 'eip1559',
    chainId: 31337,
    nonce,
    to: reverter,
    gas: 30_000n,
    value: 1n,
    maxFeePerGas: 10n ** 10n,
  })
}

/** Until the node was asked a few times more. */
async function lookAgain(): Promise<void> {
  const asked = broken.asked.length
  await vi.waitFor(() => expect(broken.asked.length).toBeGreaterThan(asked + 8), { interval: 2, timeout: 10_000 })
}

const unknown: Hash = `0x${'44'.repeat(32)}`

describe('waiting for a transaction', () => {
  it('tells of each confirmation and ends at the configured one', async () => {
    await node.setAutomine(false)
    const hash = await node.submit({ from: node.accounts[0]!.address, to: node.accounts[1]!.address, value: 1n })
    const progress: number[] = []
    const waiting = chain.waitMined(hash, { onProgress: (confirmations) => progress.push(confirmations) })
    for (const depth of [0, 1, 2]) {
      await vi.waitFor(() => expect(progress.at(-1)).toBe(depth), { interval: 2 })
      await lookAgain()
      await node.mine()
    }

    const mined = await waiting

    expect(mined).toMatchObject({ hash, status: 'success', gasUsed: 21_000n, block: (await node.blockNumber()) - 2n })
    expect(progress).toEqual([0, 1, 2, 3])
    expect(await chain.mined(hash)).toEqual(mined)
    await node.setAutomine(true)
  })

  it('ends at once when the caller asks for one confirmation, also with a reverted one', async () => {
    const hash = await node.submit({ from: node.accounts[0]!.address, to: reverter, data: '0x01', gas: 50_000n })
    expect(await chain.waitMined(hash, { confirmations: 1 })).toMatchObject({ hash, status: 'reverted' })
  })

  it('survives a reorganisation that moves the transaction to another block', async () => {
    const raw = await signTransfer(2)
    const hash = (await node.rpc('eth_sendRawTransaction', raw)) as Hash
    await node.mine()
    const first = await chain.waitMined(hash, { confirmations: 2 })
    const progress: number[] = []
    const waiting = chain.waitMined(hash, { onProgress: (confirmations) => progress.push(confirmations) })
    await vi.waitFor(() => expect(progress).toEqual([2]), { interval: 2 })

    await node.reorg(2)
    await vi.waitFor(() => expect(progress).toEqual([2, 0]), { interval: 2 })
    await node.reorg(1, [[raw, 0]])
    await vi.waitFor(() => expect(progress).toEqual([2, 0, 1]), { interval: 2 })
    await node.mine(2)

    const second = await waiting
    expect(second.block).toBe(first.block + 1n)
  })

  it('goes on when the node is away for a while', async () => {
    const waiting = chain.waitMined(
      await node.submit({ from: node.accounts[0]!.address, to: node.accounts[1]!.address }),
    )
    broken.misbehave(() => ({ status: 503 }))
    await lookAgain()
    await node.mine(2)
    broken.behave()
    expect(await waiting).toMatchObject({ status: 'success' })
  })

  it('ends with the hash when nothing is known in time', async () => {
    await expect(chain.waitMined(unknown, { timeoutMs: 50 })).rejects.toEqual(new TransactionUnknownError(unknown))
    broken.misbehave(() => ({ status: 500 }))
    await expect(chain.waitMined(unknown, { timeoutMs: 50 })).rejects.toEqual(new TransactionUnknownError(unknown))
    broken.behave()
  })

  it('ends when the caller gives up, even if the node hangs', async () => {
    broken.misbehave(() => 'hang')
    const patient = createChain({ rpc: broken.url, pollMs: 5, timeoutMs: 60_000 })
    const abort = new AbortController()
    const waiting = patient.waitMined(unknown, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    broken.behave()
  })
})
