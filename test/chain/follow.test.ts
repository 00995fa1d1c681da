import { hexToNumber, type Hex } from 'viem'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ChainUnavailableError, DeepReorgError } from '../../src/base/faults.ts'
import type { Cursor } from '../../src/chain/advance.ts'
import { cursorAt, follow, type FollowSettings, type Seen, type Unseen } from '../../src/chain/follow.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Asked } from './broken-node.ts'
import { emitCall, emitterAt, emitterCode, emitterEscrow, namesOf, receiver } from './contracts.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
await node.setCode(emitterAt, emitterCode)
await node.mine(10)

const settings = { rpc: broken.url, pollMs: 5, confirmations: 3, timeoutMs: 2_000 }
const chain = createChain(settings)
const where = { escrow: emitterEscrow, at: { chainId: 31337, address: emitterAt }, of: { receiver } }

const emit = (id: number, to?: Hex) => node.transact({ from: node.accounts[0]!.address, ...emitCall(id, to) })
const here = async () => cursorAt(chain, await node.blockNumber())

/** Follows until the test ends; what comes is kept. */
function start(from: Cursor, more: Partial<FollowSettings> = {}) {
  const abort = new AbortController()
  const seen: Seen[] = []
  const unseen: Unseen[] = []
  const ended = (async () => {
    for await (const step of follow({ chain, ...where, from, signal: abort.signal, ...more })) {
      if (step.type === 'seen') seen.push(step)
      else unseen.push(step)
    }
  })()
  ended.catch(() => undefined)
  onTestFinished(async () => {
    broken.behave()
    abort.abort()
    await ended.catch(() => undefined)
  })
  const last = () => seen.at(-1)
  const levelWith = (block: bigint) =>
    vi.waitFor(() => expect(last()).toMatchObject({ head: { number: block }, caughtUp: true }), {
      interval: 5,
      timeout: 10_000,
    })
  const events = () => namesOf(seen.flatMap((step) => step.events))
  return {
    seen,
    unseen,
    last,
    ended,
    events,
    level: async () => levelWith(await node.blockNumber()),
    stop: () => abort.abort(),
  }
}

