/** A watcher in this process: for whom it asks, and what it answers with. `test/faults/watch-server.test.ts` has it beside servers. */
import { afterAll, expect, it } from 'vitest'
import type { ChannelKey } from '../src/channel/channel.ts'
import { createWatcher } from '../src/receiver/watch.ts'
import { createLedgers } from '../src/receiver/watch-ledgers.ts'
import { memory } from '../src/store/memory.ts'
import {
  newAccount,
  newReceiver,
  openShop,
  railOf,
  rpc,
  startWorld,
  tokensOf,
  until,
  walletOf,
} from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const [{ openBuyer }] = railKits as [(typeof railKits)[number]]

it('asks for the vouchers of those alone whose time is over, and takes what was charged', async () => {
  const wallet = walletOf(world, await newAccount(world, 0n))
  const server = await newReceiver(world, { wallet })
  const shop = await openShop(server)
  const [first, second] = [await openBuyer(world, server), await openBuyer(world, server)]
  for (const buyer of [first, second]) expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
  const [one, other] = [(await first.known())!, (await second.known())!]
  await shop.close()
  await server.stop()
  await first.requestClose()
  await rpc(world, 'evm_increaseTime', 240) // of 900
  await second.requestClose()
  const asked: (readonly ChannelKey[])[] = []
  const watcher = createWatcher({
    wallet,
    rails: [railOf(world)],
    store: memory(),
    chain: world.chain,
    vouchers: (keys) => {
      asked.push(keys)
      return Promise.resolve([one, other].filter(({ key }) => keys.includes(key)))
    },
    log: () => undefined,
  })
  await watcher.start()
  await until(async () => (await tokensOf(world, server.address)) === 5n)
  expect(asked).toEqual([[one.key]])
  await rpc(world, 'evm_increaseTime', 240)
  await rpc(world, 'evm_mine')
  await until(async () => (await tokensOf(world, server.address)) === 10n)
  expect(asked).toEqual([[one.key], [other.key]])
  await watcher.stop()
}, 30_000)

it('keeps what it was sent before it knew the channel, whatever comes after it', async () => {
  const server = await newReceiver(world)
  const shop = await openShop(server)
  const buyer = await openBuyer(world, server)
  expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
  const { voucher, ...channel } = (await buyer.known())!
  const { key } = channel
  const store = memory()
  const { take, takeEarly } = createLedgers({ ...server, store })
  await take([{ key, voucher: voucher!, charged: 5n }])
  await store.update(key, () => ({ ...channel, charged: 0n }))
  const forged = { cumulativeAmount: 900n, signature: `0x${'11'.repeat(64)}1b` } as const
  await take([{ key, voucher: forged, charged: 900n }])
  await takeEarly()
  expect(await store.get(key)).toMatchObject({ voucher, charged: 5n })
  expect(server.alarms.standing()).toMatchObject([{ name: 'voucher-refused', subject: key }])
  await shop.close()
  await server.stop()
})

it.each([-0.1, 0.51, Number.NaN])('does not wait for %s of a challenge period', async (after) => {
  const wallet = walletOf(world, await newAccount(world, 0n))
  const config = { wallet, rails: [railOf(world)], store: memory(), chain: world.chain, after }
  expect(() => createWatcher(config)).toThrow('after: must be from 0 to 0.5 of the challenge period')
})
