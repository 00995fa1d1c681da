/** What tests of wallets do and see on a chain of their own: calls that take effect, and what waits in the node. */
import { hexToBigInt, type Hash, type Hex } from 'viem'
import { expect, vi } from 'vitest'
import type { TestChain } from '../support/anvil.ts'
import { emitCall, emitterAt } from './contracts.ts'

/** A transaction that waits. */
export type Pooled = { hash: Hash; maxFeePerGas: Hex; maxPriorityFeePerGas: Hex; nonce: Hex }

let lastId = 0
/** Of a call that no other test makes. */
export const nextId = () => ++lastId

/** In which blocks the call with this id took effect. */
export async function effects(id: number, on: Pick<TestChain, 'rpc'>): Promise<bigint[]> {
  const topic = emitCall(id).data.slice(0, 66)
  const logs = (await on.rpc('eth_getLogs', { address: emitterAt, fromBlock: '0x0', topics: [topic] })) as {
    blockNumber: Hex
  }[]
  return logs.map(({ blockNumber }) => hexToBigInt(blockNumber))
}

/** What waits in the node, of everybody. */
async function pool(on: Pick<TestChain, 'rpc'>): Promise<Pooled[]> {
  const { pending, queued } = (await on.rpc('txpool_content')) as Record<
    'pending' | 'queued',
    Record<string, Record<string, Pooled>>
  >
  return [pending, queued].flatMap((part) => Object.values(part).flatMap((byNonce) => Object.values(byNonce)))
}

/** Resolves with what waits in the node, as soon as that is so many transactions. */
export const pooled = (count: number, on: Pick<TestChain, 'rpc'>) =>
  vi.waitFor(
    async () => {
      const waiting = await pool(on)
      expect(waiting).toHaveLength(count)
      return waiting
    },
    { interval: 5, timeout: 10_000 },
  )
