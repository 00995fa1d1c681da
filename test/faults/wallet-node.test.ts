/** A wallet whose node does not answer, is away, or asks for a hundred times the price. */
import { hexToBigInt, numberToHex, parseGwei, parseTransaction, type Hash, type Hex } from 'viem'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FeeTooHighError } from '../../src/chain/errors.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { createWallet, type WalletConfig } from '../../src/chain/wallet.ts'
import { memory } from '../../src/store/memory.ts'
import { startBrokenNode } from '../chain/broken-node.ts'
import { emitCall, emitterAt, emitterCode } from '../chain/contracts.ts'
import { effects as effectsOn, nextId, pooled as pooledOn } from '../chain/sending.ts'
import { startTestChain } from '../support/anvil.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
const chain = createChain({ rpc: broken.url, pollMs: 20, confirmations: 1, timeoutMs: 300 })
await node.setCode(emitterAt, emitterCode)

const effects = (id: number) => effectsOn(id, node)
const pooled = (count: number) => pooledOn(count, node)

let used = 0
function setup(more: Partial<WalletConfig> = {}) {
  const account = node.accounts[++used]!
  return { account, wallet: createWallet({ chain, account, intents: memory(), stuckMs: 60, ...more }) }
}

/** What was offered for a unit of gas, for each time that something was handed over. */
const offers = () =>
  broken.asked.filter(isSend).map(({ params: [raw] }) => parseTransaction(raw as Hex).maxFeePerGas ?? 0n)

const isSend = ({ method }: { method: string }) => method === 'eth_sendRawTransaction'

afterEach(async () => {
  broken.behave()
  await node.rpc('anvil_dropAllTransactions')
  await node.setAutomine(true)
  await node.mine(60)
})

it('a transaction that a node takes without a word takes effect once, and the caller hears of it', async () => {
  const { wallet, account } = setup()
  const id = nextId()
  broken.misbehave((asked) => (isSend(asked) ? 'mute' : undefined))
  expect((await wallet.send(emitCall(id))).status).toBe('success')
  expect(await effects(id)).toHaveLength(1)
  expect(await chain.nonce(account.address, 'pending')).toBe(1)
})

it('a transaction goes on where it was when its node was away', async () => {
  const { wallet } = setup()
  const [first, second] = [nextId(), nextId()]
  await node.setAutomine(false)
  const sending = wallet.send(emitCall(first), { intent: 'away' })
  await pooled(1)
  await broken.down()
  await expect(wallet.send(emitCall(second))).rejects.toThrow('No node answers')
  await node.mine()
  await broken.up()
  expect((await sending).status).toBe('success')
  expect([await effects(first), await effects(second)].map((places) => places.length)).toEqual([1, 0])
})

describe('gas at a hundred times the price', () => {
  const caps = { maxFeePerGas: parseGwei('5'), urgentMaxFeePerGas: parseGwei('400') }

  /** A block of which each unit of gas costs 100 gwei. */
  async function makeDear() {
    await node.rpc('anvil_setNextBlockBaseFeePerGas', numberToHex(parseGwei('100')))
    await node.mine()
  }

  it('is not paid for what can wait: nothing is sent, and both figures are named', async () => {
    const { wallet, account } = setup(caps)
    await makeDear()
    const error: unknown = await wallet.send(emitCall(nextId())).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FeeTooHighError)
    expect(String(error)).toBe(
      'FeeTooHighError: Gas costs at least 100000000000 wei and maxFeePerGas is 5000000000. ' +
        'Wait until it is cheaper, or raise maxFeePerGas; nothing was sent.',
    )
    expect(await chain.nonce(account.address, 'pending')).toBe(0)
    expect(await wallet.pending()).toEqual([])
  })

  it('is paid for what is urgent, up to a limit of its own', async () => {
    const { wallet } = setup(caps)
    await makeDear()
    expect((await wallet.send(emitCall(nextId()), { urgent: true })).status).toBe('success')
    await makeDear()
    const error: unknown = await setup({ ...caps, urgentMaxFeePerGas: parseGwei('50') })
      .wallet.send(emitCall(nextId()), { urgent: true })
      .catch((thrown: unknown) => thrown)
    expect(String(error)).toContain('urgentMaxFeePerGas is 50000000000.')
  })

  it('is paid for what holds up something urgent', async () => {
    const { wallet } = setup(caps)
    const ids = [nextId(), nextId()]
    const sent: Hash[] = []
    broken.forget()
    await node.setAutomine(false)
    const waiting = wallet.send(emitCall(ids[0]!), { intent: 'settle', onSent: (hash) => sent.push(hash) })
    await pooled(1)
    await makeDear()
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(1), { timeout: 5_000 })
    for (const offer of offers()) expect(offer).toBeLessThanOrEqual(caps.maxFeePerGas)

    const urgent = wallet.send(emitCall(ids[1]!), { urgent: true })
    await vi.waitFor(
      async () => {
        const both = (await pooled(2)).map((one) => hexToBigInt(one.maxFeePerGas))
        expect(both.every((offer) => offer > parseGwei('100') && offer <= caps.urgentMaxFeePerGas)).toBe(true)
      },
      { timeout: 5_000 },
    )
    await node.mine()
    await Promise.all([waiting, urgent])
    expect((await Promise.all(ids.map(effects))).map((places) => places.length)).toEqual([1, 1])
  })

  it('is paid for what was not urgent and is now', async () => {
    const { wallet } = setup(caps)
    const id = nextId()
    await node.setAutomine(false)
    const calm = wallet.send(emitCall(id), { intent: 'later' })
    await pooled(1)
    await makeDear()
    const pressed = wallet.send(emitCall(id), { intent: 'later', urgent: true })
    await vi.waitFor(
      async () => expect(hexToBigInt((await pooled(1))[0]!.maxFeePerGas)).toBeGreaterThan(parseGwei('100')),
      { timeout: 5_000 },
    )
    await node.mine()
    expect((await pressed).hash).toBe((await calm).hash)
    expect(await effects(id)).toHaveLength(1)
  })
})
