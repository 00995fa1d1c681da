import { describe, expect, it } from 'vitest'
import type { Channel } from '../channel/channel.ts'
import { channelOf } from '../../test/support/store-fixtures.ts'
import { sealed, sealedJson } from './sealed.ts'

describe('sealed', () => {
  it('is the same object when nothing was changed', () => {
    const channel = sealed(channelOf(1).key, channelOf(1), undefined)
    expect(sealed(channel.key, channel, channel)).toBe(channel)
  })

  it('does not copy terms again that it has sealed', () => {
    const channel = sealed(channelOf(1).key, channelOf(1, { terms: { salt: '0x01' } }), undefined)
    expect(sealed(channel.key, { ...channel, charged: 1n }, channel).terms).toBe(channel.terms)
  })

  it('leaves out an optional member that is undefined', () => {
    const channel = { ...channelOf(1), voucher: undefined, withdrawableAt: undefined } as unknown as Channel
    expect(Object.keys(sealed(channel.key, channel, undefined))).not.toContain('voucher')
    expect(Object.keys(sealed(channel.key, channel, undefined))).not.toContain('withdrawableAt')
  })

  it('freezes all of it', () => {
    const channel = sealed(
      channelOf(1).key,
      channelOf(1, {
        terms: { a: [{}] },
        voucher: { cumulativeAmount: 1n, signature: '0x' },
        withdrawableAt: { block: 1n },
      }),
      undefined,
    )
    const terms = channel.terms as { a: [object] }
    for (const part of [channel, terms, terms.a, terms.a[0], channel.voucher, channel.withdrawableAt]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it.each([Number.NaN, 1.5, 2 ** 53])('refuses the chain id %d', (chainId) => {
    expect(() => sealed(channelOf(1).key, channelOf(1, { chainId }), undefined)).toThrow('chainId')
  })
})

describe('sealedJson', () => {
  it.each([
    [{ salt: 7n }, 'terms.salt is a bigint'],
    [{ list: [1, { at: new Date(0) }] }, 'terms.list[1].at is a Date'],
    [{ bytes: new Uint8Array(1) }, 'terms.bytes is a Uint8Array'],
    [{ names: new Map() }, 'terms.names is a Map'],
    [{ rate: Number.NaN }, 'terms.rate is a number'],
    [() => 1, 'terms is a function'],
    [Symbol('a'), 'terms is a symbol'],
  ])('refuses %o and names the member', (value, message) => {
    expect(() => sealedJson(value, 'terms')).toThrow(message)
  })

  it('keeps a member that is named like the prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true}}')
    expect(JSON.stringify(sealedJson(value, 'terms'))).toBe('{"__proto__":{"polluted":true}}')
  })

  it('gives what JSON would give back', () => {
    const value = { zero: -0, gap: [undefined, 1], nothing: undefined, none: null, yes: true }
    expect(sealedJson(value, 'terms')).toStrictEqual(JSON.parse(JSON.stringify(value)))
  })
})
