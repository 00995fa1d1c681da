import { hexToBigInt, parseAbi, parseGwei, type Hash } from 'viem'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  CallRevertedError,
  ChainUnavailableError,
  ConfigError,
  NoGasError,
  TransactionRevertedError,
  TransactionUnknownError,
} from '../../src/base/faults.ts'
import { FeeTooHighError, KeyUsedElsewhereError } from '../../src/chain/errors.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { createWallet } from '../../src/chain/wallet.ts'
import { startTestChain, type TestChain } from '../support/anvil.ts'
import { startBrokenNode } from './broken-node.ts'
import { emitCall, emitterAt, emitterCode, reverterCode } from './contracts.ts'
import { effects as effectsOn, nextId, pooled as pooledOn } from './sending.ts'

const node = await startTestChain({ accounts: 40 })
const broken = await startBrokenNode(node.url)
const chain = createChain({ rpc: broken.url, pollMs: 20, confirmations: 1, timeoutMs: 5_000 })
await node.setCode(emitterAt, emitterCode)
await node.mine(5)
const reverter = '0x00000000000000000000000000000000000e0002'
await node.setCode(reverter, reverterCode)

let used = 0
/** A wallet on a key that no other test has. */
function setup(more: Partial<Parameters<typeof createWallet>[0]> = {}) {
  const account = node.accounts[++used]!
  return { account, wallet: createWallet({ chain, account, ...more }) }
}

const effects = (id: number, on: TestChain = node) => effectsOn(id, on)
const pooled = (count: number) => pooledOn(count, node)

/** Until the node was asked a few times more. */
async function lookAgain(): Promise<void> {
  const asked = broken.asked.length
  await vi.waitFor(() => expect(broken.asked.length).toBeGreaterThan(asked + 60), { interval: 2, timeout: 10_000 })
}

const handedOver = () => broken.asked.filter(({ method }) => method === 'eth_sendRawTransaction')

afterEach(async () => {
  broken.behave()
  await node.rpc('anvil_dropAllTransactions')
  await node.setAutomine(true)
})