describe('follow', () => {
  it('shows an event as pending until it is deep enough, and then hands it out once', async () => {
    const from = await here()
    const asked = broken.asked.length
    const { seen, last, events, level } = start(from)
    await emit(1)
    await level()
    expect(namesOf(last()!.pending)).toEqual([`1@${from.block + 1n}`])
    await node.mine()
    await level()
    expect(namesOf(last()!.pending)).toEqual([`1@${from.block + 1n}`])
    expect(events()).toEqual([])

    await node.mine()
    await level()

    expect(last()).toMatchObject({ pending: [], caughtUp: true, cursor: { block: from.block + 1n } })
    expect(events()).toEqual([`1@${from.block + 1n}`])
    await node.mine(4)
    await level()
    expect(events()).toHaveLength(1)
    const read = broken.asked.slice(asked).filter(({ method }) => method === 'eth_getLogs')
    expect(read, 'each block is read once').toHaveLength(Number((await node.blockNumber()) - from.block))
    expect(new Set(seen.map(({ head }) => head.hash)).size, 'one step for each head').toBe(seen.length)
  })

  it('keeps the order of events in one block, and leaves out those of others', async () => {
    const from = await here()
    await node.setAutomine(false)
    const mine = [11, 12, 13, 14, 15].map((id) => ({ ...emitCall(id), gas: 100_000n }))
    const theirs = { ...emitCall(99, '0x00000000000000000000000000000000000000c0'), gas: 100_000n }
    const account = node.accounts[1]!.address
    for (const call of [...mine.slice(0, 2), theirs, ...mine.slice(2)]) await node.submit({ from: account, ...call })
    await node.mine(3)
    await node.setAutomine(true)

    const { events, level } = start(from)
    await level()

    expect(events()).toEqual([11, 12, 13, 14, 15].map((id) => `${id}@${from.block + 1n}`))
  })

  it('catches up by ranges of at most logRange blocks, also when the node allows fewer', async () => {
    const from = await here()
    for (const id of [21, 22, 23]) {
      await emit(id)
      await node.mine(30)
    }
    broken.misbehave(({ method, params }) =>
      method === 'eth_getLogs' && blocksOf(params) > 7
        ? { error: { code: -32005, message: 'block range too wide' } }
        : undefined,
    )
    const asked = broken.asked.length

    const { seen, events, level } = start(from, { chain: createChain({ ...settings, logRange: 20 }) })
    await level()

    expect(events()).toEqual([`21@${from.block + 1n}`, `22@${from.block + 32n}`, `23@${from.block + 63n}`])
    expect(seen.map(({ caughtUp }) => caughtUp)).toEqual([...seen.slice(1).map(() => false), true])
    const ranges = broken.asked.slice(asked).filter(({ method }) => method === 'eth_getLogs')
    expect(Math.max(...ranges.map(({ params }) => blocksOf(params)))).toBe(20)
    expect(ranges.length).toBeLessThan(40)
  })

  it('goes on from a stored cursor', async () => {
    const from = await here()
    for (const id of [31, 32, 33, 34]) await emit(id)
    const first = start(from)
    await first.level()
    first.stop()
    await first.ended
    expect(first.events()).toEqual([`31@${from.block + 1n}`, `32@${from.block + 2n}`])

    await node.mine(2)
    const second = start(first.last()!.cursor)
    await second.level()
    expect(second.events()).toEqual([`33@${from.block + 3n}`, `34@${from.block + 4n}`])
  })

  it('throws the error of anybody else', async () => {
    const escrow = {
      ...emitterEscrow,
      event: () => {
        throw new RangeError('not of this world')
      },
    }
    const { ended } = start(await here(), { escrow })
    await emit(41)
    await expect(ended).rejects.toEqual(new RangeError('not of this world'))
  })

  it('may be done a dozen times with one signal', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    onTestFinished(() => void process.off('warning', listen))
    const abort = new AbortController()
    const from = await here()
    const followers = Array.from({ length: 12 }, () => start(from, { signal: abort.signal }))
    await Promise.all(followers.map(({ level }) => level()))
    abort.abort()
    await Promise.all(followers.map(({ ended }) => ended))
    expect(warnings).toEqual([])
  })

  it('ends when it is told to, even if the node hangs', async () => {
    const { ended, level, stop } = start(await here(), { chain: createChain({ ...settings, timeoutMs: 60_000 }) })
    await level()
    broken.misbehave(() => 'hang')
    const asked = broken.asked.length
    await vi.waitFor(() => expect(broken.asked.length).toBeGreaterThan(asked))

    stop()

    await expect(ended).resolves.toBeUndefined()
  })
})

