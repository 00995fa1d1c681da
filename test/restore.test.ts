/** A receiver whose store was put back from a backup: what it has forgotten is not sold a second time. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { LocalChain } from '../src/cli/local-chain.ts'
import type { ReceiverConfig } from '../src/receiver/receiver.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { newAccount, newReceiver, openShop, startWorld, walletOf } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

let world: LocalChain
beforeAll(async () => void (world = await startWorld()))
afterAll(() => world.anvil.stop())

describe.each(railKits)('$name: a store from a backup', (kit) => {
  /** A receiver that can be stopped, put back to an older state, and started again. */
  async function openPlace() {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-restore-'))
    const path = join(folder, 'channels.db')
    const wallet = walletOf(world, await newAccount(world))
    const told: string[] = []
    const start = async (config: Partial<ReceiverConfig> = {}) => {
      const store = sqlite(path)
      const log = (_level: string, event: string) => void told.push(event)
      const receiver = await newReceiver(world, { store, wallet, rails: [kit.rail(world)], log, ...config })
      const shop = await openShop(receiver)
      const stop = async () => {
        await shop.close()
        await receiver.stop()
        await store.close()
      }
      return { store, receiver, shop, stop }
    }
    onTestFinished(() => rmSync(folder, { recursive: true }))
    return {
      told,
      start,
      backUp: () => copyFileSync(path, `${path}.kept`),
      putBack: () => copyFileSync(`${path}.kept`, path),
      loseMark: () => rmSync(`${path}-mark`),
    }
  }

  /** Two purchases before the backup, two after it; then the backup is put back. */
  async function openRestored(config?: Partial<ReceiverConfig>, { unnoticed = false } = {}) {
    const place = await openPlace()
    let here = await place.start()
    const buyer = await kit.openBuyer(world, here.receiver)
    const buy = (amount: bigint, options?: Parameters<typeof buyer.pay>[2]) =>
      buyer.pay(`${here.shop.url}/x`, amount, options)
    await buy(5n)
    await buy(10n)
    const { key } = (await buyer.known())!
    await here.stop()
    place.backUp()
    here = await place.start()
    await buy(15n)
    expect((await buy(20n, { key: 'posted', init: { method: 'POST', body: 'x' } })).status).toBe(200)
    await here.stop()
    place.putBack()
    if (unnoticed) place.loseMark()
    here = await place.start(config)
    onTestFinished(() => here.stop())
    return { place, buy, shop: here.shop, known: () => here.store.get(key) }
  }

  it('is noticed, and said once', async () => {
    const { place } = await openRestored()
    expect(place.told.filter((event) => event === 'store-restored')).toHaveLength(1)
  })

  it('is brought up to date by the next voucher', async () => {
    const { buy, known, place } = await openRestored()
    expect(await known()).toMatchObject({ charged: 10n })
    expect((await buy(25n)).status).toBe(200)
    expect(await known()).toMatchObject({ charged: 25n, voucher: { cumulativeAmount: 25n } })
    expect(place.told).toContain('channel-caught-up')
    expect((await buy(25n)).status).toBe(402)
    expect((await buy(30n)).status).toBe(200)
    expect(await known()).toMatchObject({ charged: 30n })
  })

  it('does not run an unsafe request again that it has forgotten', async () => {
    const { buy, shop, known } = await openRestored()
    const again = await buy(20n, { key: 'posted', init: { method: 'POST', body: 'x' } })
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'request-interrupted' }])
    expect(shop.calls).toHaveLength(0)
    expect((await buy(25n, { key: 'new', init: { method: 'POST', body: 'y' } })).status).toBe(200)
    expect(await known()).toMatchObject({ charged: 20n })
  })

  it('gives no credit for what was served, however the vouchers come', async () => {
    const { buy, known } = await openRestored()
    expect((await buy(10n)).status).toBe(402)
    expect((await buy(20n)).status).toBe(200)
    expect((await buy(20n)).status).toBe(402)
    expect(await known()).toMatchObject({ charged: 20n })
  })

  it('that nothing tells of is one when the operator says so', async () => {
    const unnoticed = await openRestored({}, { unnoticed: true })
    expect(unnoticed.place.told).not.toContain('store-restored')
    const { place, buy, known } = await openRestored({ restored: true }, { unnoticed: true })
    expect(place.told).toContain('store-restored')
    await buy(25n)
    expect(await known()).toMatchObject({ charged: 25n })
  })
})