describe('a wallet', () => {
  it.each([
    ['one block for each transaction', {}],
    ['a block each second', { blockTime: 1 }],
  ])('sends 20 calls at once, each once and in order: %s', async (_, options) => {
    const other = await startTestChain(options)
    await other.setCode(emitterAt, emitterCode)
    const account = other.accounts[0]!
    const wallet = createWallet({ chain: createChain({ rpc: other.url, pollMs: 10, confirmations: 1 }), account })
    const ids = Array.from({ length: 20 }, nextId)

    const mined = await Promise.all(ids.map((id) => wallet.send(emitCall(id))))

    expect(mined.every(({ status, logs }) => status === 'success' && logs.length === 1)).toBe(true)
    const blocks = (await Promise.all(ids.map((id) => effects(id, other)))).map((places) => {
      expect(places).toHaveLength(1)
      return places[0]!
    })
    expect(blocks).toEqual(blocks.toSorted((a, b) => Number(a - b)))
    expect(await other.rpc('eth_getTransactionCount', account.address, 'latest')).toBe('0x14')
  })

  it('tells the hash, and waits for the confirmations that are asked for', async () => {
    const { wallet } = setup()
    const sent: Hash[] = []
    const depths: number[] = []
    const sending = wallet.send(emitCall(nextId()), {
      confirmations: 3,
      onSent: (hash) => sent.push(hash),
      onProgress: (depth) => depths.push(depth),
    })
    await vi.waitFor(() => expect(depths.at(-1)).toBe(1), { interval: 2 })
    await node.mine(2)
    const mined = await sending
    expect(sent).toEqual([mined.hash])
    expect(depths.at(-1)).toBe(3)
    expect(wallet.address).toBe(node.accounts[used]!.address)
  })

  it('sends nothing when the simulation reverts, and goes on without a gap', async () => {
    const { wallet, account } = setup()
    const abi = parseAbi(['error TooEarly()'])
    const [before, reverted, after] = [
      wallet.send(emitCall(nextId())),
      wallet.send({ to: reverter, data: '0x085de625' }, { abi }),
      wallet.send(emitCall(nextId())),
    ]
    await expect(reverted).rejects.toEqual(new CallRevertedError('TooEarly'))
    await Promise.all([before, after])
    await expect(wallet.send({ to: reverter, data: '0x01' }, { gas: 100_000n })).rejects.toEqual(
      new CallRevertedError('0x01'),
    )
    expect(await chain.nonce(account.address, 'pending')).toBe(2)
  })

  it('tells a transaction that was mined and reverted', async () => {
    const { wallet } = setup()
    const target = '0x00000000000000000000000000000000000e0009'
    await node.setAutomine(false)
    const sending = wallet.send({ to: target, data: '0x01' })
    const [transaction] = await pooled(1)
    await node.setCode(target, reverterCode)
    await node.mine()
    await expect(sending).rejects.toEqual(new TransactionRevertedError(transaction!.hash))
  })

  it('says how much is missing when the account cannot pay, and sends when it can', async () => {
    const { wallet, account } = setup()
    await node.setBalance(account.address, 1_000n)
    const error: unknown = await wallet.send(emitCall(nextId())).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(NoGasError)
    const [, needed] = /at least (\d+) wei/.exec(String(error))!
    await node.setBalance(account.address, BigInt(needed!) * 2n)
    expect((await wallet.send(emitCall(nextId()))).status).toBe('success')
    expect(await chain.nonce(account.address, 'pending')).toBe(1)
  })

  it('sends nothing when gas is dearer than allowed', async () => {
    const { wallet, account } = setup({ maxFeePerGas: 1n })
    await expect(wallet.send(emitCall(nextId()))).rejects.toBeInstanceOf(FeeTooHighError)
    expect(await chain.nonce(account.address, 'pending')).toBe(0)
  })

  it('leaves no more than 16 transactions waiting', async () => {
    const { wallet } = setup()
    await node.setAutomine(false)
    const ids = Array.from({ length: 20 }, nextId)
    const sending = Promise.all(ids.map((id) => wallet.send(emitCall(id))))
    await pooled(16)
    await lookAgain()
    await pooled(16)
    await node.mine()
    await pooled(4)
    await node.mine()
    await sending
    expect((await Promise.all(ids.map((id) => effects(id)))).flat()).toHaveLength(20)
  })

  it('refuses settings that make no sense', () => {
    expect(() => setup({ maxFeePerGas: 0n })).toThrow(ConfigError)
    expect(() => setup({ stuckMs: 0 })).toThrow('stuckMs')
  })
})

