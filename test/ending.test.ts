/** How money leaves a channel: settled, closed together, or claimed back by a sender that leaves. */
import { describe, expect, it } from 'vitest'
import type { Receiver } from '../src/receiver/receiver.ts'
import {
  type Buyer,
  type Shop,
  escrowCall,
  newBuyer,
  newReceiver,
  openMarket,
  openShop,
  rpc,
  tokensOf,
  until,
} from './support/market.ts'
import { challengeOf, receiptOf } from './support/wire.ts'

const { world, receiver, shop } = await openMarket()

/** A buyer who has bought `count` things at 5 from the shop. */
async function customer(of: Receiver, at: Shop, count: number, deposit = 1_000n): Promise<Buyer> {
  const buyer = await newBuyer(world, of, deposit)
  for (let i = 1; i <= count; i += 1) expect((await buyer.pay(`${at.url}/x`, BigInt(i) * 5n)).status).toBe(200)
  return buyer
}

describe('settling', () => {
  it('takes what was authorized, in one transaction for all channels, and leaves them open', async () => {
    const here = await newReceiver(world)
    const stall = await openShop(here)
    const buyers = [await customer(here, stall, 1), await customer(here, stall, 2), await customer(here, stall, 3)]
    const settlements = await here.settle()
    expect(settlements.map(({ amount }) => amount).sort()).toEqual([10n, 15n, 5n])
    expect(new Set(settlements.map(({ transaction }) => transaction)).size).toBe(1)
    expect(await tokensOf(world, here.address)).toBe(30n)
    await until(async () => (await buyers[2]!.known())?.settled === 15n)
    expect((await buyers[2]!.pay(`${stall.url}/x`, 20n)).status).toBe(200)
    expect(await here.settle()).toMatchObject([{ amount: 5n, ok: true }])
    expect(await here.settle()).toEqual([])
    await stall.close()
    await here.stop()
  })

  it('names a voucher that the escrow does not honour and settles the others (peer mistake 2)', async () => {
    const here = await newReceiver(world)
    const stall = await openShop(here)
    const good = await customer(here, stall, 1)
    const bad = await customer(here, stall, 1)
    const stored = await bad.known()
    const broken = { cumulativeAmount: 5n, signature: `0x${'11'.repeat(64)}1b` } as const
    await here.store.update(stored!.key, (now) => ({ ...now!, voucher: broken }))
    const settlements = await here.settle()
    expect(settlements.find(({ channel }) => channel.endsWith(good.id))).toMatchObject({ ok: true, amount: 5n })
    expect(settlements.find(({ channel }) => channel.endsWith(bad.id))).toMatchObject({ ok: false, amount: 0n })
    expect(await tokensOf(world, here.address)).toBe(5n)
    await stall.close()
    await here.stop()
  })

  it.each([
    ['an amount', { amount: 10n }, 2],
    ['an age', { ageMs: 1 }, 1],
  ])('happens by itself at %s', async (_what, settle, purchases) => {
    const here = await newReceiver(world, { settle })
    const stall = await openShop(here)
    await customer(here, stall, purchases)
    await until(async () => (await tokensOf(world, here.address)) === BigInt(purchases) * 5n)
    await stall.close()
    await here.stop()
  })
})

