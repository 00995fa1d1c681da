/** Who signs vouchers: by default a key that is made from the account, and can be made again from nothing else. */
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import type { Channel } from '../src/channel/channel.ts'
import { createClient, type Client, type ClientConfig } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { newAccount, openMarket, until } from './support/market.ts'

const { world, receiver, shop } = await openMarket()

type Account = Awaited<ReturnType<typeof newAccount>>

async function newClient({ privateKey }: Account, config: Partial<ClientConfig> = {}): Promise<Client> {
  return createClient({
    account: privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
    deposit: () => 500n,
    escrows: [world.escrow],
    tokens: [world.token],
    ...config,
  })
}

async function all(client: Client): Promise<Channel[]> {
  const channels: Channel[] = []
  for await (const channel of client.channels()) channels.push(channel)
  return channels
}

const visit = async (client: Client) => (await client.session().get(`${shop.url}/x`)).status

describe('vouchers', () => {
  it('are signed by a key of their own, which is the same again when everything but the account is lost', async () => {
    const account = await newAccount(world)
    const client = await newClient(account)
    expect(await visit(client)).toBe(200)
    const [first] = await all(client)
    expect(first).toMatchObject({ sender: account.address.toLowerCase(), charged: 5n })
    expect(first!.signer).not.toBe(first!.sender)

    const again = await newClient(account)
    expect([await visit(again), await visit(again)]).toEqual([200, 200])
    expect(await all(again)).toMatchObject([{ key: first!.key, signer: first!.signer, deposit: 500n }])
  })

  it('are of another key for another account', async () => {
    const clients = await Promise.all([newAccount(world), newAccount(world)].map(async (one) => newClient(await one)))
    for (const client of clients) await visit(client)
    const [one, other] = await Promise.all(clients.map(async (client) => (await all(client))[0]!.signer))
    expect(one).not.toBe(other)
  })

  it('go on being signed by the account on the channels that it opened so', async () => {
    const account = await newAccount(world)
    const store = memory()
    expect(await visit(await newClient(account, { store, signer: 'account' }))).toBe(200)
    const client = await newClient(account, { store })
    expect(await visit(client)).toBe(200)
    expect(await all(client)).toMatchObject([{ signer: account.address.toLowerCase(), charged: 10n }])
  })

  it('are signed by the account where it could not make the same key again', async () => {
    const account = await newAccount(world)
    const local = privateKeyToAccount(account.privateKey)
    let count = 0
    const wavering: typeof local = {
      ...local,
      // As a key in a vault that adds chance to each signature.
      signTypedData: async (message) =>
        message.primaryType === 'SessionKey'
          ? `0x${(count += 1).toString(16).padStart(130, '0')}`
          : local.signTypedData(message),
    }
    const client = await newClient(account, { account: wavering })
    expect(await visit(client)).toBe(200)
    expect(await all(client)).toMatchObject([{ signer: account.address.toLowerCase() }])
  })

  it('close together and alone, whoever signed them', async () => {
    const account = await newAccount(world)
    const client = await newClient(account)
    await visit(client)
    const [first] = await all(client)
    const closed = await (await client.channel(first!.key)).close()
    expect(closed).toMatchObject({ settled: 5n, refunded: 495n })
    await visit(client)
    const second = (await all(client)).find(({ key }) => key !== first!.key)!
    await (await client.channel(second.key)).requestClose()
    expect(await (await client.channel(second.key)).state()).toMatchObject({ status: 'closing', settled: 5n })
  })

  it('cost an open some 22,000 units of gas more than the account’s own', async () => {
    const gasOf = async (config: Partial<ClientConfig>) => {
      let transaction: string | undefined
      const onProgress: ClientConfig['onProgress'] = (progress) => {
        if (progress.step === 'sent') transaction = progress.transaction
      }
      const client = await newClient(await newAccount(world), { ...config, onProgress })
      await visit(client)
      return (await world.chain.mined(transaction as `0x${string}`))!.gasUsed
    }
    const more = (await gasOf({})) - (await gasOf({ signer: 'account' }))
    expect(more).toBeGreaterThan(22_000n)
    expect(more).toBeLessThan(24_000n)
  })
})

it('a receiver settles what a key made so has signed', async () => {
  const client = await newClient(await newAccount(world))
  await visit(client)
  const [{ key }] = (await all(client)) as [Channel]
  await until(async () => (await receiver.store.get(key)) !== undefined)
  expect(await receiver.settle((channel) => channel.key === key)).toMatchObject([{ ok: true, amount: 5n }])
})