describe('a transaction that is not mined', () => {
  it('is replaced by one that pays an eighth more, and takes effect once', async () => {
    const { wallet } = setup({ stuckMs: 60 })
    const id = nextId()
    const sent: Hash[] = []
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(id), { onSent: (hash) => sent.push(hash) })
    const [first] = await pooled(1)
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(1), { interval: 2, timeout: 5_000 })
    const [second] = await pooled(1)
    await node.mine()

    const mined = await sending

    expect(sent).toContain(mined.hash)
    expect(mined.hash).not.toBe(first!.hash)
    expect(second!.nonce).toBe(first!.nonce)
    for (const fee of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const) {
      expect(hexToBigInt(second![fee]) * 8n).toBeGreaterThanOrEqual(hexToBigInt(first![fee]) * 9n)
    }
    expect(await effects(id)).toHaveLength(1)
  })

  it('is recognised when an earlier version of it is mined', async () => {
    const { wallet } = setup({ stuckMs: 300 })
    const sent: Hash[] = []
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(nextId()), { onSent: (hash) => sent.push(hash) })
    await pooled(1)
    const first = handedOver().at(-1)!
    await vi.waitFor(() => expect(sent).toHaveLength(2), { interval: 2, timeout: 5_000 })

    await node.rpc('anvil_dropAllTransactions')
    await node.rpc('eth_sendRawTransaction', ...first.params)
    await node.mine()

    expect((await sending).hash).toBe(sent[0])
  })

  it('never pays more than is allowed, and is sent again as it is', async () => {
    const { wallet } = setup({ stuckMs: 30, maxFeePerGas: parseGwei('3') })
    await node.setAutomine(false)
    const sent: Hash[] = []
    const sending = wallet.send(emitCall(nextId()), { onSent: (hash) => sent.push(hash) })
    await pooled(1)
    const before = handedOver().length
    await vi.waitFor(() => expect(handedOver().length).toBeGreaterThan(before + 5), { interval: 2, timeout: 10_000 })
    const [transaction] = await pooled(1)
    expect(hexToBigInt(transaction!.maxFeePerGas)).toBeLessThanOrEqual(parseGwei('3'))
    await node.mine()
    expect(sent).toContain((await sending).hash)
  })

  it('is unknown after a while, may still be mined, and does not hold up the next one', async () => {
    const { wallet, account } = setup()
    const [first, second] = [nextId(), nextId()]
    await node.setAutomine(false)
    const error: unknown = await wallet.send(emitCall(first), { timeoutMs: 100 }).catch((thrown: unknown) => thrown)
    const [transaction] = await pooled(1)
    expect(error).toEqual(new TransactionUnknownError(transaction!.hash))

    const sending = wallet.send(emitCall(second))
    await pooled(2)
    await node.mine()
    await sending

    expect(await effects(first)).toEqual(await effects(second))
    expect(await chain.nonce(account.address, 'mined')).toBe(2)
  })

  it('is sent again when the node has forgotten it', async () => {
    const { wallet } = setup({ stuckMs: 100 })
    const ids = [nextId(), nextId(), nextId()]
    await node.setAutomine(false)
    const sending = Promise.all(ids.map((id) => wallet.send(emitCall(id))))
    await pooled(3)
    await node.rpc('anvil_dropAllTransactions')
    await pooled(3)
    await node.mine()
    await sending
    expect((await Promise.all(ids.map((id) => effects(id)))).flat()).toHaveLength(3)
  })

  it('is sent again when a reorganisation has taken it back', async () => {
    const { wallet } = setup({ stuckMs: 100 })
    const id = nextId()
    const depths: number[] = []
    const sending = wallet.send(emitCall(id), { confirmations: 3, onProgress: (depth) => depths.push(depth) })
    await vi.waitFor(() => expect(depths.at(-1)).toBe(1), { interval: 2 })
    await node.mine()
    await node.reorg(2)
    await vi.waitFor(() => expect(depths.slice(depths.indexOf(0, 1))).toEqual([0, 1]), { interval: 2, timeout: 5_000 })
    await node.mine(2)
    expect(await effects(id)).toEqual([(await sending).block])
  })

  it('of an earlier run is replaced by an empty one when it holds up ours', async () => {
    const { wallet, account } = setup({ stuckMs: 100 })
    await node.setAutomine(false)
    const fees = { maxFeePerGas: parseGwei('4'), maxPriorityFeePerGas: parseGwei('4') }
    const [forgotten, ours] = [nextId(), nextId()]
    const raw = await account.signTransaction({
      type: 'eip1559',
      chainId: 31337,
      nonce: 0,
      gas: 100_000n,
      ...emitCall(forgotten),
      ...fees,
    })
    await node.rpc('eth_sendRawTransaction', raw)
    await node.rpc('anvil_setNextBlockBaseFeePerGas', '0x174876e800')
    await node.mine()

    // anvil counts only what fits into the next block, other nodes all that they have.
    broken.misbehave(({ params }) => (params[1] === 'pending' ? { result: '0x1' } : undefined))
    const sending = wallet.send(emitCall(ours))
    await vi.waitFor(
      async () => {
        await node.mine()
        expect(await effects(ours)).toHaveLength(1)
      },
      { interval: 20, timeout: 10_000 },
    )

    expect((await sending).status).toBe('success')
    expect(await effects(forgotten)).toEqual([])
    expect(await chain.nonce(account.address, 'mined')).toBe(2)
  })
})

