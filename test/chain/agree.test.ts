/** Two nodes of which one tells of what never was, or is only behind. */
import { numberToHex, pad, type Hex } from 'viem'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { ChainUnavailableError } from '../../src/base/faults.ts'
import { cursorAt, follow, type Unseen } from '../../src/chain/follow.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Asked, type Misbehaviour } from './broken-node.ts'
import { emitCall, emitterAt, emitterCode, emitterEscrow, namesOf, namesOfLogs, receiver } from './contracts.ts'

const node = await startTestChain()
const liar = await startBrokenNode(node.url)
const honest = await startBrokenNode(node.url)
await node.setCode(emitterAt, emitterCode)
await node.mine(5)

const settings = { pollMs: 10, confirmations: 2, timeoutMs: 2_000 }
const create = (more = {}) => createChain({ rpc: [liar.url, honest.url], ...settings, ...more })
const emit = (id: number) => node.transact({ from: node.accounts[0]!.address, ...emitCall(id) })
const hostOf = ({ url }: { url: string }) => new URL(url).host

const isLogs = ({ method }: Asked) => method === 'eth_getLogs'

/** Beside what is true, an event that never was, wherever there is a true one. */
async function addOne(asked: Asked): Promise<Misbehaviour | undefined> {
  if (!isLogs(asked)) return undefined
  const logs = (await node.rpc('eth_getLogs', ...asked.params)) as { topics: Hex[]; logIndex: Hex }[]
  const forged = logs.map((log) => ({
    ...log,
    topics: [pad('0x1869f', { size: 32 }), ...log.topics.slice(1)],
    logIndex: numberToHex(7),
  }))
  return { result: [...logs, ...forged] }
}

afterEach(() => {
  liar.behave()
  honest.behave()
})

describe('an event that only one of two nodes tells of', () => {
  it.each([
    ['in a new block', 0],
    ['in a range of old ones', 40],
  ])('%s is not handed out until they agree, and both are named', async (_, later) => {
    const chain = create()
    const from = await cursorAt(chain, await node.blockNumber())
    await emit(1)
    await node.mine(1 + later)
    liar.misbehave(addOne)
    const abort = new AbortController()
    const events: string[] = []
    const unseen: Unseen[] = []
    let heard = 0
    const following = (async () => {
      const at = { chainId: 31337, address: emitterAt }
      const what = { chain, escrow: emitterEscrow, at, of: { receiver }, from, signal: abort.signal }
      for await (const step of follow({ ...what, onHeard: () => (heard += 1) })) {
        if (step.type === 'unseen') unseen.push(step)
        else events.push(...namesOf(step.events), ...namesOf(step.pending).map((name) => `pending ${name}`))
      }
    })()
    onTestFinished(async () => {
      abort.abort()
      await following
    })
    await vi.waitFor(() => expect(unseen.length).toBeGreaterThan(1), { timeout: 5_000 })
    expect([events, heard], 'and the silence is noticed').toEqual([[], 0])
    expect(unseen[0]!.error.message).toContain(`${hostOf(liar)} and ${hostOf(honest)} contradict each other`)
    expect(unseen[0]!.error.message).toContain(`the events of block ${from.block + 1n}`)

    liar.behave()

    await vi.waitFor(() => expect(events).toEqual([`1@${from.block + 1n}`]), { timeout: 10_000 })
  })

  it.each<[string, Misbehaviour]>([
    ['is away', { status: 503 }],
    ['asks to be left alone', { status: 429, retryAfter: '60' }],
    ['does not have the block', { error: { code: -32000, message: 'unknown block' } }],
    ['is behind, and says that there is nothing', { result: [] }],
  ])('counts when the other one %s', async (_, how) => {
    const chain = create()
    await emit(2)
    const block = await chain.head()
    honest.misbehave((asked) => {
      if (isLogs(asked)) return how
      return asked.method === 'eth_getBlockByHash' ? { result: null } : undefined
    })
    const query = { address: emitterAt, topics: [] }
    expect(namesOfLogs(await chain.logs({ ...query, blockHash: block.hash }))).toEqual([`2@${block.number}`])
    const range = { fromBlock: block.number, toBlock: block.number }
    expect(namesOfLogs(await chain.logs({ ...query, ...range }))).toEqual([`2@${block.number}`])
  })

  it('counts when there is no other one', async () => {
    await emit(3)
    const chain = create({ rpc: liar.url })
    const { hash: blockHash } = await chain.head()
    liar.misbehave(addOne)
    expect(await chain.logs({ address: emitterAt, topics: [], blockHash })).toHaveLength(2)
  })
})

describe('the state of a contract', () => {
  const call = { to: '0x0000000000000000000000000000000000000004', data: '0xaa' } as const // answers its input
  const isCall = ({ method }: Asked) => method === 'eth_call'

  it('at a block is what all nodes say that know it', async () => {
    const chain = create()
    expect(await chain.call(call, { block: 3n })).toBe('0xaa')
    honest.misbehave((asked) => (isCall(asked) ? { error: { code: -32000, message: 'missing trie node' } } : undefined))
    expect(await chain.call(call, { block: 3n })).toBe('0xaa')
  })

  it.each<[string, Misbehaviour]>([
    ['says otherwise', { result: '0xbb' }],
    ['says that it reverts', { error: { code: 3, message: 'execution reverted', data: '0x' } }],
  ])('at a block is unknown when another node %s', async (_, how) => {
    const chain = create()
    honest.misbehave((asked) => (isCall(asked) ? how : undefined))
    const asking = chain.call(call, { block: 3n })
    await expect(asking).rejects.toBeInstanceOf(ChainUnavailableError)
    await expect(asking).rejects.toThrow('contradict each other about the state of a contract')
    expect(await chain.call(call), 'of the newest block, which nodes see at different times').toBe('0xaa')
  })
})
