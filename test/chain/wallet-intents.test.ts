/** What a wallet keeps of its transactions, and what the next one on the same store makes of it. */
import { type Hash } from 'viem'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { StoreUnavailableError, TransactionRevertedError } from '../../src/base/faults.ts'
import { KeyUsedElsewhereError } from '../../src/chain/errors.ts'
import { INTENT_MS, type Intents } from '../../src/chain/intents.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { createWallet, type WalletConfig } from '../../src/chain/wallet.ts'
import { memory } from '../../src/store/memory.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode } from './broken-node.ts'
import { emitCall, emitterAt, emitterCode, reverterCode } from './contracts.ts'
import { effects as effectsOn, nextId, pooled as pooledOn } from './sending.ts'

const node = await startTestChain({ accounts: 40 })
const broken = await startBrokenNode(node.url)
const settings = { rpc: broken.url, pollMs: 10, confirmations: 1, timeoutMs: 5_000 }
const chain = createChain(settings)
await node.setCode(emitterAt, emitterCode)
await node.mine(5)

const effects = (id: number) => effectsOn(id, node)
const pooled = (count: number) => pooledOn(count, node)
const handedOver = () => broken.asked.filter(({ method }) => method === 'eth_sendRawTransaction')

let used = 0
/** Wallets of one key that no other test has, on one store. */
function setup(intents: Intents = memory()) {
  const account = node.accounts[++used]!
  const open = (more: Partial<WalletConfig> = {}) => createWallet({ chain, account, intents, stuckMs: 60_000, ...more })
  return { account, intents, open }
}

afterEach(async () => {
  broken.behave()
  await node.rpc('anvil_dropAllTransactions')
  await node.setAutomine(true)
})

describe('an intent', () => {
  it('is sent once: while it is on its way, when it is done, and by another wallet on the store', async () => {
    const { open } = setup()
    const wallet = open()
    const id = nextId()
    const sent: Hash[] = []
    const options = { intent: `emit:${id}`, onSent: (hash: Hash) => sent.push(hash) }

    const both = await Promise.all([wallet.send(emitCall(id), options), wallet.send(emitCall(id), options)])
    const again = await wallet.send(emitCall(id), options)
    const elsewhere = await open().send(emitCall(id), options)

    expect(await effects(id)).toHaveLength(1)
    expect(new Set([...both, again, elsewhere].map(({ hash }) => hash)).size).toBe(1)
    expect(elsewhere).toEqual(both[0])
    expect(sent).toEqual(Array.from({ length: 4 }, () => both[0].hash))
  })

  it('of another name, key or store is another one', async () => {
    const { open } = setup()
    const id = nextId()
    await open().send(emitCall(id), { intent: 'a' })
    await open().send(emitCall(id), { intent: 'b' })
    await open({ intents: memory() }).send(emitCall(id), { intent: 'a' })
    await open({ account: node.accounts[++used]! }).send(emitCall(id), { intent: 'a' })
    expect(await effects(id)).toHaveLength(4)
  })

  it('that failed may be sent again', async () => {
    const { open } = setup()
    const wallet = open()
    const target = '0x00000000000000000000000000000000000e0009'
    await node.setAutomine(false)
    const sending = wallet.send({ to: target, data: '0x01' }, { intent: 'x' })
    await pooled(1)
    await node.setCode(target, reverterCode)
    await node.mine()
    await expect(sending).rejects.toBeInstanceOf(TransactionRevertedError)
    await node.setAutomine(true)
    await node.setCode(target, '0x')
    await vi.waitFor(async () => expect(await wallet.pending()).toEqual([]))
    expect((await wallet.send({ to: target, data: '0x01' }, { intent: 'x' })).status).toBe('success')
  })

  it('that is joined waits as long as each asks for', async () => {
    const { open } = setup()
    const wallet = open()
    const id = nextId()
    const depths: number[] = []
    const shallow = wallet.send(emitCall(id), { intent: 'deep' })
    const deep = wallet.send(emitCall(id), { intent: 'deep', confirmations: 3, onProgress: (at) => depths.push(at) })
    await shallow
    await vi.waitFor(() => expect(depths.at(-1)).toBe(1))
    await node.mine(2)
    expect((await deep).hash).toBe((await shallow).hash)
    expect(depths.at(-1)).toBe(3)
  })

  it('that was done and taken back by a reorganisation is sent again, with the same nonce', async () => {
    const { open, account } = setup()
    const wallet = open()
    const id = nextId()
    await node.mine()
    const first = await wallet.send(emitCall(id), { intent: 'back' })
    await vi.waitFor(async () => expect(await wallet.pending()).toEqual([]))
    await node.reorg(1)
    expect(await effects(id)).toEqual([])

    const again = await Promise.all([1, 2].map(() => wallet.send(emitCall(id), { intent: 'back' })))

    expect(again.map(({ hash }) => hash)).toEqual([first.hash, first.hash])
    expect(await effects(id)).toHaveLength(1)
    expect(await chain.nonce(account.address, 'pending')).toBe(1)
  })

  it('is known for 30 days', async () => {
    const { intents } = setup()
    const asked: [string, number][] = []
    const expireRecords: Intents['expireRecords'] = (...asking) => Promise.resolve(asked.push(asking))
    const { open } = setup({ ...intents, expireRecords })
    await open().send(emitCall(nextId()), { intent: 'old' })
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const [kind, beforeMs] = asked[0]!
    expect(kind).toBe('intent:')
    expect(Date.now() - INTENT_MS - beforeMs).toBeLessThan(10_000)
    expect(INTENT_MS).toBe(30 * 86_400_000)
  })
})

