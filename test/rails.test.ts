/** What a paid request promises, on every rail, with real signatures, a real node and real sockets. */
import { afterAll, describe, expect, it } from 'vitest'
import { newReceiver, openShop, rpc, startWorld, tokensOf, until } from './support/market.ts'
import { railKits, type RailBuyer } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

describe.each(railKits)('$name', (kit) => {
  const open = async () => {
    const receiver = await newReceiver(world, { rails: [kit.rail(world)] })
    return { receiver, shop: await openShop(receiver) }
  }
  const market = open()
  afterAll(async () => {
    const { receiver, shop } = await market
    await shop.close()
    await receiver.stop()
  })
  const openBuyer = async (deposit?: bigint) => kit.openBuyer(world, (await market).receiver, deposit)
  const { refusals } = kit.rail(world).dialect

  /** A refused payment leaves no trace: neither in the ledger nor at the handler. */
  async function expectRefusal(buyer: RailBuyer, send: () => Promise<Response>, code: keyof typeof refusals) {
    const { shop } = await market
    const before = await buyer.known()
    const calls = shop.calls.length
    const response = await send()
    const problem = (await response.json()) as Record<string, string>
    expect({ status: response.status, code: problem.code }).toEqual({ status: refusals[code].status, code })
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await buyer.known()).toEqual(before)
    expect(shop.calls.length).toBe(calls)
    return problem
  }

  it('tells whoever has not paid what it costs and where to pay', async () => {
    const { receiver, shop } = await market
    const response = await fetch(`${shop.url}/echofix/foo`)
    expect([response.status, response.headers.get('cache-control')]).toEqual([402, 'no-store'])
    expect(await response.json()).toMatchObject({
      status: 402,
      code: 'payment-required',
      detail: expect.stringContaining('costs 5 base units') as string,
      offers: [{ protocol: kit.name, price: '5', receiver: receiver.address, chainId: 31337 }],
    })
    const head = await fetch(`${shop.url}/x`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([402, ''])
    const options = await fetch(`${shop.url}/x`, { method: 'OPTIONS' })
    expect([options.status, await options.text()]).toEqual([204, ''])
  })

  it('gives the resource for a voucher, to nobody else, and not to a cache', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    const response = await buyer.pay(`${shop.url}/x`, 5n)
    expect([response.status, await response.text()]).toEqual([200, 'foo'])
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    for (const name of kit.rail(world).dialect.requestHeaders) expect(response.headers.get('vary')).toContain(name)
    expect(await buyer.known()).toMatchObject({ charged: 5n, voucher: { cumulativeAmount: 5n } })
  })

  it('charges a voucher once, however many identical requests show it at once', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    const signature = await buyer.sign(5n)
    const calls = shop.calls.length
    const all = await Promise.all(Array.from({ length: 60 }, () => buyer.pay(`${shop.url}/x`, 5n, { signature })))
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 59 }, () => 402)])
    expect(shop.calls.length - calls).toBe(1)
    expect(await buyer.known()).toMatchObject({ charged: 5n })
  })

  it('serves sixteen shuffled requests on one channel, in a row and at once, each charged once (peer mistake 10)', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    const amounts = [80, 5, 75, 10, 70, 15, 65, 20, 60, 25, 55, 30, 50, 35, 45, 40].map(BigInt)
    for (const amount of amounts) expect((await buyer.pay(`${shop.url}/x`, amount)).status).toBe(200)
    expect(await buyer.known()).toMatchObject({ charged: 80n, voucher: { cumulativeAmount: 80n } })
    const parallel = await Promise.all(amounts.map((amount) => buyer.pay(`${shop.url}/x`, amount + 80n)))
    expect(parallel.map(({ status }) => status)).toEqual(amounts.map(() => 200))
    expect(await buyer.known()).toMatchObject({ charged: 160n, voucher: { cumulativeAmount: 160n } })
  })

  it('keeps what a voucher promises beyond the price as credit, for the same voucher too', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    for (const status of [200, 200, 200, 402]) expect((await buyer.pay(`${shop.url}/x`, 15n)).status).toBe(status)
    expect(await buyer.known()).toMatchObject({ charged: 15n, voucher: { cumulativeAmount: 15n } })
  })

  it.each([
    ['equal to the last one', 5n],
    ['lower than the last one', 4n],
    ['one short of the price', 9n],
  ])('refuses a voucher that is %s, and tells its signer what would do', async (_what, amount) => {
    const { shop } = await market
    const buyer = await openBuyer()
    await buyer.pay(`${shop.url}/x`, 5n)
    const problem = await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, amount), 'underpaid')
    expect(problem).toMatchObject({ least: '10', charged: '5', authorized: '5', deposit: '1000' })
    expect(problem.signature).toBe(await buyer.sign(5n))
  })

  it('refuses a voucher above the deposit', async () => {
    const { shop } = await market
    const buyer = await openBuyer(10n)
    const problem = await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 11n), 'deposit-exceeded')
    expect(problem).toMatchObject({ deposit: '10', got: '11' })
    expect((await buyer.pay(`${shop.url}/x`, 10n)).status).toBe(200)
  })

  it.each([
    ['of another key', (buyer: RailBuyer) => buyer.sign(5n, { key: `0x${'11'.repeat(32)}` })],
    ['over another amount', (buyer: RailBuyer) => buyer.sign(6n)],
    ['for another contract', (buyer: RailBuyer) => buyer.sign(5n, { contract: world.token })],
    ['for another channel', (buyer: RailBuyer) => buyer.sign(5n, { otherChannel: true })],
    ['with one bit flipped', async (buyer: RailBuyer) => flipped(await buyer.sign(5n))],
    ['with r and s of zero', () => Promise.resolve(`0x${'00'.repeat(64)}1b` as const)],
    ['of 64 bytes', async (buyer: RailBuyer) => (await buyer.sign(5n)).slice(0, -2) as `0x${string}`],
    ['of 66 bytes', async (buyer: RailBuyer) => `${await buyer.sign(5n)}00` as const],
    ['with a high s', async (buyer: RailBuyer) => mirrored(await buyer.sign(5n))],
  ])('refuses a signature %s', async (_what, forge) => {
    const { shop } = await market
    const buyer = await openBuyer()
    const signature = await forge(buyer)
    const problem = await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 5n, { signature }), 'invalid-signature')
    expect(problem.authorized).toBeUndefined()
  })

  it('does not know a channel to another receiver', async () => {
    const { shop } = await market
    const other = await newReceiver(world, { rails: [kit.rail(world)] })
    const buyer = await kit.openBuyer(world, other)
    const response = await buyer.pay(`${shop.url}/x`, 5n)
    const { code } = (await response.json()) as { code: string }
    expect(['channel-not-found', 'wrong-channel']).toContain(code)
    expect(response.ok).toBe(false)
    await other.stop()
  })

  it('gives back what a handler did not deliver, as credit', async () => {
    const { receiver } = await market
    const buyer = await openBuyer()
    const broken = await openShop(receiver, 5n, (_request, response) => {
      response.statusCode = 500
      response.end()
    })
    expect((await buyer.pay(`${broken.url}/x`, 5n)).status).toBe(500)
    expect(await buyer.known()).toMatchObject({ charged: 0n, voucher: { cumulativeAmount: 5n } })
    await broken.close()
    expect((await buyer.pay(`${(await market).shop.url}/x`, 5n)).status).toBe(200)
  })

  it('charges the same Idempotency-Key once and runs it once', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    const calls = shop.calls.length
    for (const amount of [5n, 5n, 10n]) {
      const response = await buyer.pay(`${shop.url}/x`, amount, { key: 'once' })
      expect([response.status, await response.text()]).toEqual([200, 'foo'])
    }
    expect(shop.calls.length - calls).toBe(1)
    expect(await buyer.known()).toMatchObject({ charged: 5n })
  })

  it('tells nobody but its sender that an Idempotency-Key was used', async () => {
    const { shop } = await market
    const buyer = await openBuyer()
    await buyer.pay(`${shop.url}/x`, 5n, { key: 'mine' })
    const signature = await buyer.sign(10n, { key: `0x${'11'.repeat(32)}` })
    const peek = () => buyer.pay(`${shop.url}/another`, 10n, { key: 'mine', signature })
    await expectRefusal(buyer, peek, 'invalid-signature')
    expect((await buyer.pay(`${shop.url}/another`, 10n, { key: 'mine' })).status).toBe(409)
  })

  it('stops selling when the sender asks to leave, and takes what it earned (peer mistake 4)', async () => {
    const { shop, receiver } = await market
    const buyer = await openBuyer()
    const before = await tokensOf(world, receiver.address)
    await buyer.pay(`${shop.url}/x`, 5n)
    await buyer.requestClose()
    await until(async () => (await buyer.known())?.status === 'closed')
    await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 10n), 'channel-not-open')
    await expectRefusal(buyer, () => buyer.pay(`${shop.url}/x`, 2_000n), 'channel-not-open') // beyond its deposit
    expect((await tokensOf(world, receiver.address)) - before).toBe(5n)
  })

  it('settles what was authorized, and goes on selling on the same channel', async () => {
    const { shop, receiver } = await market
    const buyer = await openBuyer()
    await buyer.pay(`${shop.url}/x`, 5n)
    const { key } = (await buyer.known())!
    expect(await receiver.settle((channel) => channel.key === key)).toMatchObject([{ amount: 5n, ok: true }])
    expect((await buyer.pay(`${shop.url}/x`, 10n)).status).toBe(200)
    await until(async () => (await buyer.known())?.settled === 5n)
    expect(await receiver.settle((channel) => channel.key === key)).toMatchObject([{ amount: 5n, ok: true }])
    await rpc(world, 'anvil_mine', '0x1')
    await until(async () => (await buyer.known())?.settled === 10n)
  })
})

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The other signature that the same r makes. */
function mirrored(signature: `0x${string}`): `0x${string}` {
  const s = (ORDER - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
  return `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}` as `0x${string}`
}

function flipped(signature: `0x${string}`): `0x${string}` {
  const digit = signature[10] === '0' ? '1' : '0'
  return `${signature.slice(0, 10)}${digit}${signature.slice(11)}` as `0x${string}`
}
