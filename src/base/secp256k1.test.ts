import { readFileSync } from 'node:fs'
import type { Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { hexToBytes } from './encode.ts'
import { engines } from './engine.ts'
import { addressOfKey, engineName, recoverAddress, sign } from './secp256k1.ts'

type Vector = { cumulativeAmount: string; digest: Hex; signature: Hex; malleatedHighS_mustReject: Hex }
type Vectors = { inputs: { payerKey: Hex; payer: string }; vouchers: Vector[] }
const vectors = JSON.parse(readFileSync('test/vectors/payment.json', 'utf8')) as Vectors

const found = await engines()

it('finds the native, the WebAssembly and the JavaScript engine, and takes the first', () => {
  expect(found.map(({ name }) => name)).toEqual(['native', 'wasm', 'javascript'])
  expect(engineName).toBe('native')
})

describe.each(found)('$name', (engine) => {
  const { payerKey, payer } = vectors.inputs
  const digest = hexToBytes(vectors.vouchers[1]!.digest)
  const good = vectors.vouchers[1]!.signature

  it.each(vectors.vouchers)('signs and recovers the voucher over $cumulativeAmount byte for byte', (vector) => {
    const bytes = hexToBytes(vector.digest)
    expect(sign(bytes, payerKey, engine)).toBe(vector.signature)
    expect(recoverAddress(bytes, vector.signature, engine)).toBe(payer.toLowerCase())
    expect(recoverAddress(bytes, vector.malleatedHighS_mustReject, engine)).toBeUndefined()
  })

  it.each([
    ['v 0', `${good.slice(0, 130)}00`],
    ['v 1', `${good.slice(0, 130)}01`],
    ['v 29', `${good.slice(0, 130)}1d`],
    ['64 bytes', good.slice(0, 130)],
    ['66 bytes', `${good}00`],
    ['nothing', '0x'],
    ['r of zero', `0x${'00'.repeat(32)}${good.slice(66)}`],
    ['s of zero', `${good.slice(0, 66)}${'00'.repeat(32)}1c`],
    ['r of the order', `0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141${good.slice(66)}`],
    ['r of all ones', `0x${'ff'.repeat(32)}${good.slice(66)}`],
  ])('recovers nothing from a signature with %s', (_what, signature) => {
    expect(recoverAddress(digest, signature as Hex, engine)).toBeUndefined()
  })

  it('recovers somebody else when a bit of the digest is flipped', () => {
    const other = digest.slice()
    other[0] = (other[0] ?? 0) ^ 1
    expect(recoverAddress(other, good, engine)).not.toBe(payer.toLowerCase())
  })

  it('knows the address of a key, and no address for a key of zero', () => {
    expect(addressOfKey(payerKey, engine)).toBe(payer.toLowerCase())
    expect(() => addressOfKey(`0x${'00'.repeat(32)}`, engine)).toThrow()
  })
})