describe('closing together', () => {
  const close = async (buyer: Buyer, amount: bigint, change = {}) =>
    buyer.pay(`${shop.url}/x`, amount, {
      change: { action: 'close', ...change },
      init: { method: 'POST' },
      challenge: challengeOf(await fetch(`${shop.url}/x`)),
    })

  it('pays the receiver what it charged and the sender the rest, at once', async () => {
    const buyer = await customer(receiver, shop, 3)
    // Authorized is more than was charged: the difference is the sender's.
    await buyer.pay(`${shop.url}/x`, 100n, { init: { method: 'HEAD' } })
    const [mine, theirs] = [await tokensOf(world, buyer.account.address), await tokensOf(world, receiver.address)]
    const response = await close(buyer, 100n)
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect(receiptOf(response).txHash).toMatch(/^0x[0-9a-f]{64}$/)
    expect((await tokensOf(world, receiver.address)) - theirs).toBe(15n)
    expect((await tokensOf(world, buyer.account.address)) - mine).toBe(985n)
  })

  it('leaves a channel that says it is closed (peer mistake 8)', async () => {
    const buyer = await customer(receiver, shop, 1)
    await close(buyer, 5n)
    const closing = await buyer.pay(`${shop.url}/x`, 10n)
    expect([closing.status, await closing.json()]).toMatchObject([410, { code: 'channel-not-open' }])
    await until(async () => (await buyer.known())?.status === 'closed')
    const closed = await buyer.pay(`${shop.url}/x`, 10n)
    expect([closed.status, await closed.json()]).toMatchObject([410, { code: 'channel-not-open', state: 'closed' }])
  })

  it('is refused for less than was charged, and for the word of a stranger (peer mistake 3)', async () => {
    const buyer = await customer(receiver, shop, 2)
    const less = await close(buyer, 5n)
    expect([less.status, await less.json()]).toMatchObject([402, { code: 'underpaid', least: '10' }])
    const stranger = await close(buyer, 10n, { signature: await buyer.sign(10n, `0x${'12'.repeat(32)}`) })
    expect([stranger.status, await stranger.json()]).toMatchObject([402, { code: 'invalid-signature' }])
    await receiver.settle()
    await until(async () => (await buyer.known())?.settled === 10n)
    const settled = await close(buyer, 10n, { signature: `0x${'00'.repeat(65)}` })
    expect(settled.status).toBe(402)
    expect(await buyer.known()).toMatchObject({ status: 'open' })
  })

  it('is not served by a receiver without a key, which says so', async () => {
    const keyless = await newReceiver(world, { address: world.accounts[7]!.address })
    const stall = await openShop(keyless)
    const buyer = await newBuyer(world, keyless)
    await buyer.pay(`${stall.url}/x`, 5n)
    const response = await buyer.pay(`${stall.url}/x`, 5n, { change: { action: 'close' } })
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'payment-unsupported' }])
    await expect(keyless.settle()).rejects.toThrow('has no key')
    await stall.close()
    await keyless.stop()
  })
})

describe('a sender that leaves alone', () => {
  it('gets no more credit, and its request is answered on chain with what was charged (peer mistake 4)', async () => {
    const buyer = await customer(receiver, shop, 2)
    await buyer.pay(`${shop.url}/x`, 500n, { init: { method: 'HEAD' } })
    const [mine, theirs] = [await tokensOf(world, buyer.account.address), await tokensOf(world, receiver.address)]
    await buyer.wallet.send(escrowCall(world, 'requestClose', buyer.id))
    await until(async () => (await buyer.known())?.status !== 'open')
    const late = await buyer.pay(`${shop.url}/x`, 505n)
    expect([late.status, await late.json()]).toMatchObject([410, { code: 'channel-not-open' }])
    await until(async () => (await buyer.known())?.status === 'closed')
    expect((await tokensOf(world, receiver.address)) - theirs).toBe(10n)
    expect((await tokensOf(world, buyer.account.address)) - mine).toBe(990n)
  })

  it('is answered by a receiver that was down meanwhile, before it sells again', async () => {
    const account = world.accounts[8]!
    const first = await newReceiver(world, { wallet: world.wallet(account) })
    const stall = await openShop(first)
    const buyer = await customer(first, stall, 2)
    await stall.close()
    await first.stop()
    await buyer.wallet.send(escrowCall(world, 'requestClose', buyer.id))
    const second = await newReceiver(world, { wallet: world.wallet(account), store: first.store })
    await until(async () => (await buyer.known())?.status === 'closed')
    expect(await buyer.known()).toMatchObject({ settled: 10n })
    await second.stop()
  })

  it('that owes nothing takes everything back after the challenge period', async () => {
    const buyer = await newBuyer(world, receiver)
    const before = await tokensOf(world, buyer.account.address)
    await buyer.wallet.send(escrowCall(world, 'requestClose', buyer.id))
    await expect(buyer.wallet.send(escrowCall(world, 'withdraw', buyer.id))).rejects.toThrow()
    await rpc(world, 'evm_increaseTime', 901)
    await rpc(world, 'evm_mine')
    await buyer.wallet.send(escrowCall(world, 'withdraw', buyer.id))
    expect((await tokensOf(world, buyer.account.address)) - before).toBe(1_000n)
    await until(async () => (await buyer.known())?.status === 'closed')
  })
})