describe('the next wallet on a store', () => {
  it('goes on with what was on its way, and does not take its nonces', async () => {
    const { open } = setup()
    const ids = [nextId(), nextId(), nextId()]
    await node.setAutomine(false)
    const first = open()
    const ended = Promise.all(ids.slice(0, 2).map((id) => first.send(emitCall(id), { intent: `${id}` })))
    await pooled(2)
    await node.rpc('anvil_dropAllTransactions')

    const second = open()
    await pooled(2)
    broken.misbehave(({ method }) => (method === 'eth_getTransactionCount' ? { result: '0x0' } : undefined))
    const third = second.send(emitCall(ids[2]!))
    await pooled(3)
    expect(await second.pending()).toMatchObject([
      { nonce: 0, intent: `${ids[0]}`, replaced: 0, mined: false },
      { nonce: 1, intent: `${ids[1]}`, replaced: 0, mined: false },
      { nonce: 2, intent: undefined, replaced: 0, mined: false },
    ])
    broken.behave()
    await node.mine()
    await Promise.all([ended, third])

    expect((await Promise.all(ids.map(effects))).map((places) => places.length)).toEqual([1, 1, 1])
    await vi.waitFor(async () => expect(await second.pending()).toEqual([]))
  })

  it('knows every version of a transaction that was replaced, and since when it waits', async () => {
    const { open } = setup()
    const id = nextId()
    const startedMs = Date.now()
    await node.setAutomine(false)
    const first = open({ stuckMs: 50 })
    const versions: Hash[] = []
    void first.send(emitCall(id), { intent: 'stuck', onSent: (hash) => versions.push(hash) })
    await vi.waitFor(() => expect(versions.length).toBeGreaterThan(2), { timeout: 5_000 })

    const second = open()
    const [pending] = await second.pending()

    expect(pending!.replaced).toBeGreaterThanOrEqual(2)
    expect(pending!.sinceMs).toBeGreaterThanOrEqual(startedMs)
    expect(pending!.sinceMs).toBeLessThan(Date.now())
    const joined = second.send(emitCall(id), { intent: 'stuck' })
    await node.mine()
    expect(versions).toContain((await joined).hash)
    expect(await effects(id)).toHaveLength(1)
  })

  it('goes on as soon as there is a node', async () => {
    const { open } = setup()
    const id = nextId()
    await node.setAutomine(false)
    void open().send(emitCall(id), { intent: 'later' })
    await pooled(1)
    await node.rpc('anvil_dropAllTransactions')
    broken.misbehave(() => ({ status: 503 }))
    open({ chain: createChain(settings) })
    broken.forget()
    await vi.waitFor(() =>
      expect(broken.asked.filter(({ method }) => method === 'eth_chainId').length).toBeGreaterThan(2),
    )
    broken.behave()
    await pooled(1)
    await node.mine()
    await vi.waitFor(async () => expect(await effects(id)).toHaveLength(1))
  })

  it('shares the nonces with one that still runs', async () => {
    const { open, account } = setup()
    const [one, other] = [open(), open()]
    const ids = Array.from({ length: 12 }, nextId)
    await Promise.all(ids.map((id, at) => (at % 2 ? one : other).send(emitCall(id))))
    expect((await Promise.all(ids.map(effects))).flat()).toHaveLength(12)
    expect(await chain.nonce(account.address, 'mined')).toBe(12)
  })

  it('learns from the chain what a store that was put back from a backup does not know', async () => {
    const { open, account, intents } = setup()
    const [named, nameless] = [nextId(), nextId()]
    const record = `wallet:31337:${account.address.toLowerCase()}`
    await node.setAutomine(false)
    const wallet = open({ stuckMs: 40 })
    let versions = 0
    const onSent = () => void (versions += 1)
    const sending = [wallet.send(emitCall(named), { intent: 'kept', onSent }), wallet.send(emitCall(nameless))]
    await pooled(2)
    const backup = await intents.readRecord(record)
    const known = versions
    await vi.waitFor(() => expect(versions).toBeGreaterThan(known + 1), { timeout: 5_000 })
    await node.mine()
    const [first] = await Promise.all(sending)
    await vi.waitFor(async () => expect(await wallet.pending()).toEqual([]))
    const restored = memory()
    await restored.writeRecord(record, () => backup)

    const again = open({ intents: restored, stuckMs: 40 })

    expect(await again.send(emitCall(named), { intent: 'kept' })).toEqual(first)
    await vi.waitFor(async () => expect(await again.pending()).toEqual([]), { timeout: 5_000 })
    expect([await effects(named), await effects(nameless)].map((places) => places.length)).toEqual([1, 1])
    expect(await chain.nonce(account.address, 'mined')).toBe(2)
  })

  it('leaves a transaction alone that holds it up and is looked after by another', async () => {
    const { open } = setup()
    const [patient, hasty] = [open(), open({ stuckMs: 40 })]
    const ids = [nextId(), nextId()]
    await Promise.all([patient.pending(), hasty.pending()])
    await node.setAutomine(false)
    const first = patient.send(emitCall(ids[0]!))
    await pooled(1)
    const second = hasty.send(emitCall(ids[1]!))
    await pooled(2)
    const before = handedOver().length
    await vi.waitFor(() => expect(handedOver().length).toBeGreaterThan(before + 4), { timeout: 5_000 })
    await node.mine()
    await Promise.all([first, second])
    expect((await Promise.all(ids.map(effects))).map((places) => places.length)).toEqual([1, 1])
  })
})