describe('a node that fails while a transaction is handed over', () => {
  const isSend = (method: string) => method === 'eth_sendRawTransaction'

  it.each(['swallow', 'reset'] as const)('and may have it (%s) makes it take effect once', async (trouble) => {
    const { wallet, account } = setup({ stuckMs: 120 })
    const id = nextId()
    let times = 0
    broken.misbehave(({ method }) => (isSend(method) && times++ === 0 ? trouble : undefined))
    const [mined] = await Promise.all([wallet.send(emitCall(id)), wallet.send(emitCall(nextId()))])
    expect(await effects(id)).toEqual([mined.block])
    expect(await chain.nonce(account.address, 'mined')).toBe(2)
  })

  it.each([{ status: 429 }, 'down'] as const)(
    'and surely does not have it (%s) means that nothing was sent',
    async (trouble) => {
      const { wallet, account } = setup()
      const id = nextId()
      const lastBefore = 'eth_chainId'
      broken.misbehave(({ method }) => {
        if (trouble === 'down') return method === lastBefore ? 'last' : undefined
        return isSend(method) ? trouble : undefined
      })
      await expect(wallet.send(emitCall(id))).rejects.toBeInstanceOf(ChainUnavailableError)
      broken.behave()
      if (trouble === 'down') await broken.up()
      expect(await chain.nonce(account.address, 'pending')).toBe(0)
      await wallet.send(emitCall(nextId()))
      expect(await effects(id)).toEqual([])
    },
  )
})

describe('a key that is used elsewhere too', () => {
  it('goes on with the nonce that is free', async () => {
    const { wallet, account } = setup()
    await wallet.send(emitCall(nextId()))
    await node.transact({ from: account.address, ...emitCall(nextId()) })
    await wallet.send(emitCall(nextId()))
    expect(await chain.nonce(account.address, 'mined')).toBe(3)
  })

  it('goes on when the node lags behind our own transaction', async () => {
    const { wallet, account } = setup()
    await wallet.send(emitCall(nextId()))
    broken.misbehave(({ method }) => (method === 'eth_getTransactionCount' ? { result: '0x0' } : undefined))
    const before = handedOver().length
    await wallet.send(emitCall(nextId()))
    expect(handedOver().length, 'it is not tried with a nonce of ours').toBe(before + 1)
    broken.behave()
    expect(await chain.nonce(account.address, 'mined')).toBe(2)
  })

  it('goes on when the chain was set back', async () => {
    const { wallet, account } = setup()
    const snapshot = await node.snapshot()
    await wallet.send(emitCall(nextId()))
    await node.revert(snapshot)
    await wallet.send(emitCall(nextId()))
    expect(await chain.nonce(account.address, 'mined')).toBe(1)
  })

  it('says that ours changed nothing when another transaction took the nonce, and names both', async () => {
    const { wallet, account } = setup({ stuckMs: 60 })
    const id = nextId()
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(id))
    sending.catch(() => undefined)
    const [ours] = await pooled(1)
    await node.rpc('anvil_dropAllTransactions')
    const theirs = await node.submit({ from: account.address, ...emitCall(nextId()), gas: 100_000n })
    await node.mine()
    const error: unknown = await sending.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(KeyUsedElsewhereError)
    for (const named of [ours!.hash, theirs, account.address, 'nonce 0']) expect(String(error)).toContain(named)
    expect(await effects(id)).toEqual([])
    expect(await wallet.pending()).toEqual([])
    await node.setAutomine(true)
    await wallet.send(emitCall(nextId()))
  })
})

describe('a caller that gives up', () => {
  it('before its turn sends nothing', async () => {
    const { wallet, account } = setup()
    const abort = new AbortController()
    const first = wallet.send(emitCall(nextId()))
    const second = wallet.send(emitCall(nextId()), { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    await first
    expect(await chain.nonce(account.address, 'pending')).toBe(1)
  })

  it('afterwards does not hear the end, which comes all the same', async () => {
    const { wallet } = setup()
    const id = nextId()
    const abort = new AbortController()
    await node.setAutomine(false)
    const depths: number[] = []
    const sending = wallet.send(emitCall(id), { signal: abort.signal, onProgress: (depth) => depths.push(depth) })
    await vi.waitFor(() => expect(depths).toEqual([0]), { interval: 2 })
    abort.abort(new Error('enough'))
    await expect(sending).rejects.toThrow('enough')
    await node.setAutomine(true)
    await node.mine()
    await wallet.send(emitCall(nextId()))
    expect(await effects(id)).toHaveLength(1)
    expect(depths).toEqual([0])
  })
})
