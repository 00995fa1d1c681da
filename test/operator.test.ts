/** A receiver whose own key stays cold: a hot key, its operator, sends for it. */
import { describe, expect, it } from 'vitest'
import { session } from '../src/rails.ts'
import { createReceiver } from '../src/receiver/receiver.ts'
import { memory } from '../src/store/memory.ts'
import {
  escrowCall,
  newAccount,
  newBuyer,
  newReceiver,
  openMarket,
  openShop,
  raidenRail,
  railOf,
  tokensOf,
  until,
  walletOf,
} from './support/market.ts'

const { world } = await openMarket()

/** A cold receiver, and a hot key that it has named in the escrow. */
async function coldAndHot() {
  const cold = await newAccount(world, 0n)
  const hot = walletOf(world, await newAccount(world, 0n))
  const call = session.calls.setOperator(hot.address, railOf(world))
  await walletOf(world, cold).send(call!)
  return { address: cold.address, wallet: hot }
}

describe('the operator of a receiver', () => {
  it('settles one channel, and many in one transaction, for the receiver', async () => {
    const { address, wallet } = await coldAndHot()
    const receiver = await newReceiver(world, { address, wallet })
    const shop = await openShop(receiver)
    const first = await newBuyer(world, receiver)
    expect((await first.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    expect(await receiver.settle()).toMatchObject([{ amount: 5n, ok: true }])
    const second = await newBuyer(world, receiver)
    for (const [buyer, amount] of [
      [first, 10n],
      [second, 5n],
    ] as const)
      expect((await buyer.pay(`${shop.url}/x`, amount)).status).toBe(200)
    await until(async () => (await first.known())?.settled === 5n)
    const both = await receiver.settle()
    expect(both.map(({ amount }) => amount)).toEqual([5n, 5n])
    expect(new Set(both.map(({ transaction }) => transaction)).size).toBe(1)
    expect(await tokensOf(world, address)).toBe(15n)
    expect(await tokensOf(world, wallet.address)).toBe(0n)
    await shop.close()
    await receiver.stop()
  })

  it('closes, and answers a sender that leaves', async () => {
    const receiver = await newReceiver(world, await coldAndHot())
    const shop = await openShop(receiver)
    const [stays, leaves] = [await newBuyer(world, receiver), await newBuyer(world, receiver)]
    for (const buyer of [stays, leaves]) expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    await leaves.wallet.send(escrowCall(world, 'requestClose', leaves.id))
    await until(async () => (await leaves.known())?.status === 'closed')
    await receiver.close((await stays.known())!.key)
    expect(await tokensOf(world, receiver.address)).toBe(10n)
    await shop.close()
    await receiver.stop()
  })

  it.each([
    ['a key that the receiver has not named', railOf(world), /is not the operator of .*farthing operator/],
    ['an escrow that lets nobody act for a receiver', raidenRail(world), /lets nobody act for/],
  ])('is refused at the start: %s', async (_what, rail, message) => {
    const cold = await newAccount(world, 0n)
    const wallet = walletOf(world, await newAccount(world, 0n))
    const receiver = createReceiver({
      address: cold.address,
      wallet,
      chain: world.chain,
      store: memory(),
      rails: [rail],
      log: () => undefined,
    })
    await expect(receiver.start()).rejects.toThrow(message)
    await receiver.stop()
  })
})