describe('a store that fails', () => {
  /** A store that is full as long as it is told to be. */
  function full() {
    const store = memory()
    const state = { isFull: false }
    const writeRecord: Intents['writeRecord'] = (...write) =>
      state.isFull ? Promise.reject(new StoreUnavailableError('The disk is full.')) : store.writeRecord(...write)
    return { state, intents: { ...store, writeRecord } }
  }

  it('lets nothing be sent, and says so', async () => {
    const { state, intents } = full()
    const { open, account } = setup(intents)
    const wallet = open()
    state.isFull = true
    const before = handedOver().length
    const error: unknown = await wallet.send(emitCall(nextId())).catch((thrown: unknown) => thrown)
    expect(error).toEqual(
      new StoreUnavailableError('The transaction could not be stored, so it was not sent. The disk is full.'),
    )
    expect(handedOver()).toHaveLength(before)
    state.isFull = false
    await wallet.send(emitCall(nextId()))
    expect(await chain.nonce(account.address, 'mined')).toBe(1)
  })

  it('lets no version be sent that a restart would not know', async () => {
    const { state, intents } = full()
    const wallet = setup(intents).open({ stuckMs: 40 })
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(nextId()))
    const [first] = await pooled(1)
    state.isFull = true
    const before = handedOver().length
    await vi.waitFor(() => expect(handedOver().length).toBeGreaterThan(before + 4), { timeout: 5_000 })
    expect((await pooled(1))[0]!.hash).toBe(first!.hash)
    state.isFull = false
    await node.mine()
    expect((await sending).hash).toBe(first!.hash)
  })

  it('does not keep the caller from hearing the end', async () => {
    const { state, intents } = full()
    const wallet = setup(intents).open()
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(nextId()), { intent: 'heard' })
    await pooled(1)
    state.isFull = true
    await node.mine()
    expect((await sending).status).toBe('success')
    state.isFull = false
    await vi.waitFor(async () => expect(await wallet.pending()).toEqual([]), { timeout: 5_000 })
  })
})

