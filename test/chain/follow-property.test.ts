/**
 * Whatever the chain does within the confirmations, and however often the
 * follower is stopped: what it handed out is what the chain says in the end.
 */
import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import type { Cursor } from '../../src/chain/advance.ts'
import { cursorAt, follow } from '../../src/chain/follow.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { emitCall, emitterAt, emitterCode, emitterEscrow, namesOf, namesOfLogs, receiver } from './contracts.ts'

const CONFIRMATIONS = 5
const node = await startTestChain()
const chain = createChain({ rpc: node.url, pollMs: 2, confirmations: CONFIRMATIONS, logRange: 6 })
await node.setCode(emitterAt, emitterCode)
await node.mine(CONFIRMATIONS)
await node.setAutomine(false)

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('emit'), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('reorg'), count: fc.integer({ min: 1, max: CONFIRMATIONS - 1 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('rollback'), count: fc.integer({ min: 1, max: CONFIRMATIONS - 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('mine'), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('mine'), count: fc.integer({ min: 20, max: 40 }) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('look'), count: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restart'), count: fc.constant(0) }) },
)

/** A consumer that stores events and cursor together, and may die at any time before it does. */
function createConsumer(start: Cursor) {
  const stored = { cursor: start, events: [] as string[] }
  let head = 0n
  let abort = new AbortController()
  const run = async (signal: AbortSignal) => {
    const of = { receiver }
    for await (const step of follow({
      chain,
      escrow: emitterEscrow,
      at: { chainId: 31337, address: emitterAt },
      of,
      from: stored.cursor,
      signal,
    })) {
      if (signal.aborted) return
      if (step.type === 'unseen') continue
      for (const { block } of step.pending) {
        expect(block).toBeGreaterThan(step.cursor.block)
        expect(block).toBeLessThanOrEqual(step.head.number)
      }
      stored.events.push(...namesOf(step.events))
      stored.cursor = step.cursor
      if (step.caughtUp) head = step.head.number
    }
  }
  let running = run(abort.signal)
  return {
    stored,
    sees: (block: bigint) => vi.waitFor(() => expect(head).toBe(block), { interval: 2, timeout: 10_000 }),
    async stop() {
      abort.abort()
      await running
    },
    start() {
      abort = new AbortController()
      running = run(abort.signal)
    },
  }
}

/** An event that was seen already, or a new one, in one of the blocks that a reorganisation brings. */
const again = (id: number, place: number) => [{ from: node.accounts[5]!.address, ...emitCall(id) }, place] as const

it('hands out each event of the final chain once and in order', { timeout: 120_000 }, async () => {
  let id = 0
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 25, size: 'max' }), async (actions) => {
      const start = await cursorAt(chain, await node.blockNumber())
      const consumer = createConsumer(start)
      try {
        let highest = start.block
        for (const { type, count } of actions) {
          const head = await node.blockNumber()
          if (head > highest) highest = head
          // What was ever deep enough must stay.
          const depth = Math.min(count, Number(head - highest) + CONFIRMATIONS - 1, Number(head - start.block))
          if (type === 'emit') {
            for (let i = 0; i < count; i++)
              await node.submit({ from: node.accounts[i]!.address, gas: 100_000n, ...emitCall(++id) })
          }
          if (type === 'emit' || type === 'mine') await node.mine(count)
          if (type === 'reorg' && depth > 0) await node.reorg(depth, [again(id, 0), again(++id, depth - 1)])
          if (type === 'rollback' && depth > 0) await node.rollback(depth)
          if (type === 'look') await consumer.sees(head)
          if (type === 'restart') await consumer.stop().then(() => consumer.start())
        }
        await node.mine(2 * CONFIRMATIONS)
        const end = await node.blockNumber()
        await consumer.sees(end)

        const toBlock = end - BigInt(CONFIRMATIONS - 1)
        const logs = await chain.logs({ address: emitterAt, topics: [], fromBlock: start.block + 1n, toBlock })
        expect(consumer.stored.events).toEqual(namesOfLogs(logs))
        expect(consumer.stored.cursor.block).toBe(toBlock)
      } finally {
        await consumer.stop()
      }
    }),
    { numRuns: 20 },
  )
})
