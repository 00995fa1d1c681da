import {
  concatHex,
  encodeDeployData,
  encodeFunctionData,
  hexToBytes,
  keccak256,
  numberToHex,
  pad,
  toHex,
  type Address,
  type Hex,
} from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { CallRevertedError, ChainUnavailableError } from '../../src/base/faults.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { SIGNATURE_GAS_LIMIT } from '../../src/chain/signature.ts'
import { channelEscrowAbi as abi } from '../../src/escrow/abi/channel-escrow.ts'
import { channelEscrowBytecode } from '../../src/escrow/abi/channel-escrow-bytecode.ts'
import { demoTokenAbi } from '../../src/escrow/abi/demo-token.ts'
import { demoTokenBytecode } from '../../src/escrow/abi/demo-token-bytecode.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode } from './broken-node.ts'

const node = await startTestChain()
const broken = await startBrokenNode(node.url)
const chain = createChain({ rpc: broken.url, timeoutMs: 5_000 })

const [sender, receiver] = [node.accounts[0]!.address, node.accounts[1]!.address]
const escrow = await node.deploy(encodeDeployData({ abi, bytecode: channelEscrowBytecode, args: [900n] }))
const token = await node.deploy(
  encodeDeployData({ abi: demoTokenAbi, bytecode: demoTokenBytecode, args: ['Demo', 'DEMO', 6, 10n ** 12n] }),
)
await node.transact({
  from: sender,
  to: token,
  data: encodeFunctionData({ abi: demoTokenAbi, functionName: 'approve', args: [escrow, 10n ** 12n] }),
})

/** Code that puts the magic value, as bytes4 left-aligned, on the stack. */
const MAGIC: Hex = '0x631626ba7e60e01b'
/** Code that returns the word on the stack as an answer of `size` bytes. */
const answering = (size: number): Hex => concatHex(['0x5f5262', numberToHex(size, { size: 3 }), '0x5ff3'])
/** Code that multiplies what is on the stack by the truth of `condition`. */
const onlyIf = (condition: Hex): Hex => concatHex([condition, '0x02'])
const gasAbove = (gas: bigint): Hex => concatHex(['0x62', numberToHex(gas, { size: 3 }), '0x5a11'])
/** What the wallets below have used up when they look. */
const USED = 14n

type Wallet = [title: string, accepts: boolean, code: Hex, signature?: Hex]

const wallets: Wallet[] = [
  ['answers with the magic value', true, concatHex([MAGIC, answering(32)])],
  ['answers with the magic value and more', true, concatHex([MAGIC, answering(96)])],
  ['answers with the magic value and 400 KB', true, concatHex([MAGIC, answering(400_000)])],
  ['answers with the magic value and 1 MB', false, concatHex([MAGIC, answering(1_000_000)])],
  ['answers with the magic value alone, 4 bytes', false, concatHex([MAGIC, answering(4)])],
  ['answers with the magic value and one bit more', false, concatHex([MAGIC, '0x600117', answering(32)])],
  ['answers with zero', false, concatHex(['0x5f', answering(32)])],
  ['answers with nothing', false, '0x00'],
  ['reverts, with the magic value', false, concatHex([MAGIC, '0x5f5260205ffd'])],
  ['burns all its gas', false, '0x5b600056'],
  ['burns all its gas at once', false, '0xfe'],
  ['has no code', false, '0x'],
  [
    'accepts only when the escrow asks',
    true,
    concatHex([MAGIC, onlyIf(concatHex(['0x73', escrow, '0x3314'])), answering(32)]),
  ],
  [
    'accepts only with all the gas it can get',
    true,
    concatHex([MAGIC, onlyIf(gasAbove(SIGNATURE_GAS_LIMIT - USED - 1n)), answering(32)]),
  ],
  [
    'accepts only with more gas than it can get',
    false,
    concatHex([MAGIC, onlyIf(gasAbove(SIGNATURE_GAS_LIMIT - USED)), answering(32)]),
  ],
  [
    'accepts only with all the gas, after a signature of 4 KB',
    true,
    concatHex([MAGIC, onlyIf(gasAbove(SIGNATURE_GAS_LIMIT - USED - 1n)), answering(32)]),
    pad('0xff', { size: 4096 }),
  ],
  [
    'accepts only a signature that starts with 07',
    true,
    concatHex([MAGIC, onlyIf('0x60643560f81c600714'), answering(32)]),
    '0x0701',
  ],
  [
    'accepts only another signature',
    false,
    concatHex([MAGIC, onlyIf('0x60643560f81c600814'), answering(32)]),
    '0x0701',
  ],
]

/** What the escrow itself says: whether the receiver could settle with this signature. */
async function escrowAccepts(signer: Address, signature: Hex): Promise<{ digest: Hex; accepts: boolean }> {
  const salt = keccak256(signer)
  const ask = (data: Hex) => chain.call({ to: escrow, data })
  const open = encodeFunctionData({ abi, functionName: 'open', args: [receiver, token, 100n, salt, signer] })
  await node.transact({ from: sender, to: escrow, data: open })
  const identity = [sender, receiver, token, salt, signer] as const
  const id = await ask(encodeFunctionData({ abi, functionName: 'computeChannelId', args: identity }))
  const digest = await ask(encodeFunctionData({ abi, functionName: 'getVoucherDigest', args: [id, 60n] }))
  const settle = encodeFunctionData({ abi, functionName: 'settle', args: [id, 60n, signature] })
  try {
    await chain.call({ to: escrow, data: settle }, { from: receiver, abi })
    return { digest, accepts: true }
  } catch (error) {
    expect(error).toEqual(new CallRevertedError('InvalidSignature'))
    return { digest, accepts: false }
  }
}

beforeEach(() => broken.behave())

describe('a contract that signs', () => {
  it.each<Wallet>(wallets)(
    'and %s is believed: %s, as by the escrow',
    async (title, accepts, code, signature = '0x0102') => {
      const signer: Address = `0x${keccak256(toHex(title)).slice(26)}`
      await node.setCode(signer, code)

      const truth = await escrowAccepts(signer, signature)
      const ours = await chain.acceptsSignature({ signer, signature, escrow, digest: hexToBytes(truth.digest) })

      expect({ ours, escrow: truth.accepts }).toEqual({ ours: accepts, escrow: accepts })
    },
  )

  it('gets the gas that the escrow gives it', async () => {
    const limit = encodeFunctionData({ abi, functionName: 'SIGNATURE_GAS_LIMIT' })
    expect(BigInt(await chain.call({ to: escrow, data: limit }))).toBe(SIGNATURE_GAS_LIMIT)
  })
})

describe('a question about a signature', () => {
  const question = { signer: escrow, escrow, digest: new Uint8Array(32), signature: '0x01' as const }

  it('that keeps the node busy for more than a second is answered no', async () => {
    broken.misbehave(({ method }) => (method === 'eth_call' ? 'hang' : undefined))
    const startMs = Date.now()
    expect(await chain.acceptsSignature(question)).toBe(false)
    expect(Date.now() - startMs).toBeLessThan(3_000)
  })

  it.each(['hang', 'reset', { status: 502 }] as const)(
    'is not answered at all when the node is away (%s)',
    async (trouble) => {
      broken.misbehave(() => trouble)
      await expect(chain.acceptsSignature(question)).rejects.toBeInstanceOf(ChainUnavailableError)
    },
  )

  it('is not answered by a node that has a problem of its own', async () => {
    broken.misbehave(() => ({ error: { code: -32000, message: 'header not found' } }))
    await expect(chain.acceptsSignature(question)).rejects.toThrow('header not found')
  })
})
