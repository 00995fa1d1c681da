/** What the rail `payment` adds to the promises of rails.test.ts: its offers, its vouchers, its syntax. */
import { describe, expect, it } from 'vitest'
import { type Buyer, newAccount, newBuyer, newReceiver, openMarket, openShop, walletOf } from './support/market.ts'
import { authorization, challengeOf, encode, receiptOf, requestOf } from './support/wire.ts'

const { world, receiver, shop } = await openMarket()

/** A refused payment leaves no trace: neither in the ledger nor at the handler. */
async function expectRefusal(
  buyer: Buyer,
  send: () => Promise<Response>,
  status: number,
  code: string,
): Promise<Record<string, string>> {
  const before = await buyer.known()
  const calls = shop.calls.length
  const response = await send()
  const problem = (await response.json()) as Record<string, string>
  expect({ status: response.status, code: problem.code }).toEqual({ status, code })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('payment-receipt')).toBeNull()
  expect(await buyer.known()).toEqual(before)
  expect(shop.calls.length).toBe(calls)
  return problem
}

describe('payment: an offer', () => {
  it('tells whoever has not paid what it costs and where to pay', async () => {
    const response = await fetch(`${shop.url}/echofix/foo`)
    expect(response.status).toBe(402)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const challenge = challengeOf(response)
    expect(challenge).toMatchObject({ realm: 'market.test', method: 'evm', intent: 'session' })
    expect(requestOf(challenge)).toMatchObject({ amount: '5', methodDetails: { chainId: 31337 } })
    expect(requestOf(challenge).recipient!.toLowerCase()).toBe(receiver.address)
    const problem = (await response.json()) as Record<string, string>
    expect(problem).toMatchObject({
      type: 'https://paymentauth.org/problems/payment-required',
      status: 402,
      detail: expect.stringContaining('costs 5 base units') as string,
      offers: [{ protocol: 'payment', price: '5', receiver: receiver.address, chainId: 31337 }],
    })
  })

  it('is asked for with HEAD too, without a body', async () => {
    const response = await fetch(`${shop.url}/x`, { method: 'HEAD' })
    expect(response.status).toBe(402)
    expect(challengeOf(response).id).toBeTruthy()
  })

  it('is not needed for OPTIONS, which is free and empty', async () => {
    const response = await fetch(`${shop.url}/x`, { method: 'OPTIONS' })
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 204, body: '' })
  })

  it('made for one resource does not pay for another, dearer or not', async () => {
    const buyer = await newBuyer(world, receiver)
    const challenge = challengeOf(await fetch(`${shop.url}/cheap`))
    const problem = await expectRefusal(
      buyer,
      () => buyer.pay(`${shop.url}/dear`, 5n, { challenge }),
      402,
      'offer-not-found',
    )
    expect(problem.reason).toBe('another resource')
  })

  it.each([
    ['an id of another secret', { id: 'A'.repeat(43) }],
    ['another price', { request: encode({ amount: '1' }) }],
    ['a later expiry', { expires: '2099-01-01T00:00:00Z' }],
    ['another realm', { realm: 'elsewhere.test' }],
    ['another resource', { opaque: encode({ resource: 'GET /dear' }) }],
  ])('that was forged with %s is refused', async (_what, change) => {
    const buyer = await newBuyer(world, receiver)
    const challenge = { ...challengeOf(await fetch(`${shop.url}/x`)), ...change }
    await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 5n, { challenge }), 402, 'offer-not-found')
  })

  it('that has expired is refused, with a fresh one in the answer', async () => {
    const hasty = await newReceiver(world, { limits: { offerMs: 0 } })
    const stall = await openShop(hasty)
    const buyer = await newBuyer(world, hasty)
    const response = await buyer.pay(`${stall.url}/x`, 5n)
    expect(await response.json()).toMatchObject({ code: 'offer-not-found', reason: 'expired' })
    expect(challengeOf(response).id).toBeTruthy()
    await stall.close()
    await hasty.stop()
  })
})

describe('payment: an offer that ends soon', () => {
  it('is followed by a new one in the paid answer, and one with time left is not', async () => {
    const wallet = walletOf(world, await newAccount(world))
    const [brief, lasting] = await Promise.all(
      [60_000, 600_000].map((offerMs) => newReceiver(world, { wallet, limits: { offerMs } })),
    )
    const [early, late] = [await openShop(brief!), await openShop(lasting!)]
    const buyer = await newBuyer(world, lasting!)
    const url = `${late.url}/x`
    const soon = challengeOf(await fetch(`${early.url}/x`))
    const renewed = await buyer.pay(url, 5n, { challenge: soon })
    const challenge = challengeOf(renewed)
    expect(renewed.status).toBe(200)
    expect(Date.parse(challenge.expires!)).toBeGreaterThan(Date.parse(soon.expires!) + 500_000)
    expect({ ...challenge, id: '', expires: '' }).toEqual({ ...soon, id: '', expires: '' })
    const next = await buyer.pay(url, 10n, { challenge })
    expect([next.status, next.headers.get('www-authenticate')]).toEqual([200, null])
    for (const { close } of [early, late]) await close()
    for (const receiver of [brief!, lasting!]) await receiver.stop()
  })
})

