import { hexToNumber, type Hex } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { ChainUnavailableError } from '../../src/base/faults.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Asked, type Misbehaviour } from './broken-node.ts'
import { emitCall, emitterAt, emitterCode, namesOfLogs } from './contracts.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
await node.setCode(emitterAt, emitterCode)
for (let id = 1; id <= 20; id++) {
  await node.transact({ from: node.accounts[0]!.address, ...emitCall(id) })
  await node.mine(4)
}
const everything = { address: emitterAt, topics: [], fromBlock: 0n, toBlock: 100n }
const all = Array.from({ length: 20 }, (_, i) => `${i + 1}@${5 * i + 1}`)

const create = (more = {}) => createChain({ rpc: broken.url, timeoutMs: 300, ...more })

beforeEach(() => {
  broken.behave()
  broken.forget()
})

describe('logs', () => {
  it('come in the order of the chain, each once', async () => {
    expect(namesOfLogs(await create().logs(everything))).toEqual(all)
    expect(ranges()).toEqual([101])
  })

  it('are asked for in ranges of logRange', async () => {
    expect(namesOfLogs(await create({ logRange: 30 }).logs(everything))).toEqual(all)
    expect(ranges()).toEqual([30, 30, 30, 11])
  })

  const tooMuch: [string, Misbehaviour][] = [
    ['an error of its own', { error: { code: -32005, message: 'query returned more than 10000 results' } }],
    ['invalid parameters', { error: { code: -32602, message: 'Block range is too large' } }],
    ['an internal error', { error: { code: -32603, message: 'Internal error' } }],
    ['HTTP 400', { status: 400 }],
    ['HTTP 413', { status: 413 }],
    ['silence', 'hang'],
  ]

  it.each(tooMuch)('are asked for in smaller ranges after %s', async (_, refusal) => {
    broken.misbehave((asked) => (asked.method === 'eth_getLogs' && blocksOf(asked) > 13 ? refusal : undefined))
    const chain = create()

    expect(namesOfLogs(await chain.logs(everything))).toEqual(all)
    expect(ranges().length).toBeLessThan(20)

    broken.forget()
    await chain.logs(everything)
    expect(Math.max(...ranges()), 'it remembers').toBeLessThan(20)
  })

  it('are asked for in smaller ranges when there are too many of them', async () => {
    const most = (asked: Asked) => blocksOf(asked) / 5 > 3
    broken.misbehave((asked) =>
      asked.method === 'eth_getLogs' && most(asked) ? { error: { code: -32000, message: 'too many' } } : undefined,
    )
    expect(namesOfLogs(await create().logs(everything))).toEqual(all)
  })

  it('are not there when even one block is refused', async () => {
    broken.misbehave(({ method }) =>
      method === 'eth_getLogs' ? { error: { code: -32000, message: 'no logs today' } } : undefined,
    )
    await expect(create().logs(everything)).rejects.toThrow('no logs today')
    expect(ranges().length).toBeLessThan(10)
  })

  it.each<[string, Misbehaviour]>([
    ['is gone', 'reset'],
    ['hangs', 'hang'],
  ])('are not asked for again and again when the node %s', async (_, trouble) => {
    const chain = create()
    await chain.id()
    broken.misbehave(() => trouble)
    await expect(chain.logs(everything)).rejects.toBeInstanceOf(ChainUnavailableError)
    expect(ranges()).toEqual([101])
  })

  it.each<Misbehaviour>([
    { status: 429 },
    { error: { code: 429, message: 'slow down' } },
    { error: { code: -32005, message: 'daily request count exceeded, request rate limited' } },
  ])('are not asked for in more questions when there were too many of them: %j', async (trouble) => {
    broken.misbehave(({ method }) => (method === 'eth_getLogs' ? trouble : undefined))
    await expect(create().logs(everything)).rejects.toBeInstanceOf(ChainUnavailableError)
    expect(ranges()).toEqual([101])
  })

  it('of one block are those of exactly that block', async () => {
    const chain = create()
    const block = await chain.block(6n)
    expect(namesOfLogs(await chain.logs({ address: emitterAt, topics: [], blockHash: block!.hash }))).toEqual(['2@6'])
    const gone = chain.logs({ address: emitterAt, topics: [], blockHash: `0x${'33'.repeat(32)}` })
    await expect(gone).rejects.toBeInstanceOf(ChainUnavailableError)
  })

  it('that a reorganisation took back, or that come in any order, are put right', async () => {
    const [first, second] = (await node.rpc('eth_getLogs', { fromBlock: '0x1', toBlock: '0x6' })) as object[]
    broken.misbehave(({ method }) =>
      method === 'eth_getLogs' ? { result: [second, { ...first, removed: true }, first] } : undefined,
    )
    expect(namesOfLogs(await create().logs({ ...everything, toBlock: 6n }))).toEqual(['1@1', '2@6'])
  })
})

function ranges(): number[] {
  return broken.asked.filter(({ method }) => method === 'eth_getLogs').map(blocksOf)
}

function blocksOf({ params: [filter] }: Asked): number {
  const { fromBlock, toBlock } = filter as { fromBlock: Hex; toBlock: Hex }
  return hexToNumber(toBlock) - hexToNumber(fromBlock) + 1
}
