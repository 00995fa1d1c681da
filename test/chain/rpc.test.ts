import { inspect } from 'node:util'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeErrorResult, parseAbi, type Address, type Hash } from 'viem'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CallRevertedError, ChainUnavailableError, ConfigError } from '../../src/base/faults.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { startTestChain } from '../support/anvil.ts'
import { startBrokenNode, type Misbehaviour } from './broken-node.ts'
import { burnerCode, reverterCode } from './contracts.ts'

const node = await startTestChain()
const other = await startTestChain({ chainId: 5 })
const broken = await startBrokenNode(node.url)
const chain = createChain({ rpc: node.url })

const reverter: Address = '0x00000000000000000000000000000000000e0002'
const burner: Address = '0x00000000000000000000000000000000000e0003'
await node.setCode(reverter, reverterCode)
await node.setCode(burner, burnerCode)
await node.mine(10)

describe('a chain', () => {
  it('knows its blocks by number and by hash', async () => {
    const head = await chain.head()

    expect(head.number).toBe(10n)
    expect(await chain.block(10n)).toEqual(head)
    expect(await chain.block(head.parentHash)).toMatchObject({ number: 9n, hash: head.parentHash })
    expect(await chain.block(11n)).toBeUndefined()
    expect(await chain.block(`0x${'11'.repeat(32)}`)).toBeUndefined()
  })

  it('counts the newest block as the first confirmation, and never goes below the first block', async () => {
    expect(await createChain({ rpc: node.url, confirmations: 1 }).confirmed()).toBe(10n)
    expect(await createChain({ rpc: node.url, confirmations: 4 }).confirmed()).toBe(7n)
    expect(await createChain({ rpc: node.url, confirmations: 99 }).confirmed()).toBe(0n)
  })

  it('sees a new block at once', async () => {
    const before = await chain.head()
    await node.mine()
    expect((await chain.head()).number).toBe(before.number + 1n)
  })

  it('reads accounts', async () => {
    const { address } = node.accounts[3]!
    expect(await chain.id()).toBe(31337)
    expect(await chain.balance(address)).toBe(10n ** 22n)
    expect(await chain.nonce(address, 'pending')).toBe(0)
    expect(await chain.code(reverter)).toBe(reverterCode)
    expect(await chain.code(address)).toBe('0x')
  })

  it.each<[string, object]>([
    ['rpc: is not a URL', { rpc: 'localhost 8545' }],
    ['rpc: must start with https:// or http://, not with ws:', { rpc: 'ws://localhost:8545' }],
    ['rpc: needs at least one', { rpc: [] }],
    ['confirmations: must be a whole number from 1', { confirmations: 0 }],
    ['confirmations: must be', { confirmations: 1.5 }],
    ['pollMs: must be', { pollMs: -1 }],
    ['timeoutMs: must be', { timeoutMs: 2 ** 31 }],
    ['logRange: must be', { logRange: Number.NaN }],
    ['chainId: must be', { chainId: 0 }],
  ])('refuses settings: %s', (message, wrong) => {
    const create = () => createChain({ rpc: node.url, ...wrong })
    expect(create).toThrow(ConfigError)
    expect(create).toThrow(message)
  })
})

