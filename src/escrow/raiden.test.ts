/** Against test/vectors/uraiden-conversations.json: what four implementations of 2018 agree on. */
import { readFileSync } from 'node:fs'
import { encodeFunctionData, toFunctionSelector, type Address, type Hash, type Hex, type Log } from 'viem'
import { describe, expect, it } from 'vitest'
import { bytesToHex } from '../base/encode.ts'
import { lower } from '../base/read.ts'
import { recoverAddress, sign } from '../base/secp256k1.ts'
import type { Channel } from '../channel/channel.ts'
import { raidenChannelsAbi as abi } from './abi/raiden-channels.ts'
import { raiden } from './raiden.ts'

type Vector = Record<'senderKey' | 'balanceDigest' | 'balanceSig' | 'closingDigest' | 'closingSig', Hex> & {
  readonly receiverKey: Hex
  readonly sender: Address
  readonly receiver: Address
  readonly contract: Address
  readonly channelKey: Hash
  readonly block: number
  readonly balance: string
}

const path = new URL('../../test/vectors/uraiden-conversations.json', import.meta.url)
const { signatures } = JSON.parse(readFileSync(path, 'utf8')) as { signatures: Vector[] }
const token = `0x${'77'.repeat(20)}` as const

function channelOf(vector: Vector): Channel {
  const sender = lower(vector.sender)
  const receiver = lower(vector.receiver)
  const escrow = lower(vector.contract)
  const terms = { openBlock: vector.block }
  const id = raiden.channelId({ sender, receiver, token, signer: sender, terms }, { chainId: 1, address: escrow })
  const chain = {
    key: `eip155:1:${escrow}:${id}` as const,
    id,
    chainId: 1,
    escrow,
    sender,
    receiver,
    token,
    signer: sender,
  }
  return { ...chain, terms, status: 'open', deposit: 2n ** 96n - 1n, settled: 0n, charged: 0n, block: 1n }
}

describe.each(signatures)('block $block, balance $balance', (vector) => {
  const channel = channelOf(vector)
  const amount = BigInt(vector.balance)

  it('has the key of the vectors', () => expect(channel.id).toBe(vector.channelKey))

  it('has the digest and the signature of a voucher', () => {
    const digest = raiden.digester({ chainId: 1, address: channel.escrow })(channel, amount)
    expect(bytesToHex(digest)).toBe(vector.balanceDigest)
    expect(sign(digest, vector.senderKey)).toBe(vector.balanceSig)
    expect(recoverAddress(digest, vector.balanceSig)).toBe(channel.sender)
  })

  it('has the digest and the signature of a consent to close', () => {
    const digest = raiden.consent(channel, amount)!
    expect(bytesToHex(digest)).toBe(vector.closingDigest)
    expect(sign(digest, vector.receiverKey)).toBe(vector.closingSig)
  })
})

describe('the calls', () => {
  const channel = { ...channelOf(signatures[0]!), voucher: { cumulativeAmount: 9n, signature: '0xaa' as Hex } }
  const { calls } = raiden
  const { sender, receiver } = channel
  const identity = { sender, receiver, token, signer: sender, terms: {} }
  const at = { chainId: 1, address: channel.escrow }

  it.each([
    ['open', calls.open(identity, 5n, at).data, '0xa6d15963'],
    ['topUp', calls.topUp(channel, 5n).data, '0x016a8cf6'],
    ['settle', calls.settle([channel], receiver)[0]!.call.data, '0xa6b7fa36'],
    ['close', calls.close(channel, 9n, '0xbb').data, '0x1c6f609b'],
    ['requestClose', calls.requestClose(channel, 9n).data, '0x323cb59b'],
    ['withdraw', calls.withdraw(channel).data, '0x5a8e9d66'],
  ])('%s has the selector of 2018', (_name, data, selector) => expect(data.slice(0, 10)).toBe(selector))

  it('puts 40 bytes into a transfer that opens, and 44 into one that tops up', () => {
    expect(calls.openByTransfer(identity)).toBe(`${sender}${receiver.slice(2)}`)
    expect(calls.topUpByTransfer(channel)).toBe(`${sender}${receiver.slice(2)}00000001`)
  })

  it('settles each channel in a transaction of its own', () => {
    expect(calls.settle([channel, channel], receiver).map(({ channels }) => channels.length)).toEqual([1, 1])
  })

  it('closes only with a consent, and at the amount of the voucher', () => {
    expect(() => calls.close(channel, 9n, undefined)).toThrow('signature of the receiver')
    expect(() => calls.close(channel, 8n, '0xbb')).toThrow('no voucher over exactly 8')
  })

  it('needs the block of the opening', () => {
    expect(() => raiden.channelId(identity, at)).toThrow('open block is missing')
  })
})

describe('the events', () => {
  const channel = channelOf(signatures[0]!)
  const at = { chainId: 1, address: channel.escrow, token }
  const log = (topics: Hex[], ...data: bigint[]): Log =>
    ({
      address: channel.escrow,
      blockNumber: 1n,
      logIndex: 3,
      topics,
      data: `0x${data.map((word) => word.toString(16).padStart(64, '0')).join('')}`,
    }) as unknown as Log
  const parties = [channel.sender, channel.receiver].map((who): Hex => `0x${who.slice(2).padStart(64, '0')}`)
  const block: Hex = `0x${'1'.padStart(64, '0')}`
  const [created, toppedUp, closeRequested, settled, withdraw] = raiden.topics({ sender: channel.sender })[0] as Hex[]

  it('names a channel by the block in which it was created', () => {
    const event = raiden.event(log([created!, ...parties], 50n), at)
    expect(event).toMatchObject({ type: 'opened', key: channel.key, channel: { deposit: 50n, token, logIndex: 3 } })
  })

  it.each([
    ['topped up', toppedUp, { type: 'toppedUpBy', added: 50n }],
    ['settled', withdraw, { type: 'settledBy', added: 50n }],
    ['asked to close', closeRequested, { type: 'closeRequested', stated: 50n }],
    ['closed', settled, { type: 'closed', settled: 50n }],
  ])('says that a channel was %s', (_what, topic, expected) => {
    expect(raiden.event(log([topic!, ...parties, block], 50n, 9n), at)).toEqual({
      ...expected,
      key: channel.key,
      block: 1n,
      logIndex: 3,
    })
  })

  it('of other contracts, and other events, are none', () => {
    expect(raiden.event({ ...log([created!, ...parties], 50n), address: token }, at)).toBeUndefined()
    expect(raiden.event(log([`0x${'00'.repeat(32)}`, ...parties], 50n), at)).toBeUndefined()
  })

  it('need the token of the contract', () => {
    const { token: _token, ...without } = at
    expect(() => raiden.event(log([created!, ...parties], 50n), without)).toThrow('token')
  })
})

it('asks a contract what it is', () => {
  const receiver = `0x${'22'.repeat(20)}` as const
  const [version, key] = raiden.selfTest(receiver, { chainId: 1, address: token })
  const answer = (text: string): Hex =>
    `0x${'20'.padStart(64, '0')}${text.length.toString(16).padStart(64, '0')}${Buffer.from(text).toString('hex').padEnd(64, '0')}`
  expect(['0.2.0', '0.2', '0.20.0', '0.1.0', '1.0.2'].map((text) => version!.passes(answer(text)))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  expect(key!.call.data.slice(0, 10)).toBe(toFunctionSelector('getKey(address,address,uint32)'))
  expect(version!.call.data).toBe(encodeFunctionData({ abi, functionName: 'version' }))
})