describe('follow, when the node is away', () => {
  it('says since when, and then hands out what happened meanwhile', async () => {
    const from = await here()
    const { unseen, seen, events, level, last } = start(from)
    await emit(51)
    await level()
    const leftMs = Date.now()
    await broken.down()
    await vi.waitFor(() => expect(unseen.length).toBeGreaterThan(1), { timeout: 10_000 })
    expect(unseen[0]!.error).toBeInstanceOf(ChainUnavailableError)
    expect(new Set(unseen.map(({ sinceMs }) => sinceMs)).size).toBe(1)
    expect(unseen[0]!.sinceMs).toBeLessThanOrEqual(Date.now())
    expect(unseen[0]!.sinceMs).toBeGreaterThan(leftMs - 1_000)
    const before = seen.length

    await emit(52)
    await node.mine(2)
    await broken.up()
    await level()

    expect(seen.length).toBeGreaterThan(before)
    expect(events()).toEqual([`51@${from.block + 1n}`, `52@${from.block + 2n}`])
    expect(last()!.caughtUp).toBe(true)
  })

  it('says that it is back, although nothing happened', async () => {
    const { unseen, seen, level } = start(await here())
    await level()
    const before = seen.length
    broken.misbehave(() => ({ status: 503 }))
    await vi.waitFor(() => expect(unseen.length).toBeGreaterThan(0), { timeout: 10_000 })

    broken.behave()

    await vi.waitFor(() => expect(seen.length).toBe(before + 1), { timeout: 10_000 })
    expect(seen.at(-1)!.head).toEqual(seen.at(-2)!.head)
  })

  it('waits for a node that is behind the cursor', async () => {
    const { block, hash } = await here()
    broken.misbehave(({ method, params }) => (isHeadQuestion(method, params) ? { result: genesis } : undefined))
    const genesis = await node.rpc('eth_getBlockByNumber', '0x0', false)

    const { unseen, seen, level } = start({ block, hash })
    await vi.waitFor(() => expect(unseen.length).toBeGreaterThan(0))
    expect(unseen[0]!.error.message).toContain(`has yet to reach ${block}`)
    expect(seen).toEqual([])

    broken.behave()
    await level()
  })

  it('does not take the logs of a node that has lost the block for an answer', async () => {
    const from = await here()
    const { events, unseen, level } = start(from)
    broken.misbehave(({ method }) =>
      method === 'eth_getLogs' ? { error: { code: -32000, message: 'unknown block' } } : undefined,
    )
    await emit(61)
    await node.mine(2)
    await vi.waitFor(() => expect(unseen.length).toBeGreaterThan(0))

    broken.behave()
    await level()

    expect(events()).toEqual([`61@${from.block + 1n}`])
  })

  it('does not believe that a block is empty that was gone while its logs were read', async () => {
    const from = await here()
    // What some nodes say about a block that they do not have, and then once more that they do not have it.
    const lies = ['eth_getLogs', 'eth_getBlockByNumber']
    broken.misbehave(({ method, params }) => {
      if (method !== lies[0] || isHeadQuestion(method, params)) return undefined
      return { result: lies.shift() === 'eth_getLogs' ? [] : null }
    })
    const { events, level } = start(from)
    await emit(71)
    await node.mine(2)
    await level()
    expect(events()).toEqual([`71@${from.block + 1n}`])
  })

  it('reads a range again that was exchanged while it was read', async () => {
    const from = await here()
    await node.mine(60)
    let ranges = 0
    broken.misbehave(async ({ method }) => {
      const again = { from: node.accounts[2]!.address, ...emitCall(81) }
      if (method === 'eth_getLogs' && ++ranges === 1) await node.reorg(55, [[again, 0]])
      return undefined
    })
    const { events, level } = start(from, { chain: createChain({ ...settings, logRange: 10 }) })
    await level()
    expect(events()).toEqual([`81@${from.block + 6n}`])
  })
})

describe('a reorganisation that reaches the cursor', () => {
  it('is thrown while following', async () => {
    const { ended, level, last } = start(await here())
    await node.mine(5)
    await level()
    const { block } = last()!.cursor
    await node.reorg(3)
    await expect(ended).rejects.toEqual(new DeepReorgError(block))
  })

  it('is thrown at the start, near the head and far from it', async () => {
    const near = await here()
    await node.reorg(1)
    await expect(start(near).ended).rejects.toBeInstanceOf(DeepReorgError)
    const far = await here()
    await node.reorg(1)
    await node.mine(60)
    await expect(start(far).ended).rejects.toEqual(new DeepReorgError(far.block))
  })

  it('is thrown when it happens between two ranges', async () => {
    const from = await here()
    await node.mine(60)
    let ranges = 0
    broken.misbehave(async ({ method }) => {
      if (method === 'eth_getLogs' && ++ranges === 2) await node.reorg(55)
      return undefined
    })
    const { ended, seen } = start(from, { chain: createChain({ ...settings, logRange: 10 }) })
    await expect(ended).rejects.toBeInstanceOf(DeepReorgError)
    expect(seen).toHaveLength(1)
  })
})

function isHeadQuestion(method: string, params: Asked['params']): boolean {
  return method === 'eth_getBlockByNumber' && params[0] === 'latest'
}

/** How many blocks a question for logs is about. */
function blocksOf([filter]: Asked['params']): number {
  const { fromBlock, toBlock } = filter as { fromBlock?: Hex; toBlock?: Hex }
  return fromBlock && toBlock ? hexToNumber(toBlock) - hexToNumber(fromBlock) + 1 : 1
}
