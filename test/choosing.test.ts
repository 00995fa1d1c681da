/** Which of its channels a client pays from, which it tops up, and when it opens another: with one receiver, on each rail. */
import type { IncomingMessage } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { OverBudgetError } from '../src/base/spending.ts'
import type { Offer } from '../src/channel/messages.ts'
import { available, type Channel, type ChannelKey } from '../src/channel/channel.ts'
import { lower } from '../src/base/read.ts'
import { paid } from '../src/adapter/node.ts'
import { payment, raiden, rdn, session } from '../src/rails.ts'
import { createClient, type ClientConfig } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import type { Store } from '../src/store/store.ts'
import { listen, newAccount, newReceiver, rpc, startWorld } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

const spoken = {
  payment: { protocols: [{ dialect: payment(), escrow: session }], escrows: [world.escrow] },
  rdn: { protocols: [{ dialect: rdn(), escrow: raiden }], escrows: [world.raiden] },
}

describe.each(railKits)('of several channels on the rail $name', ({ name, rail }) => {
  const open = async () => {
    const receiver = await newReceiver(world, { rails: [rail(world)] })
    // The price is in the address: /30 costs 30.
    const price = ({ url = '' }: IncomingMessage) => BigInt(url.slice(1))
    const { url, close } = await listen(paid(receiver, price, (_request, response) => response.end('foo')))
    return { receiver, url, close }
  }
  const market = open()
  afterAll(async () => {
    const { receiver, close } = await market
    await close()
    await receiver.stop()
  })

  /** A client whose every deposit is `most`, so that it opens a channel where a top up would exceed that. */
  const clientOf = (privateKey: `0x${string}`, store: Store, most: bigint, config: Partial<ClientConfig> = {}) =>
    createClient({
      account: privateKey,
      chain: world.chain,
      store,
      budget: { perRequest: 1_000n, deposit: most },
      deposit: () => most,
      tokens: [world.token],
      retryMs: 10,
      ...spoken[name],
      ...config,
    })

  /** Three channels with deposits of 100, of which 40, 10 and 30 are left, in the order in which they were opened. */
  async function withThree() {
    const { url, receiver } = await market
    const { privateKey, address } = await newAccount(world)
    const store = memory()
    const client = await clientOf(privateKey, store, 100n)
    const buy = async (price: bigint, by = client) => {
      expect((await by.session().get(`${url}/${price}`)).status).toBe(200)
    }
    for (const price of [60n, 90n, 70n]) await buy(price)
    const opened: ChannelKey[] = []
    for await (const { key, charged } of client.channels()) opened[[60n, 90n, 70n].indexOf(charged)] = key
    const left = () => Promise.all(opened.map(async (key) => available(await (await client.channel(key)).state())))
    const transactions = async () => Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))
    const offer = (price: bigint): Offer => {
      const [escrow] = spoken[name].escrows
      const [chainId, token] = [world.chainId, lower(world.token)]
      return { price, token, receiver: receiver.address, chainId, escrow: lower(escrow!) }
    }
    return { client, buy, store, privateKey, opened, left, transactions, offer }
  }

  it('pays from the one with least left that covers the price, and makes no transaction', async () => {
    const { client, buy, opened, left, transactions, offer } = await withThree()
    expect([opened.length, await left()]).toEqual([3, [40n, 10n, 30n]])
    const before = await transactions()
    const picked = async (price: bigint) => opened.indexOf((await (await client.channelFor(offer(price))).state()).key)
    expect([await picked(10n), await picked(11n), await picked(30n), await picked(31n)]).toEqual([1, 2, 2, 0])
    await buy(8n)
    expect(await left()).toEqual([40n, 2n, 30n])
    await buy(8n)
    expect(await left()).toEqual([40n, 2n, 22n])
    await buy(35n)
    expect(await left()).toEqual([5n, 2n, 22n])
    expect(await transactions()).toBe(before)
  })

  it('tops up the one with most left when none covers the price, by what is missing or what the policy says', async () => {
    const { store, privateKey, buy, left, opened } = await withThree()
    const sparing = await clientOf(privateKey, store, 1_000n, { topUpDeposit: () => 1n })
    await buy(50n, sparing)
    expect(await left()).toEqual([0n, 10n, 30n])
    const generous = await clientOf(privateKey, store, 1_000n, { topUpDeposit: () => 25n })
    await buy(50n, generous)
    expect(await left()).toEqual([0n, 10n, 5n])
    const { deposit } = await (await generous.channel(opened[2]!)).state()
    expect(deposit).toBe(125n)
  })

  it('opens another where a top up would exceed the budget of a channel, and none for a price above that', async () => {
    const { client, buy, left, opened } = await withThree()
    await buy(99n)
    const all: Channel[] = []
    for await (const channel of client.channels()) all.push(channel)
    expect(all).toHaveLength(4)
    expect(all.find(({ key }) => !opened.includes(key))).toMatchObject({ deposit: 100n, charged: 99n, status: 'open' })
    expect(await left()).toEqual([40n, 10n, 30n])
    await expect(buy(101n)).rejects.toThrow(OverBudgetError)
  })

  it('passes over one that closes, and those of another receiver', async () => {
    const { client, left, opened, offer } = await withThree()
    const stranger = { ...offer(5n), receiver: lower((await newAccount(world, 0n)).address) }
    const elsewhere = await (await client.channelFor(stranger)).state()
    expect(opened).not.toContain(elsewhere.key)
    await (await client.channel(opened[1]!)).requestClose()
    const { key } = await (await client.channelFor(offer(10n))).state()
    expect(key).toBe(opened[2])
    expect(await left()).toEqual([40n, 10n, 30n])
  })
})