describe('a call that reverts', () => {
  const abi = parseAbi(['error NotReceiver(address who)', 'error Error(string)', 'error Panic(uint256)'])

  it.each([
    [
      'the name of the error, if it is known',
      encodeErrorResult({ abi, errorName: 'NotReceiver', args: [reverter] }),
      'NotReceiver',
    ],
    ['the text of a require', encodeErrorResult({ abi, errorName: 'Error', args: ['too late'] }), 'too late'],
    ['the code of a panic', encodeErrorResult({ abi, errorName: 'Panic', args: [17n] }), 'Panic(17)'],
    ['the data, if it is of no known error', '0xdeadbeef00' as const, '0xdeadbeef00'],
    ['the words of the node, if there is no data', '0x' as const, 'execution reverted'],
  ])('gives %s', async (_, data, reason) => {
    await expect(chain.call({ to: reverter, data }, { abi })).rejects.toEqual(new CallRevertedError(reason))
    await expect(createChain({ rpc: node.url, abi }).gas({ to: reverter, data })).rejects.toBeInstanceOf(
      CallRevertedError,
    )
  })

  it('runs out of gas as a revert, not as a node that is away', async () => {
    await expect(chain.call({ to: burner, data: '0x' }, { gas: 100_000n })).rejects.toBeInstanceOf(CallRevertedError)
  })

  it('does not fetch the URL that a contract asks for', async () => {
    let visits = 0
    const server = createServer((_, response) => response.end(`${visits++}`))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const lookup = parseAbi([
      'error OffchainLookup(address sender, string[] urls, bytes data, bytes4 callback, bytes extra)',
    ])
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/{sender}/{data}`
    const data = encodeErrorResult({ abi: lookup, args: [reverter, [url], '0x', '0x00000000', '0x'] })

    await expect(chain.call({ to: reverter, data }, { abi: lookup })).rejects.toEqual(
      new CallRevertedError('OffchainLookup'),
    )
    expect(visits).toBe(0)
  })
})

describe('a node that fails', () => {
  const troubles: [string, Misbehaviour, string][] = [
    ['does not answer', 'hang', 'did not answer in time'],
    ['hangs up', 'reset', 'UND_ERR_SOCKET'],
    ['answers 503', { status: 503 }, 'HTTP 503'],
    ['answers 429', { status: 429 }, 'HTTP 429'],
    ['answers a page', { status: 200, text: '<html>' }, 'something else than JSON-RPC'],
    ['answers nothing', { status: 200 }, 'something else than JSON-RPC'],
    ['has an internal error', { error: { code: -32603, message: 'Internal error' } }, 'Internal error'],
    ['does not know the method', { error: { code: -32601, message: 'no such method' } }, 'no such method'],
  ]

  it.each(troubles)('and %s is unavailable, and the error says so', async (_, trouble, words) => {
    broken.misbehave(() => trouble)
    const lonely = createChain({ rpc: broken.url, timeoutMs: 1_000 })
    await Promise.all([
      expect(lonely.head()).rejects.toBeInstanceOf(ChainUnavailableError),
      expect(lonely.id()).rejects.toThrow(words),
      expect(lonely.call({ to: reverter, data: '0x' })).rejects.toThrow(words),
    ])
  })

  it.each(troubles)('and %s is replaced by the next one', async (_, trouble) => {
    broken.misbehave(() => trouble)
    const pair = createChain({ rpc: [broken.url, node.url], timeoutMs: 1_000 })
    expect(await pair.id()).toBe(31337)
    const asked = broken.asked.length
    expect(await pair.head()).toEqual(await chain.head())
    expect(broken.asked.length, 'it stays with the node that answered').toBe(asked)
  })

  it('for a moment only is asked once more', async () => {
    let times = 0
    broken.misbehave(() => (times++ === 0 ? { status: 502 } : undefined))
    expect(await createChain({ rpc: broken.url }).id()).toBe(31337)
  })

  it('answers nonsense and is not believed', async () => {
    broken.misbehave(({ method }) => (method === 'eth_chainId' ? undefined : { result: { number: 7 } }))
    const lonely = createChain({ rpc: broken.url })
    await expect(lonely.head()).rejects.toBeInstanceOf(ChainUnavailableError)
    await expect(lonely.nonce(reverter, 'mined')).rejects.toBeInstanceOf(ChainUnavailableError)
    await expect(lonely.balance(reverter)).rejects.toBeInstanceOf(ChainUnavailableError)
    await expect(lonely.code(reverter)).rejects.toBeInstanceOf(ChainUnavailableError)
    broken.misbehave(({ method }) => (method === 'eth_chainId' ? undefined : { result: '0x' }))
    await expect(lonely.nonce(reverter, 'mined')).rejects.toBeInstanceOf(ChainUnavailableError)
    broken.misbehave(() => ({ result: 'soon' }))
    await expect(createChain({ rpc: broken.url }).id()).rejects.toBeInstanceOf(ChainUnavailableError)
  })

  it('refuses connections, and is back when it is back', async () => {
    broken.behave()
    const lonely = createChain({ rpc: broken.url })
    await broken.down()
    await expect(lonely.head()).rejects.toThrow(/^No node answers: 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/)
    await broken.up()
    expect(await lonely.head()).toEqual(await chain.head())
  })

  it('and is on another chain is never believed', async () => {
    await expect(createChain({ rpc: node.url, chainId: 1 }).head()).rejects.toEqual(
      new ConfigError('rpc', `127.0.0.1:${node.port} is on chain 31337, not on 1.`),
    )
    const pair = createChain({ rpc: [broken.url, other.url] })
    await pair.id()
    broken.misbehave(() => ({ status: 500 }))
    await expect(pair.head()).rejects.toBeInstanceOf(ConfigError)
  })

  it('is named without the credentials of its URL', async () => {
    const url = new URL(broken.url)
    url.username = 'operator'
    url.password = 'hunter2hunter2'
    url.pathname = '/v3/0123456789abcdef'
    url.search = '?apikey=fedcba9876543210'
    const secrets = /operator|hunter2|0123456789abcdef|fedcba9876543210/
    const lonely = createChain({ rpc: url.href, timeoutMs: 1_000 })
    const hash: Hash = `0x${'22'.repeat(32)}`
    for (const trouble of [
      ...troubles.map(([, how]) => how),
      { error: { code: -32000, message: 'bad key fedcba9876543210' } },
    ]) {
      broken.misbehave(() => trouble)
      const error: unknown = await lonely.mined(hash).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(ChainUnavailableError)
      expect(String(error)).toContain(url.host)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(secrets)
    }
  })
})
