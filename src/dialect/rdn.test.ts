import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MalformedPaymentError } from '../base/errors.ts'
import type { Channel } from '../channel/channel.ts'
import type { Offer, Receipt } from '../channel/messages.ts'
import type { HeaderLines } from './dialect.ts'
import { rdn } from './rdn.ts'
import { readProof, writeProof } from './rdn-closing.ts'

const dialect = rdn()
const address = (byte: string) => `0x${byte.repeat(20)}` as const
const signature = `0x${'ab'.repeat(64)}1b` as const
const anyAmount = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
const anyAddress = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as const)

function reader(lines: HeaderLines) {
  const headers = new Headers(lines.map(([name, value]): [string, string] => [name, value]))
  return { get: (name: string) => headers.get(name) }
}

const offer: Offer = { price: 5n, token: address('11'), receiver: address('22'), chainId: 7, escrow: address('33') }

describe('what is written is read again', () => {
  it('an offer: its price and its place', () => {
    fc.assert(
      fc.property(anyAmount, anyAddress, anyAddress, anyAddress, (price, token, receiver, escrow) => {
        const offered = { ...offer, price: price + 1n, token, receiver, escrow }
        if (price === 2n ** 128n - 1n) return
        const { echo, ...read } = dialect.readOffers(reader(dialect.writeOffer(offered)), 7)[0]!
        expect(read).toEqual(offered)
        expect(echo).toEqual({ gatewayPath: '/api/1' })
      }),
    )
  })

  it('a payment: who, from which channel, how much', () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(2 ** 32 - 1), anyAmount, (sender, openBlock, cumulativeAmount) => {
        const payment = { sender, terms: { openBlock }, voucher: { cumulativeAmount, signature } }
        const headers = reader(dialect.writePayment(offer, payment))
        expect(dialect.speaks(headers)).toBe(true)
        expect(dialect.readPayment(headers)).toEqual({ ...payment, escrow: offer.escrow, receiver: offer.receiver })
      }),
    )
  })

  it('a receipt: what it cost, and what is charged', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, anyAmount, (price, charged, credit) => {
        const authorized = charged + credit
        const receipt = { ...offer, sender: address('44'), price, charged, authorized } as unknown as Receipt
        expect(dialect.readReceipt(reader(dialect.writeReceipt(receipt)))).toEqual({ price, charged, authorized })
      }),
    )
  })

  it('a proof', () => {
    const proof = { validUntil: 1_800_000_000n, signature }
    expect(readProof(writeProof(proof))).toEqual(proof)
  })
})

describe('a refusal', () => {
  const details = { sender: address('44'), authorized: '12', charged: '10', got: '13', signature }
  it.each([
    ['channel-not-found', {}, 'RDN-Nonexisting-Channel'],
    ['channel-not-open', {}, 'RDN-Nonexisting-Channel'],
    ['channel-pending', {}, 'RDN-Insufficient-Confirmations'],
    ['invalid-signature', {}, 'RDN-Invalid-Balance-Proof'],
    ['underpaid', details, 'RDN-Invalid-Amount'],
    ['overpaid', {}, undefined],
    ['deposit-exceeded', details, undefined],
    ['wrong-channel', {}, undefined],
    ['payment-required', {}, undefined],
  ] as const)('%s has its own flag, or none', (code, said, flag) => {
    const lines = dialect.writeRefusal({ code, details: said })
    expect(lines.filter(([, value]) => value === '1').map(([name]) => name)).toEqual(flag ? [flag] : [])
  })

  it('for a wrong amount says what is held, to the unit, and is read again', () => {
    const headers = reader(dialect.writeRefusal({ code: 'underpaid', details }))
    expect(dialect.readRefusal(headers)).toEqual({
      code: 'underpaid',
      details: { authorized: '12', charged: '10', signature },
    })
  })

  it('of the voucher that is held already has no flag', () => {
    const lines = dialect.writeRefusal({ code: 'underpaid', details: { ...details, got: '12' } })
    expect(lines.map(([name]) => name)).not.toContain('RDN-Invalid-Amount')
  })

  it('without a flag, and with amounts, may be about the deposit', () => {
    const headers = reader([['RDN-Sender-Balance', '12']])
    expect(dialect.readRefusal(headers)).toEqual({
      code: 'deposit-exceeded',
      details: { authorized: '12', charged: '12' },
    })
    expect(dialect.readRefusal(reader([]))).toBeUndefined()
  })

  it('by a server that knows no credit means that all was charged', () => {
    const headers = reader([
      ['RDN-Invalid-Amount', '1'],
      ['RDN-Sender-Balance', '12'],
    ])
    expect(dialect.readRefusal(headers)?.details).toEqual({ authorized: '12', charged: '12' })
  })

  it.each(['-1', '1e3', 'x', '', ' 5'])('with a balance of "%s" tells nothing of the charges', (balance) => {
    const get = (name: string) => ({ 'RDN-Invalid-Amount': '1', 'RDN-Sender-Balance': balance })[name]
    expect(dialect.readRefusal({ get })?.details.charged).toBeUndefined()
  })
})

