/** Nodes that ask to be left alone for a while, by HTTP or in an answer of JSON-RPC. */
import { beforeEach, describe, expect, it } from 'vitest'
import { ChainUnavailableError } from '../../src/base/faults.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Misbehaviour } from './broken-node.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
const alone = () => createChain({ rpc: broken.url, timeoutMs: 2_000 })

beforeEach(() => {
  broken.behave()
  broken.forget()
})

const limitError = { code: -32005, message: 'daily request count exceeded, request rate limited' }
const hourFromNow = new Date(Date.now() + 3_600_000).toUTCString()

describe('a node that asks to be left alone', () => {
  it.each<[string, Misbehaviour]>([
    ['for half a minute', { status: 429, retryAfter: '30' }],
    ['until a moment', { status: 429, retryAfter: hourFromNow }],
    ['while it is being mended', { status: 503, retryAfter: '30' }],
    [
      'by JSON-RPC',
      { status: 429, retryAfter: '30', text: JSON.stringify({ jsonrpc: '2.0', id: 1, error: limitError }) },
    ],
  ])('%s is, and questions to it fail at once', async (_, how) => {
    broken.misbehave(() => how)
    const chain = alone()
    await expect(chain.head()).rejects.toBeInstanceOf(ChainUnavailableError)
    expect(broken.asked).toHaveLength(1)
    const startedMs = performance.now()
    await expect(chain.head()).rejects.toThrow(/; it is asked again in (30|60) s\)\.$/)
    await expect(chain.balance(node.accounts[0]!.address)).rejects.toBeInstanceOf(ChainUnavailableError)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(broken.asked).toHaveLength(1)
  })

  it('for a second is, and then answers the same question', async () => {
    let times = 0
    broken.misbehave(() => (times++ === 0 ? { status: 429, retryAfter: '1' } : undefined))
    const startedMs = performance.now()
    expect(await alone().id()).toBe(31337)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990)
  })

  it('is, while another one answers', async () => {
    const pair = createChain({ rpc: [broken.url, node.url] })
    broken.misbehave(() => ({ status: 429, retryAfter: '30' }))
    for (let times = 0; times < 5; times++) expect((await pair.head()).number).toBe(0n)
    expect(broken.asked).toHaveLength(1)
  })

  it('and does not say how long is asked more and more seldom, until it answers', async () => {
    const chain = alone()
    await chain.id()
    const askedMs: number[] = []
    broken.misbehave(() => {
      askedMs.push(performance.now())
      return { error: limitError }
    })
    const gaps = () => askedMs.slice(1).map((at, index) => at - askedMs[index]!)

    for (let question = 0; question < 2; question++) await expect(chain.head()).rejects.toThrow('rate limited')
    expect(askedMs).toHaveLength(4)
    for (const [index, least] of [500, 1_000, 2_000].entries()) expect(gaps()[index]).toBeGreaterThanOrEqual(least - 10)

    await expect(chain.head(), 'four seconds are too long for a question to wait').rejects.toThrow('in 4 s')
    expect(askedMs).toHaveLength(4)
  })

  it('and answers in between is asked as soon as before', async () => {
    const chain = alone()
    await chain.id()
    let times = 0
    broken.misbehave(() => (times++ % 2 === 0 ? { error: limitError } : undefined))
    for (let question = 0; question < 3; question++) {
      const startedMs = performance.now()
      await chain.head()
      expect(performance.now() - startedMs).toBeLessThan(1_000)
    }
  })
})
