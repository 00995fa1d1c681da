/** A chain that changes its mind: an open, a top up and a settlement that were mined, and then were not. */
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chain } from '../../src/chain/chain.ts'
import { createChain } from '../../src/chain/rpc.ts'
import { createWallet } from '../../src/chain/wallet.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import type { Receiver, ReceiverConfig } from '../../src/receiver/receiver.ts'
import {
  newAccount,
  newReceiver,
  openChannel,
  openShop,
  rpc,
  startWorld,
  tokensOf,
  transferAndCall,
  until,
  type Shop,
} from '../support/market.ts'
import { keyOf } from '../../src/receiver/rail.ts'

let world: LocalChain
let chain: Chain
beforeAll(async () => {
  world = await startWorld()
  chain = createChain({ rpc: world.anvil.url, confirmations: 3, pollMs: 10 })
})
afterAll(() => world.anvil.stop())

const mine = (blocks: number) => rpc(world, 'anvil_mine', `0x${blocks.toString(16)}`)

/** Other blocks in the place of the newest ones, without what was in those. */
async function forget(depth: number): Promise<void> {
  await rpc(world, 'anvil_setCoinbase', `0x${'77'.repeat(20)}`)
  await rpc(world, 'anvil_reorg', depth, [])
}

async function seller(
  config: Partial<ReceiverConfig> = {},
): Promise<{ receiver: Receiver; shop: Shop; end(): Promise<void> }> {
  const account = privateKeyToAccount((await newAccount(world, 0n)).privateKey)
  const wallet = createWallet({ chain, account, stuckMs: 300 })
  const receiver = await newReceiver(world, { chain, wallet, ...config })
  const shop = await openShop(receiver)
  const end = async () => {
    await shop.close()
    await receiver.stop()
  }
  return { receiver, shop, end }
}

/** A channel with 10 base units, deep enough. */
async function customer({ receiver, shop }: { receiver: Receiver; shop: Shop }) {
  const buyer = await openChannel(world, receiver.address, 10n)
  const key = keyOf(receiver.rails[0]!, buyer.id)
  await mine(3)
  await until(async () => (await receiver.store.get(key)) !== undefined)
  const pay = (amount: bigint) => buyer.pay(`${shop.url}/x`, amount)
  return { ...buyer, key, pay }
}

const alarms = (receiver: Receiver) => receiver.alarms.standing().map(({ name, subject }) => [name, subject])

describe('a reorganisation takes back', () => {
  it('an open: nothing was sold on it, nothing is, and its operator hears of it', async () => {
    const here = await seller()
    const { receiver, shop } = here
    const buyer = await openChannel(world, receiver.address, 1_000n)
    const key = keyOf(receiver.rails[0]!, buyer.id)
    await until(() => receiver.live.pending.has(key))
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).not.toBe(200)
    await forget(1)
    await until(() => receiver.live.pending.size === 0)
    await mine(5)
    await until(() => receiver.alarms.standing().length > 0)
    expect(alarms(receiver)).toEqual([['deposit-vanished', key]])
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(410)
    expect(shop.calls).toHaveLength(0)
    expect(await receiver.store.get(key)).toBeUndefined()
    await here.end()
  })

  it('a top up: what was there before still pays, and what vanished does not until it is made again', async () => {
    const here = await seller()
    const { receiver, shop } = here
    const buyer = await customer(here)
    expect((await buyer.pay(10n)).status).toBe(200)
    const add = () => buyer.wallet.send({ to: world.token, data: transferAndCall(world.escrow, 90n, buyer.id) })
    await add()
    await until(() => receiver.live.pending.get(buyer.key)?.deposit === 100n)
    expect((await buyer.pay(15n)).status).not.toBe(200)
    await forget(1)
    await until(() => !receiver.live.pending.has(buyer.key))
    await mine(5)
    expect((await buyer.pay(15n)).status).not.toBe(200)
    expect((await receiver.store.get(buyer.key))?.deposit).toBe(10n)
    expect(shop.calls).toHaveLength(1)

    await add()
    await mine(3)
    await until(async () => (await receiver.store.get(buyer.key))?.deposit === 100n)
    expect((await buyer.pay(15n)).status).toBe(200)
    await until(() => alarms(receiver).length === 0)
    await here.end()
  })

  it('a settlement: it is sent again and made once, while selling goes on', async () => {
    const here = await seller()
    const { receiver } = here
    const buyer = await customer(here)
    expect((await buyer.pay(5n)).status).toBe(200)
    const settled = receiver.settle()
    await until(async () => (await tokensOf(world, receiver.address)) === 5n)
    await forget(1)
    expect(await tokensOf(world, receiver.address)).toBe(0n)
    expect((await buyer.pay(10n)).status).toBe(200)
    await until(async () => (await tokensOf(world, receiver.address)) === 5n)
    await mine(3)
    expect(await settled).toMatchObject([{ ok: true, amount: 5n, channel: buyer.key }])
    await until(async () => (await receiver.store.get(buyer.key))?.settled === 5n)
    expect(await chain.nonce(receiver.address, 'mined')).toBe(1)
    await here.end()
  })
})
