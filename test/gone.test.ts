/** Channels that end while their receiver is down, on each rail: it finds them ended, and lets them be. */
import { afterAll, describe, expect, it } from 'vitest'
import { createChain } from '../src/chain/rpc.ts'
import type { ReceiverConfig } from '../src/receiver/receiver.ts'
import { newAccount, newReceiver, openShop, rpc, startWorld, tokensOf, until, walletOf } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

describe.each(railKits)('a channel of the rail $name', ({ rail, openBuyer }) => {
  it.each([1, 100_000])(
    'whose sender asked to close and is gone is closed, with nothing sent, reading %i blocks at once',
    async (logRange) => {
      const key = await newAccount(world, 0n)
      const told: string[] = []
      const chain = createChain({ rpc: world.anvil.url, confirmations: 1, pollMs: 10, logRange })
      const config: Partial<ReceiverConfig> = {
        wallet: walletOf(world, key),
        rails: [rail(world)],
        chain,
        log: (_level, event) => void told.push(event),
      }
      const first = await newReceiver(world, config)
      const stall = await openShop(first)
      const buyer = await openBuyer(world, first)
      expect((await buyer.pay(`${stall.url}/x`, 5n)).status).toBe(200)
      await stall.close()
      await first.stop()
      const held = await tokensOf(world, buyer.sender)
      await buyer.requestClose()
      await buyer.withdraw()
      expect((await tokensOf(world, buyer.sender)) - held).toBe(1_000n)

      const second = await newReceiver(world, { ...config, store: first.store })
      expect(await buyer.known()).toMatchObject({ status: 'closed', charged: 5n, settled: 0n })
      const reopened = await openShop(second)
      const late = await buyer.pay(`${reopened.url}/x`, 10n)
      expect([late.status < 500, late.ok]).toEqual([true, false])
      expect(await second.settle()).toEqual([])
      await expect(second.close((await buyer.known())!.key)).rejects.toMatchObject({ code: 'channel-not-open' })
      // Somebody else leaves and is answered, so there was time to answer this one, too.
      const other = await openBuyer(world, second)
      expect((await other.pay(`${reopened.url}/x`, 5n)).status).toBe(200)
      await other.requestClose()
      await until(async () => (await other.known())?.status === 'closed')
      expect(Number(await rpc(world, 'eth_getTransactionCount', key.address, 'latest'))).toBe(1)
      const alarms = told.filter((event) => event !== 'close-answered' && event !== 'alarm-cleared')
      expect(alarms).toEqual(['payment-lost', 'close-requested'])
      await reopened.close()
      await second.stop()
    },
  )
})