describe('payment: a voucher', () => {
  it('pays for the resource and comes back as a receipt', async () => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(`${shop.url}/x`, 5n)
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: 'foo' })
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.get('vary')).toContain('Authorization')
    expect(receiptOf(response)).toMatchObject({
      method: 'evm',
      intent: 'session',
      status: 'success',
      channelId: buyer.id,
      reference: buyer.id,
      authorized: '5',
      charged: '5',
      chainId: 31337,
    })
  })

  it('of a delegated signer is taken from that key and from no other, not even the sender', async () => {
    const delegate = `0x${'33'.repeat(32)}` as const
    const { privateKeyToAddress } = await import('viem/accounts')
    const buyer = await newBuyer(world, receiver, 1_000n, privateKeyToAddress(delegate))
    await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 5n), 402, 'invalid-signature')
    const signature = await buyer.sign(5n, delegate)
    expect((await buyer.pay(`${shop.url}/x`, 5n, { change: { signature } })).status).toBe(200)
  })

  it('that names another sender as its source is refused', async () => {
    const buyer = await newBuyer(world, receiver)
    const challenge = challengeOf(await fetch(`${shop.url}/x`))
    const source = { address: receiver.address, chainId: 31337 }
    const header = authorization(challenge, await buyer.voucher(5n), source)
    await expectRefusal(
      buyer,
      () => fetch(`${shop.url}/x`, { headers: { authorization: header } }),
      402,
      'wrong-channel',
    )
  })

  it('sent with HEAD is kept and charges nothing', async () => {
    const buyer = await newBuyer(world, receiver)
    const response = await buyer.pay(`${shop.url}/x`, 50n, { init: { method: 'HEAD' } })
    expect(response.status).toBe(200)
    expect(receiptOf(response)).toMatchObject({ authorized: '50', charged: '0' })
    expect(await buyer.known()).toMatchObject({ charged: 0n, voucher: { cumulativeAmount: 50n } })
  })
})

describe('payment: what is malformed gets 400 and changes nothing', () => {
  it.each(['1e3', '0x69', '-5', '5.0', ' 5', '٥', '00105', '', '9'.repeat(79), `${2n ** 128n}`, 5, null, true, {}])(
    'a cumulative amount of %j',
    async (cumulativeAmount) => {
      const buyer = await newBuyer(world, receiver)
      const problem = await expectRefusal(
        buyer,
        () => buyer.pay(`${shop.url}/x`, 5n, { change: { cumulativeAmount } }),
        400,
        'malformed-payment',
      )
      expect(problem.field).toBe('payload.cumulativeAmount')
    },
  )

  it.each([
    ['no base64url', 'Payment %%%'],
    ['nothing', 'Payment '],
    ['only the scheme', 'Payment'],
    ['padding', `Payment ${Buffer.from('{}').toString('base64')}=`],
    ['no JSON', `Payment ${encode('{"challenge":')}`],
    ['an array', `Payment ${encode([])}`],
    ['null', `Payment ${encode('null')}`],
    ['bytes that are not UTF-8', `Payment ${Buffer.from([0xff, 0xfe, 0x7b]).toString('base64url')}`],
    ['a byte order mark', `Payment ${encode('\ufeff{}')}`],
    ['a NUL', `Payment ${encode('{"challenge":"\\u0000"}')}`],
    ['200 levels', `Payment ${encode('{"a":'.repeat(200) + '1' + '}'.repeat(200))}`],
    ['two payments', `Payment ${encode({})}, Payment ${encode({})}`],
    ['__proto__', `Payment ${encode('{"__proto__":{"challenge":{}},"payload":{}}')}`],
  ])('an Authorization with %s', async (_what, header) => {
    const response = await fetch(`${shop.url}/x`, { headers: { authorization: header } })
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status: 400,
      body: { code: 'malformed-payment' },
    })
    expect(({} as Record<string, unknown>).challenge).toBeUndefined()
  })

  it.each([
    ['an unknown action', { action: 'steal' }, 'malformed-payment'],
    ['no channel', { channelId: undefined }, 'malformed-payment'],
    ['a short channel id', { channelId: '0x12' }, 'malformed-payment'],
    ['no signature', { signature: undefined }, 'malformed-payment'],
    ['a signature that is no hex', { signature: '0xzz' }, 'malformed-payment'],
    ['a deposit inside', { deposit: {} }, 'payment-unsupported'],
    ['an open by an authorization that is not there', { action: 'open', type: 'authorization' }, 'malformed-payment'],
  ])('a payload with %s', async (_what, change, code) => {
    const buyer = await newBuyer(world, receiver)
    await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 5n, { change }), 400, code)
  })

  it('a method or intent that is not ours, by name', async () => {
    const challenge = { ...challengeOf(await fetch(`${shop.url}/x`)), intent: 'charge' }
    const headers = { authorization: authorization(challenge, {}) }
    const response = await fetch(`${shop.url}/x`, { headers })
    expect(await response.json()).toMatchObject({ code: 'payment-unsupported', status: 400 })
  })
})