describe('an offer', () => {
  const lines = dialect.writeOffer(offer)
  const without = (name: string) => reader(lines.filter(([known]) => known !== name))
  const changed = (name: string, value: string) =>
    reader(lines.map(([known, old]) => [known, known === name ? value : old]))

  it.each(['RDN-Price', 'RDN-Token-Address', 'RDN-Receiver-Address', 'RDN-Contract-Address'])(
    'without %s is none',
    (name) => expect(dialect.readOffers(without(name), 7)).toEqual([]),
  )
  it.each(['0', '-5', '5.0', '0x5', 'five'])('for "%s" is none', (price) => {
    expect(dialect.readOffers(changed('RDN-Price', price), 7)).toEqual([])
  })
  it('of a server of 2018 wants exact amounts', () => {
    expect(dialect.readOffers(without('RDN-Due'), 7)).toMatchObject([{ exact: true }])
  })
  it.each(['//evil.example', 'https://evil.example', '/a/../b', '/api 1', '/api/1?x', '\\evil'])(
    'never leads to another server: %s',
    (path) => {
      expect(dialect.readOffers(changed('RDN-Gateway-Path', path), 7)).toMatchObject([
        { echo: { gatewayPath: '/api/1' } },
      ])
    },
  )
  it('is made only for a path', () => expect(() => rdn({ gatewayPath: '//evil' })).toThrow('gatewayPath'))
})

describe('a payment', () => {
  const payment = { sender: address('44'), terms: { openBlock: 9 }, voucher: { cumulativeAmount: 5n, signature } }
  const lines = dialect.writePayment(offer, payment)
  const withCookie = (cookie: string, headers: HeaderLines = lines) => reader([...headers, ['Cookie', cookie]])

  it('in cookies counts more than in headers, one by one', () => {
    const read = dialect.readPayment(withCookie('a=b; RDN-Sender-Balance=7; RDN-Open-Block="8"; RDN-Other=1'))
    expect(read).toMatchObject({ terms: { openBlock: 8 }, voucher: { cumulativeAmount: 7n, signature } })
  })

  it('may come in cookies alone', () => {
    const cookie = `RDN-Sender-Address=${address('44')}; RDN-Open-Block=9; RDN-Sender-Balance=5; RDN-Balance-Signature=${signature}`
    expect(dialect.speaks(withCookie(cookie, []))).toBe(true)
    expect(dialect.readPayment(withCookie(cookie, []))).toEqual(payment)
  })

  it('is there only with a signature', () => {
    expect(dialect.speaks(reader([['RDN-Balance', '5']]))).toBe(false)
    expect(dialect.speaks(reader([]))).toBe(false)
  })

  it.each(['00', '01'])('may end its signature with %s for what contracts call 27 and 28', (v) => {
    const short = `${signature.slice(0, 130)}${v}`
    const read = dialect.readPayment(
      reader(lines.map(([name, value]) => [name, name === 'RDN-Balance-Signature' ? short : value])),
    )
    expect(read.voucher?.signature.slice(130)).toBe(v === '00' ? '1b' : '1c')
  })

  it.each([
    ['RDN-Balance', ['1e3', '-5', ' 5x', '5.0', '00105', '9'.repeat(60), `${2n ** 192n}`]],
    ['RDN-Open-Block', ['4294967296', '-1', 'latest', '0x1']],
    ['RDN-Sender-Address', ['0x12', 'me', `0x${'zz'.repeat(20)}`]],
    ['RDN-Balance-Signature', ['please', '0xabc', '0x']],
    ['RDN-Contract-Address', ['x']],
    ['RDN-Receiver-Address', ['x']],
  ])('with a malformed %s is refused by its name', (name, values) => {
    for (const value of values) {
      const headers = reader(lines.map(([known, old]) => [known, known === name ? value : old]))
      expect(() => dialect.readPayment(headers)).toThrow(expect.objectContaining({ details: { field: name } }))
    }
  })

  it('of any bytes at all is read or refused, and never anything else', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (a, b, cookie) => {
        const get = (name: string) =>
          ({ 'RDN-Balance-Signature': a || 'x', 'RDN-Balance': b, cookie: `RDN-Open-Block=${cookie}` })[name]
        try {
          dialect.readPayment({ get })
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedPaymentError)
        }
      }),
    )
  })
})

describe('a close', () => {
  if (dialect.closing === 'by payment') throw new Error('is asked for apart')
  const { closing } = dialect
  const channel = { sender: address('44'), terms: { openBlock: 9 } } as unknown as Channel

  it('is asked for at the REST interface, with a proof', () => {
    const asked = closing.request({ ...offer, echo: { gatewayPath: '/rest' } }, channel, 12n, {
      validUntil: 1n,
      signature,
    })
    expect(asked).toEqual({
      method: 'DELETE',
      path: '/rest/channels/0x4444444444444444444444444444444444444444/9',
      headers: [
        ['Content-Type', 'application/x-www-form-urlencoded'],
        ['RDN-Sender-Proof', `1 ${signature}`],
      ],
      body: 'balance=12',
    })
  })

  it('is consented to in JSON', () => {
    expect(closing.readConsent(JSON.stringify({ close_signature: signature }))).toBe(signature)
    for (const body of ['', '[]', '{}', '{"close_signature":5}', '<html>']) {
      expect(() => closing.readConsent(body)).toThrow(MalformedPaymentError)
    }
  })
})

it.each(['', '1', `1 ${signature} x`, `-1 ${signature}`, `1  ${signature}`])(
  'a proof of "%s" is malformed',
  (header) => {
    expect(() => readProof(header)).toThrow(MalformedPaymentError)
  },
)