describe('a nonce that another program took', () => {
  /** The transaction that the wallet has sent vanishes, and this one of its key is mined instead. */
  async function takeNonce(id: number, from: Hash) {
    await pooled(1)
    await node.rpc('anvil_dropAllTransactions')
    await node.submit({ from, ...emitCall(id), gas: 100_000n })
    await node.mine()
  }

  it('for the same deed has done what was intended, where the deed has a name', async () => {
    const { open, account } = setup()
    const wallet = open({ stuckMs: 40 })
    const id = nextId()
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(id), { intent: 'same' })
    await takeNonce(id, account.address)
    expect((await sending).status).toBe('success')
    expect(await effects(id)).toHaveLength(1)
  })

  it('for the same deed is told where the deed has no name: it may have been wanted twice', async () => {
    const { open, account } = setup()
    const wallet = open({ stuckMs: 40 })
    const id = nextId()
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(id))
    sending.catch(() => undefined)
    await takeNonce(id, account.address)
    await expect(sending).rejects.toBeInstanceOf(KeyUsedElsewhereError)
  })

  it('is waited for until it is deep, and found among the blocks since', async () => {
    const { open, account } = setup()
    const deep = createChain({ ...settings, confirmations: 4 })
    const wallet = open({ stuckMs: 40, chain: deep })
    const id = nextId()
    let isOver = false
    await node.setAutomine(false)
    const sending = wallet.send(emitCall(id)).finally(() => (isOver = true))
    sending.catch(() => undefined)
    await takeNonce(nextId(), account.address)
    await node.mine(2)
    broken.forget()
    const looks = () => broken.asked.filter(({ method }) => method === 'eth_getTransactionCount').length
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(6), { timeout: 5_000 })
    expect(isOver).toBe(false)
    await node.mine(20)
    await expect(sending).rejects.toBeInstanceOf(KeyUsedElsewhereError)
    expect(await effects(id)).toEqual([])
  })

  it('is not believed of a node that does not know our transaction', async () => {
    const { open } = setup()
    const wallet = open({ stuckMs: 40 })
    const id = nextId()
    broken.misbehave(({ method }) => (method === 'eth_getTransactionReceipt' ? { result: null } : undefined))
    onTestFinished(() => broken.behave())
    const sending = wallet.send(emitCall(id))
    const asked = broken.asked.length
    await vi.waitFor(() => expect(broken.asked.length).toBeGreaterThan(asked + 60), { timeout: 5_000 })
    broken.behave()
    expect((await sending).status).toBe('success')
    expect(await effects(id)).toHaveLength(1)
  })
})
