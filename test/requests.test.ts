/** One call that buys one thing, `farthing/requests`, on each rail: each function does what its name says, and no more. */
import { afterAll, describe, expect, it } from 'vitest'
import { OverBudgetError } from '../src/base/spending.ts'
import type { Channel } from '../src/channel/channel.ts'
import { payment, raiden, rdn, session } from '../src/rails.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import { createClient } from '../src/sender/index.ts'
import * as requests from '../src/sender/requests.ts'
import { memory } from '../src/store/memory.ts'
import { newAccount, newReceiver, openShop, rpc, startWorld, tokensOf } from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

const spoken = {
  payment: { protocols: [{ dialect: payment(), escrow: session }], escrows: [world.escrow] },
  rdn: { protocols: [{ dialect: rdn(), escrow: raiden }], escrows: [world.raiden] },
}

describe.each(railKits)('one call on the rail $name', ({ name, rail }) => {
  const open = async () => {
    const receiver = await newReceiver(world, { rails: [rail(world)] })
    // Says what it was asked.
    const shop = await openShop(receiver, 5n, async (request, response) => {
      response.setHeader('X-Method', request.method ?? '')
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      response.end(`${request.url} ${Buffer.concat(chunks).toString()}`)
    })
    return { receiver, shop }
  }
  const market = open()
  afterAll(async () => {
    const { receiver, shop } = await market
    await shop.close()
    await receiver.stop()
  })

  async function somebody(): Promise<{ address: string; options: requests.RequestOptions }> {
    const { privateKey: account, address } = await newAccount(world)
    const budget = { perRequest: 5n, deposit: 1_000n }
    const place = { rpc: world.anvil.url, confirmations: 1, tokens: [world.token], ...spoken[name] }
    return { address: address.toLowerCase(), options: { account, budget, retryMs: 10, ...place } }
  }

  async function channelsOf(receiver: Receiver, sender: string): Promise<Channel[]> {
    const found: Channel[] = []
    for await (const channel of receiver.channels()) if (channel.sender === sender) found.push(channel)
    return found
  }

  const transactionsOf = async (address: string) =>
    Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

  it.each(['post', 'put', 'patch', 'delete'] as const)('sends %s with its body, and pays once', async (method) => {
    const { receiver, shop } = await market
    const { address, options } = await somebody()
    const init = { body: 'hello', headers: { 'Content-Type': 'text/plain' } }
    const response = await requests[method](`${shop.url}/things?of=mine`, { ...options, init })
    expect([response.status, await response.text()]).toEqual([200, '/things?of=mine hello'])
    expect(response.headers.get('x-method')).toBe(method.toUpperCase())
    expect(await channelsOf(receiver, address)).toMatchObject([{ charged: 5n, deposit: 500n }])
  })

  it('gets, also by the function that is told the method', async () => {
    const { receiver, shop } = await market
    const { address, options } = await somebody()
    const url = new URL('/x', shop.url)
    expect(await (await requests.get(url, options)).text()).toBe('/x ')
    expect(await (await requests.request('GET', url, options)).text()).toBe('/x ')
    const put = await requests.request('PUT', url, { ...options, init: { body: 'b' } })
    expect([put.headers.get('x-method'), await put.text()]).toEqual(['PUT', '/x b'])
    expect(await channelsOf(receiver, address)).toMatchObject([{ charged: 15n }])
    expect(await transactionsOf(address)).toBe(1)
  })

  it(`head ${name === 'rdn' ? 'buys the headers' : 'leaves a voucher and buys nothing'}`, async () => {
    const { receiver, shop } = await market
    const { address, options } = await somebody()
    const calls = shop.calls.length
    const response = await requests.head(`${shop.url}/x`, options)
    expect([response.status, await response.text()]).toEqual([200, ''])
    const [channel] = await channelsOf(receiver, address)
    expect(channel?.voucher?.cumulativeAmount).toBe(5n)
    const isSold = name === 'rdn'
    expect([channel?.charged, shop.calls.length - calls]).toEqual(isSold ? [5n, 1] : [0n, 0])
    expect(response.headers.get('x-method')).toBe(isSold ? 'HEAD' : null)
  })

  it('asks with options for nothing: no transaction, no signature', async () => {
    const { receiver, shop } = await market
    const { address, options } = await somebody()
    const response = await requests.options(`${shop.url}/x`, options)
    expect([response.status, await response.text()]).toEqual([204, ''])
    expect([await transactionsOf(address), await channelsOf(receiver, address)]).toEqual([0, []])
  })

  it('closes its channel where it is told to, and the account has the rest', async () => {
    const { shop } = await market
    const { address, options } = await somebody()
    const before = await tokensOf(world, address as `0x${string}`)
    const response = await requests.get(`${shop.url}/x`, {
      ...options,
      initialDeposit: () => 50n,
      closeOnExit: true,
    })
    expect(await response.text()).toBe('/x ')
    const client = await createClient({ ...options, chain: world.chain, store: memory() })
    const [channel] = await all(client.channels())
    // The shop of the rail rdn has no REST interface to agree at: there the sender leaves alone.
    expect(channel).toMatchObject({ deposit: 50n, status: name === 'rdn' ? 'closing' : 'closed' })
    const gone = before - (await tokensOf(world, address as `0x${string}`))
    expect(gone).toBe(name === 'rdn' ? 50n : 5n)
  })

  it('keeps to a budget per day over several calls, if it has a store', async () => {
    const { shop } = await market
    const { options } = await somebody()
    const thrifty = { ...options, store: memory(), budget: { ...options.budget, perDay: 9n } }
    expect((await requests.get(`${shop.url}/x`, thrifty)).status).toBe(200)
    await expect(requests.get(`${shop.url}/x`, thrifty)).rejects.toThrow(OverBudgetError)
    await expect(
      requests.get(`${shop.url}/x`, { ...options, budget: { perRequest: 4n, deposit: 1n } }),
    ).rejects.toThrow('perRequest')
  })
})

async function all(channels: AsyncIterable<Channel>): Promise<Channel[]> {
  const found: Channel[] = []
  for await (const channel of channels) found.push(channel)
  return found
}
