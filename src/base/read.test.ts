import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedPaymentError } from './errors.ts'
import * as read from './read.ts'

describe('an amount', () => {
  it('is any whole number below its limit, and comes back as it was', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (amount) => {
        expect(read.uint(`${amount}`, 'x')).toBe(amount)
      }),
    )
  })
  it('is nothing else, whatever string comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^(0|[1-9][0-9]*)$/.test(text))
        expect(() => read.uint(text, 'x')).toThrow(MalformedPaymentError)
      }),
    )
  })
  it.each(['1e3', '0x69', '-5', '+5', '5.0', ' 5', '5\n', '٥', '00105', `${2n ** 128n}`])('%j is refused', (text) => {
    expect(() => read.uint(text, 'x')).toThrow(/^The payment is malformed: x /)
  })
})

describe('an address', () => {
  const checksummed = '0x74b7F16337b8972027F6196A17a631aC6dE26d22'
  it('is taken in any case, with a wrong checksum too, and given in lower', () => {
    const mistyped = '0x74b7F16337b8972027F6196A17a631ac6dE26d22'
    for (const text of [checksummed, mistyped, checksummed.toLowerCase(), `0x${checksummed.slice(2).toUpperCase()}`]) {
      expect(read.address(text, 'x')).toBe(checksummed.toLowerCase())
    }
  })
  it.each([
    ['39 digits', '0x74b7F16337b8972027F6196A17a631aC6dE26d2', 'is not an address'],
    ['no 0x', '74b7F16337b8972027F6196A17a631aC6dE26d22', 'is not an address'],
    ['nothing', undefined, 'is missing'],
    ['a number', 5, 'is not a string'],
  ])('with %s is refused', (_what, value, problem) => {
    expect(() => read.address(value, 'x')).toThrow(problem)
  })
})

describe('JSON', () => {
  it.each(['', '{', 'null', '[]', '"a"', '5', '{"a":1,}'])('%j is no object', (text) => {
    expect(() => read.jsonObject(text, 'x')).toThrow(MalformedPaymentError)
  })
  it('with the same key twice is refused: two readers could see two payments', () => {
    for (const text of ['{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', '{"a":"\\"b\\":1","b":[{"c":1,"c":2}]}']) {
      expect(() => read.jsonObject(text, 'x')).toThrow('has a key twice')
    }
    expect(read.jsonObject('{"a":"\\"a\\":1","b":{"a":[{"a":1},{"a":2}]}}', 'x')).toBeTruthy()
  })
  it('of many levels is refused', () => {
    expect(() => read.jsonObject(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 'x')).toThrow('has too many levels')
  })
  it('never reads a member that is not its own', () => {
    const object = read.jsonObject('{"__proto__":{"evil":1}}', 'x')
    expect(read.member(object, 'evil')).toBeUndefined()
    expect(read.member(object, 'constructor')).toBeUndefined()
  })
})

it('base64url holds UTF-8 text and nothing else', () => {
  expect(read.base64urlText(Buffer.from('é').toString('base64url'), 'x')).toBe('é')
  for (const text of ['', 'a=', 'a+b', '%', '_w'])
    expect(() => read.base64urlText(text, 'x')).toThrow(MalformedPaymentError)
})
