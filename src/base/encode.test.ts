import fc from 'fast-check'
import { expect, it } from 'vitest'
import { base64url, bytesToHex, canonicalJson, hexToBytes, type Json } from './encode.ts'

it('writes canonical JSON: keys by code unit, no space, nothing undefined', () => {
  const value = { b: [1, { z: null, a: true }], a: '€"\n', '\u20ac': 1, A: undefined }
  expect(canonicalJson(value)).toBe('{"a":"€\\"\\n","b":[1,{"a":true,"z":null}],"€":1}')
})

it('loses nothing that JSON can hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

it('writes base64url without padding', () => {
  expect(base64url('a?>~é')).toBe(Buffer.from('a?>~é').toString('base64url'))
})

it('turns bytes into hex and back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(hexToBytes(bytesToHex(bytes))).toEqual(new Uint8Array(bytes))
    }),
  )
})
