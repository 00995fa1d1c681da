/** The strangers sign what µRaiden 0.2 signed: its vectors, byte for byte. */
import { readFileSync } from 'node:fs'
import {
  keccak256,
  parseSignature,
  serializeSignature,
  slice,
  concatHex,
  type Address,
  type Hash,
  type Hex,
} from 'viem'
import { describe, expect, it } from 'vitest'
import * as signing from '../support/uraiden/signing.ts'

type Vector = Readonly<Record<'senderKey' | 'receiverKey' | 'balanceSig' | 'closingSig', Hex>> &
  Readonly<Record<'sender' | 'receiver' | 'contract', Address>> &
  Readonly<Record<'channelKey' | 'valuesHash' | 'balanceDigest' | 'closingDigest', Hash>> & {
    readonly block: number
    readonly balance: string
  }

const file = new URL('../../test/vectors/uraiden-conversations.json', import.meta.url)
const { schemas, signatures } = JSON.parse(readFileSync(file, 'utf8')) as {
  schemas: { balance: Hash; closing: Hash }
  signatures: Vector[]
}

it('names the values as the contract does', () => {
  expect([signing.BALANCE_SCHEMA, signing.CLOSING_SCHEMA]).toEqual([schemas.balance, schemas.closing])
})

it('has four vectors', () => expect(signatures).toHaveLength(4))

describe.each(signatures)('a balance of $balance on block $block', (vector) => {
  const { sender, receiver, block, contract } = vector
  const balance = BigInt(vector.balance)

  it('is packed, hashed and signed by the sender', async () => {
    const terms = { receiver, block, balance, contract }
    expect(signing.channelKey(sender, receiver, block)).toBe(vector.channelKey)
    expect(signing.valuesHash('Sender balance proof signature', receiver, terms)).toBe(vector.valuesHash)
    expect(signing.balanceDigest(terms)).toBe(vector.balanceDigest)
    expect(await signing.signBalance(vector.senderKey, terms)).toBe(vector.balanceSig)
    expect(await signing.balanceSigner(terms, vector.balanceSig)).toBe(sender)
  })

  it('is agreed to by the receiver', async () => {
    const terms = { sender, block, balance, contract }
    expect(signing.closingDigest(terms)).toBe(vector.closingDigest)
    expect(await signing.signClosing(vector.receiverKey, terms)).toBe(vector.closingSig)
    expect(await signing.closingSigner(terms, vector.closingSig)).toBe(receiver)
  })
})

describe('a signature', () => {
  const vector = signatures[0]!
  const terms = { ...vector, balance: BigInt(vector.balance) }
  const body = slice(vector.balanceSig, 0, 64)
  const v = Number(slice(vector.balanceSig, 64)) - 27
  const withV = (byte: number) => concatHex([body, `0x${byte.toString(16).padStart(2, '0')}`])

  it.each([0, 27, 35])('may count its last byte from %i', async (base) => {
    expect(await signing.balanceSigner(terms, withV(base + v))).toBe(vector.sender)
    expect(await signing.balanceSigner(terms, withV(base + 1 - v))).not.toBe(vector.sender)
  })

  it('may have a high s', async () => {
    const { r, s } = parseSignature(vector.balanceSig)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const high = serializeSignature({ r, s: `0x${(order - BigInt(s)).toString(16).padStart(64, '0')}`, yParity: 1 - v })
    expect(high).not.toBe(vector.balanceSig)
    expect(await signing.balanceSigner(terms, high)).toBe(vector.sender)
  })

  it.each([
    ['short', slice(vector.balanceSig, 0, 64)],
    ['made by nobody', `0x${'ff'.repeat(64)}1b` as Hex],
    ['counted from 29', withV(29)],
    ['a hash', keccak256('0x')],
  ])('that is %s has no signer', async (_name, signature) => {
    await expect(async () => signing.balanceSigner(terms, signature)).rejects.toThrow()
  })
})
