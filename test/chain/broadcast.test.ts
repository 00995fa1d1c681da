import { afterEach, expect, it } from 'vitest'
import { ChainUnavailableError } from '../../src/base/faults.ts'
import type { Broadcast } from '../../src/chain/chain.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Misbehaviour } from './broken-node.ts'

const node = await startTestChain()
const first = await startBrokenNode(node.url)
const second = await startBrokenNode(node.url)
const chain = createChain({ rpc: [first.url, second.url], timeoutMs: 200 })
const [account] = node.accounts
let nonce = 0
const sign = () =>
  account!.signTransaction({
    type: 'eip1559',
    chainId: 31337,
    nonce,
    to: account!.address,
    gas: 21_000n,
    maxFeePerGas: 10n ** 10n,
  })

const sends =
  (misbehaviour: Misbehaviour) =>
  ({ method }: { method: string }) =>
    method === 'eth_sendRawTransaction' ? misbehaviour : undefined

const sent = () =>
  [first, second].map(({ asked }) => asked.filter(({ method }) => method === 'eth_sendRawTransaction').length)

afterEach(() => {
  for (const broken of [first, second]) {
    broken.behave()
    broken.forget()
  }
})

it('hands a transaction to one node, and knows it again', async () => {
  const raw = await sign()
  await node.setAutomine(false)
  expect(await chain.broadcast(raw)).toEqual({ outcome: 'accepted' })
  expect(await chain.broadcast(raw)).toMatchObject({ outcome: 'accepted' })
  await node.mine()
  expect(await chain.broadcast(raw)).toMatchObject({ outcome: 'nonce-used' })
  await node.setAutomine(true)
  nonce++
})

it.each<[Broadcast['outcome'], number, string]>([
  ['accepted', -32000, 'already known'],
  ['accepted', -32010, 'AlreadyKnown'],
  ['accepted', -32000, 'Known transaction'],
  ['nonce-used', -32000, 'nonce too low: next nonce 8, tx nonce 3'],
  ['nonce-used', -32010, 'OldNonce, Current nonce: 8, nonce of rejected tx: 3'],
  ['nonce-used', -32001, 'Nonce too low'],
  ['nonce-taken', -32000, 'replacement transaction underpriced: new tx gas fee cap 7 <= 7'],
  ['nonce-taken', -32010, 'ReplacementNotAllowed'],
  ['nonce-taken', -32010, 'FeeTooLowToCompete'],
  ['fee-too-low', -32000, 'transaction underpriced: tip needed 1, tip permitted 0'],
  ['fee-too-low', -32000, 'max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1, baseFee: 7'],
  ['fee-too-low', -32009, 'Gas price below configured minimum gas price'],
  ['no-gas', -32000, 'insufficient funds for gas * price + value: balance 1, tx cost 7, overshot 6'],
  ['no-gas', -32010, 'InsufficientFunds, Account balance: 1, cumulative cost: 7'],
  ['no-gas', -32004, 'Upfront cost exceeds account balance'],
  ['refused', -32000, 'txpool is full'],
  ['refused', -32000, 'exceeds block gas limit'],
  ['refused', -32000, 'only replay-protected (EIP-155) transactions allowed over RPC'],
])('understands %s (%i %s), and asks nobody else', async (outcome, code, message) => {
  first.misbehave(sends({ error: { code, message } }))
  expect(await chain.broadcast(await sign())).toEqual({ outcome, reason: message })
  expect(sent()).toEqual([1, 0])
})

it.each<Misbehaviour>([
  'hang',
  'reset',
  'swallow',
  { status: 502 },
  { error: { code: -32603, message: 'Internal error' } },
])('knows nothing when a node may have it (%j), and asks nobody else', async (trouble) => {
  first.misbehave(sends(trouble))
  const raw = await sign()
  expect(await chain.broadcast(raw)).toMatchObject({ outcome: 'unknown' })
  expect(sent()).toEqual([1, 0])
  if (trouble === 'swallow') nonce++
})

it.each<Misbehaviour>([
  { status: 429 },
  { status: 403 },
  { error: { code: -32005, message: 'request rate exceeded, too many requests' } },
  { status: 429, text: JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'slow down' } }) },
])('goes to the next node when the first surely does not have it (%j)', async (trouble) => {
  first.misbehave(sends(trouble))
  const other = createChain({ rpc: [first.url, second.url], timeoutMs: 200 })
  expect(await other.broadcast(await sign())).toEqual({ outcome: 'accepted' })
  expect(sent()).toEqual([1, 1])
  nonce++
})

it('says that it reached nobody when no node takes connections', async () => {
  const raw = await sign()
  const lonely = createChain({ rpc: first.url })
  await lonely.id()
  first.misbehave(() => 'last')
  await lonely.id()
  await expect(lonely.broadcast(raw)).rejects.toBeInstanceOf(ChainUnavailableError)
  await first.up()
})
