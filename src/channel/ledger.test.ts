import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChannelNotOpenError, OverpaidError, PaymentError, UnderpaidError } from '../base/errors.ts'
import { authorized, available, channelKey, credit, unsettled, type Channel } from './channel.ts'
import { agreeToClose, authorize, charge, creditDue, exactDue, refund } from './ledger.ts'

const address = (digit: string) => `0x${digit.repeat(40)}` as const
const id = `0x${'ab'.repeat(32)}` as const

export function openChannel(change: Partial<Channel> = {}): Channel {
  const common = { id, chainId: 1, escrow: address('e'), sender: address('1'), receiver: address('2') }
  const terms = { token: address('3'), signer: address('1'), terms: {}, status: 'open' as const, block: 1n }
  return {
    key: channelKey(1, address('e'), id),
    ...common,
    ...terms,
    deposit: 100n,
    settled: 0n,
    charged: 0n,
    ...change,
  }
}

const voucher = (cumulativeAmount: bigint) => ({ cumulativeAmount, signature: '0x' as const })

const request = fc.record({
  price: fc.bigInt(1n, 50n),
  offBy: fc.constantFrom(0n, 0n, 0n, -1n, 1n, 40n), // mostly right, so that runs reach the deposit
  handlerFails: fc.boolean(),
})

describe.each([{ due: exactDue }, { due: creditDue }])('$due.name', ({ due }) => {
  it('never delivers more than was authorized, nor authorizes more than the deposit', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 30, size: 'max' }), (requests) => {
        let channel = openChannel({ deposit: 100n })
        for (const { price, offBy, handlerFails } of requests) {
          const before = channel
          try {
            channel = charge(channel, voucher(channel.charged + price + offBy), price, due)
            if (handlerFails) channel = refund(channel, price)
          } catch (error) {
            expect(error).toBeInstanceOf(PaymentError)
          }
          expect(channel.charged).toBeLessThanOrEqual(authorized(channel))
          expect(authorized(channel)).toBeLessThanOrEqual(channel.deposit)
          expect(authorized(channel)).toBeGreaterThanOrEqual(authorized(before))
        }
      }),
    )
  })
})

describe('creditDue', () => {
  it('serves vouchers in any order, each price once, as long as together they cover it', () => {
    const prices = fc.array(fc.bigInt(1n, 9n), { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(prices, fc.infiniteStream(fc.nat()), (all, random) => {
        let sum = 0n
        const requests = all.map((price) => ({ price, amount: (sum += price) }))
        // Any order of equal prices works; of unequal ones the sender's own sums have to cover what came before.
        const equal = requests.map(({ amount }, index) => ({ price: 1n, amount: BigInt(index + 1), far: amount }))
        const shuffled = equal
          .map((item) => ({ item, rank: random.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
        let channel = openChannel()
        for (const { item } of shuffled) channel = charge(channel, voucher(item.amount), item.price, creditDue)
        expect(channel.charged).toBe(BigInt(all.length))
        expect(authorized(channel)).toBe(BigInt(all.length))
      }),
    )
  })
})

describe('charge', () => {
  it.each([
    ['closing', { status: 'closing' as const }, 5n, 'channel-not-open'],
    ['closed', { status: 'closed' as const }, 5n, 'channel-not-open'],
    ['too small a deposit', { deposit: 4n }, 5n, 'deposit-exceeded'],
    ['one short', {}, 4n, 'underpaid'],
    ['credit that is used up', { charged: 5n, voucher: voucher(5n) }, 5n, 'underpaid'],
  ])('refuses %s', (_what, change, amount, code) => {
    expect(() => charge(openChannel(change), voucher(amount), 5n, creditDue)).toThrow(expect.objectContaining({ code }))
  })

  it('by the exact rule refuses one unit too many', () => {
    expect(() => charge(openChannel(), voucher(6n), 5n, exactDue)).toThrow(
      expect.objectContaining({ code: 'overpaid' }),
    )
  })

  it('keeps the larger voucher', () => {
    const channel = openChannel({ voucher: voucher(50n) })
    expect(charge(channel, voucher(20n), 5n, creditDue)).toMatchObject({
      voucher: { cumulativeAmount: 50n },
      charged: 5n,
    })
  })

  it('sells nothing more once a close was agreed, whatever the voucher', () => {
    const channel = agreeToClose(openChannel({ charged: 10n, voucher: voucher(12n) }), 11n)
    expect(channel.closeAgreed).toBe(11n)
    expect(() => charge(channel, voucher(50n), 5n, creditDue)).toThrow(ChannelNotOpenError)
  })

  it.each([
    [9n, UnderpaidError],
    [13n, OverpaidError],
  ])('agrees to no close at %s, which is not between what was charged and what was authorized', (amount, error) => {
    expect(() => agreeToClose(openChannel({ charged: 10n, voucher: voucher(12n) }), amount)).toThrow(error)
  })

  it('agrees again, and not after the chain knows of an end', () => {
    const once = agreeToClose(openChannel({ charged: 10n, voucher: voucher(12n) }), 11n)
    expect(agreeToClose(once, 12n).closeAgreed).toBe(12n)
    expect(() => agreeToClose({ ...once, status: 'closing' }, 12n)).toThrow(ChannelNotOpenError)
  })

  it('tells an underpaying signer what we hold', () => {
    const channel = openChannel({ charged: 10n, voucher: { cumulativeAmount: 12n, signature: '0xaa' } })
    const details = {
      sender: channel.sender,
      least: '15',
      got: '13',
      price: '5',
      charged: '10',
      authorized: '12',
      deposit: '100',
      signature: '0xaa',
    }
    expect(() => charge(channel, voucher(13n), 5n, creditDue)).toThrow(expect.objectContaining({ details }))
  })
})

describe('refund and authorize', () => {
  it('never make a charge negative', () => expect(refund(openChannel({ charged: 3n }), 5n).charged).toBe(0n))
  it('do not replace a voucher by a smaller one, nor by less than was settled', () => {
    expect(authorize(openChannel({ voucher: voucher(9n) }), voucher(8n)).voucher).toEqual(voucher(9n))
    expect(authorize(openChannel({ settled: 9n }), voucher(8n)).voucher).toBeUndefined()
  })
})

it('derives credit, room and what is unsettled', () => {
  const channel = openChannel({ charged: 10n, settled: 5n, voucher: voucher(25n) })
  expect([authorized(channel), credit(channel), available(channel), unsettled(channel)]).toEqual([25n, 15n, 90n, 20n])
})
