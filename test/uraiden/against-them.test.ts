/**
 * Our sender buys from the server of 2018, as it was and when it lies. What that one answers stands in
 * test/vectors/uraiden-conversations.json and in the code of test/support/uraiden.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { getAddress, type Address, type Hex } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { memory } from '../../src/store/memory.ts'
import { createClient, type Client, type ClientConfig, type SessionOptions } from '../../src/sender/index.ts'
import { newAccount, rpc, startWorld, tokensOf } from '../support/market.ts'
import { startUraidenServer, type UraidenServer } from '../support/uraiden/server.ts'
import type { Seen, ServerOptions } from '../support/uraiden/server-state.ts'
import { balanceSigner, signBalance } from '../support/uraiden/signing.ts'

const world = await startWorld()
const contract = getAddress(world.raiden)
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})
afterAll(() => world.anvil.stop())

const watched = { url: world.anvil.url, pollMs: 10, confirmations: 0 }

async function serve(options: Partial<ServerOptions> = {}, chain = watched): Promise<UraidenServer> {
  const resource = () => ({ kind: 'response', body: 'foo' }) as const
  const key = generatePrivateKey()
  const token = getAddress(world.token)
  const server = await startUraidenServer({ key, contract, token, price: 7n, resource, chain, ...options })
  endings.push(() => server.close())
  return server
}

type Buying = { readonly client: Client; readonly account: { address: Address; privateKey: Hex } }

async function buyer(config: Partial<ClientConfig> = {}, account?: Buying['account']): Promise<Buying> {
  const key = account ?? (await newAccount(world))
  const client = await createClient({
    account: key.privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 700n },
    deposit: () => 70n,
    escrows: [world.escrow, world.raiden],
    tokens: [world.token],
    retryMs: 10,
    ...config,
  })
  return { client, account: key }
}

const lineOf = ({ lines }: Seen, name: string) =>
  lines.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1]
const balances = ({ requests }: UraidenServer) =>
  requests.map((seen) => [lineOf(seen, 'RDN-Balance'), seen.answer?.status])
const transactions = async ({ address }: { address: Address }) =>
  Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

async function channelOf({ client }: Buying) {
  for await (const channel of client.channels()) return channel
  return undefined
}

describe('our sender and the server of 2018', () => {
  it('finds its way from the first visit to the second, with signatures that the original takes', async () => {
    const server = await serve()
    const { client, account } = await buyer()
    const session = client.session()
    for (const path of ['/a', '/b']) {
      const response = await session.get(`${server.url}${path}`)
      expect([response.status, await response.text()]).toEqual([200, 'foo'])
    }
    const paid = server.requests.filter(({ answer }) => answer?.status === 200)
    expect(paid.map((seen) => lineOf(seen, 'RDN-Balance'))).toEqual(['7', '14'])
    const [first] = paid
    const block = Number(lineOf(first!, 'RDN-Open-Block'))
    const terms = { receiver: server.receiver, block, balance: 7n, contract }
    expect(await balanceSigner(terms, lineOf(first!, 'RDN-Balance-Signature') as Hex)).toBe(account.address)
    expect(lineOf(first!, 'RDN-Contract-Address')).toBe(contract)
    expect(lineOf(first!, 'RDN-Receiver-Address')).toBe(server.receiver)
    expect(lineOf(first!, 'RDN-Sender-Address')).toBe(getAddress(account.address))
    expect(await transactions(account)).toBe(1)
  })

  it('knows the price of an address that it has visited, and pays at once', async () => {
    const server = await serve()
    const session = (await buyer()).client.session()
    await session.get(`${server.url}/a`)
    const before = server.requests.length
    await session.get(`${server.url}/a`)
    expect(server.requests.length - before).toBe(1)
  })

  it('pays sixteen requests at once one after the other, because that server knows no credit', async () => {
    const server = await serve()
    const session = (await buyer({ deposit: () => 700n })).client.session()
    await session.get(`${server.url}/a`)
    const answers = await Promise.all(Array.from({ length: 16 }, () => session.get(`${server.url}/a`)))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(server.requests.slice(-16).map(({ answer }) => answer?.status)).toEqual(answers.map(() => 200))
  })

  it('adopts what the server shows with its own signature, when its store was lost', async () => {
    const server = await serve()
    const first = await buyer()
    const session = first.client.session()
    for (const path of ['/a', '/b']) await session.get(`${server.url}${path}`)
    const second = await buyer({}, first.account)
    const before = server.requests.length
    expect((await second.client.session().get(`${server.url}/c`)).status).toBe(200)
    expect(balances(server).slice(before)).toEqual([
      [undefined, 402],
      ['7', 402],
      ['21', 200],
    ])
    expect(await transactions(first.account)).toBe(1)
  })

  it('takes an answer without RDN headers for paid, and an older balance on a paid answer for no loss', async () => {
    for (const kind of ['value', 'response'] as const) {
      const server = await serve({ resource: () => ({ kind, body: 'foo' }) })
      const session = (await buyer()).client.session()
      for (const path of ['/a', '/b', '/c']) expect((await session.get(`${server.url}${path}`)).status).toBe(200)
      expect(balances(server).filter(([, status]) => status === 200)).toEqual([
        ['7', 200],
        ['14', 200],
        ['21', 200],
      ])
    }
  })

  it('tops up, and waits until the server has seen it', async () => {
    const chain = { url: world.anvil.url, pollMs: 300, confirmations: 0 }
    const server = await serve({}, chain)
    const { client, account } = await buyer({ deposit: () => 7n, topUpDeposit: () => 14n })
    const session = client.session()
    for (const path of ['/a', '/b', '/c']) expect((await session.get(`${server.url}${path}`)).status).toBe(200)
    expect(await transactions(account)).toBe(2)
    expect(await channelOf({ client, account })).toMatchObject({ deposit: 21n, charged: 21n })
  })

  it('is not confused by an answer that failed after the payment: the next one starts from what the server holds', async () => {
    let broken = true
    const server = await serve({ resource: () => ({ kind: 'response', body: 'foo', status: broken ? 500 : 200 }) })
    const session = (await buyer()).client.session()
    expect((await session.get(`${server.url}/a`)).status).toBe(500)
    broken = false
    expect((await session.get(`${server.url}/b`)).status).toBe(200)
    expect(lineOf(server.requests.at(-1)!, 'RDN-Balance')).toBe('14')
  })

  it.each(['RDN-Insufficient-Confirmations', 'RDN-Nonexisting-Channel'] as const)(
    'sends the same payment again after %s, and opens no second channel',
    async (flag) => {
      const server = await serve()
      server.lie({ kind: 'flag', flag, times: 6 })
      const { client, account } = await buyer()
      expect((await client.session().get(`${server.url}/a`)).status).toBe(200)
      const paid = server.requests.filter((seen) => lineOf(seen, 'RDN-Balance') !== undefined)
      expect(new Set(paid.map((seen) => lineOf(seen, 'RDN-Balance')))).toEqual(new Set(['7']))
      expect(await transactions(account)).toBe(1)
    },
  )

  it('closes together: both sign, the sender sends, and every token is where it belongs', async () => {
    const server = await serve()
    const { client, account } = await buyer()
    const session = client.session({ closeOnExit: true })
    for (const path of ['/a', '/b']) await session.get(`${server.url}${path}`)
    const before = await tokensOf(world, account.address)
    await session.end()
    expect(await channelOf({ client, account })).toMatchObject({ status: 'closed', settled: 14n })
    expect(await tokensOf(world, server.receiver)).toBe(14n)
    expect(await tokensOf(world, account.address)).toBe(before + 56n)
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', body: 'balance=14' })
  })

  it('that does not consent to a close is left alone, honestly: not at 0', async () => {
    const server = await serve()
    const refused: Error[] = []
    const { client, account } = await buyer()
    const session = client.session({
      closeOnExit: true,
      hooks: { onCloseRefused: (error) => void refused.push(error) },
    })
    await session.get(`${server.url}/a`)
    const { terms } = (await channelOf({ client, account }))!
    const { openBlock } = terms as { openBlock: number }
    server.know({ sender: account.address, block: openBlock, deposit: 70n, balance: 3n })
    await session.end()
    expect(refused).toHaveLength(1)
    expect(await channelOf({ client, account })).toMatchObject({ status: 'closing', closeStated: 7n })
  })
})

describe('our sender and a server that lies', () => {
  it('in its consent to a close: nothing is sent, and the channel stays open', async () => {
    const server = await serve()
    const lying: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (init?.method !== 'DELETE') return response
      return new Response(JSON.stringify({ close_signature: `0x${'11'.repeat(64)}1b` }))
    }
    const { client, account } = await buyer({ fetch: lying })
    await client.session().get(`${server.url}/a`)
    const { key } = (await channelOf({ client, account }))!
    await expect((await client.channel(key)).close()).rejects.toThrow('consent')
    expect(await transactions(account)).toBe(1)
    expect(await channelOf({ client, account })).toMatchObject({ status: 'open' })
  })

  it('about what kind of contract it is paid by: nothing is opened', async () => {
    const server = await serve()
    server.lie({ kind: 'contract', contract: getAddress(world.escrow) })
    const { client, account } = await buyer()
    await expect(client.session().get(`${server.url}/a`)).rejects.toThrow('not of the kind')
    expect(await transactions(account)).toBe(0)
  })

  async function against(lie: Parameters<UraidenServer['lie']>[0], options: SessionOptions = {}) {
    const server = await serve()
    const buying = await buyer()
    const session = buying.client.session(options)
    expect((await session.get(`${server.url}/a`)).status).toBe(200)
    server.lie(lie)
    const before = server.requests.length
    const outcome = await session.get(`${server.url}/b`).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof Error ? error.name : error),
    )
    const paid = server.requests.slice(before).map((seen) => lineOf(seen, 'RDN-Balance'))
    return { server, buying, outcome, paid }
  }

  it('by asking for more and more: a bounded number of requests, one payment, and an error', async () => {
    const { outcome, paid } = await against({ kind: 'greedy' })
    expect(outcome).toBe('PaymentRefusedError')
    expect(new Set(paid.filter(Boolean))).toEqual(new Set(['14']))
    expect(paid.length).toBeLessThan(9)
  })

  it('by calling the last payment an older one: it stops at once, and signs nothing more', async () => {
    const { outcome, paid } = await against({ kind: 'equal' })
    expect({ outcome, paid }).toEqual({ outcome: 'PaymentDisputedError', paid: [undefined, '14'] })
  })

  it.each(['no-balance', 'bad-signature', 'no-signature'] as const)(
    'with a wrong amount and %s: its own records stand, nothing over them is signed, and it ends',
    async (kind) => {
      const { outcome, paid, buying } = await against({ kind })
      expect(outcome).toMatch(/^Payment(Refused|Disputed)Error$/)
      expect(new Set(paid.filter(Boolean))).toEqual(new Set(['14']))
      expect(await channelOf(buying)).toMatchObject({ voucher: { cumulativeAmount: 14n } })
    },
  )

  it('with a claim that the sender never signed: nothing is adopted', async () => {
    const signature = await signBalance(generatePrivateKey(), { receiver: contract, block: 1, balance: 50n, contract })
    const { outcome, buying } = await against({ kind: 'claim', balance: 50n, signature })
    expect(outcome).toBe('PaymentDisputedError')
    expect(await channelOf(buying)).toMatchObject({ voucher: { cumulativeAmount: 14n } })
  })

  it('with an older balance under a genuine signature: it is adopted, and the next payment is 7 more than that', async () => {
    const server = await serve()
    const buying = await buyer()
    const session = buying.client.session()
    for (const path of ['/a', '/b']) await session.get(`${server.url}${path}`)
    const { terms } = (await channelOf(buying))!
    const { openBlock: block } = terms as { openBlock: number }
    const signature = await signBalance(buying.account.privateKey, {
      receiver: server.receiver,
      block,
      balance: 7n,
      contract,
    })
    server.know({ sender: buying.account.address, block, deposit: 70n, balance: 7n, signature })
    expect((await session.get(`${server.url}/c`)).status).toBe(200)
    expect(lineOf(server.requests.at(-1)!, 'RDN-Balance')).toBe('14')
  })

  it('in the name of another contract: refused before anything is opened', async () => {
    const server = await serve()
    server.lie({ kind: 'contract', contract: getAddress(`0x${'12'.repeat(20)}`) })
    const seen: number[] = []
    const { client, account } = await buyer()
    const session = client.session({ hooks: { onNoAcceptableOffer: ({ status }) => void seen.push(status) } })
    await expect(session.get(`${server.url}/a`)).rejects.toThrow('Nothing was signed')
    expect([seen, await transactions(account)]).toEqual([[402], 0])
  })

  it('with a price that no budget pays: nothing is opened', async () => {
    const server = await serve({ price: 10n ** 18n })
    const { client, account } = await buyer()
    await expect(client.session().get(`${server.url}/a`)).rejects.toThrow('Nothing was signed')
    expect(await transactions(account)).toBe(0)
  })

  it.each([
    [9n, 200],
    [101n, 'OverBudgetError'],
  ] as const)('about a price that is %s when it comes to paying: %s', async (price, expected) => {
    const { outcome, buying } = await against({ kind: 'price', price })
    expect(outcome).toBe(expected)
    expect((await channelOf(buying))!.voucher!.cumulativeAmount).toBeLessThan(17n)
  })

  it('by saying for ever that the proof is wrong: an error', async () => {
    const { outcome, paid } = await against({ kind: 'flag', flag: 'RDN-Invalid-Balance-Proof', times: 1_000 })
    expect(outcome).toBe('PaymentRefusedError')
    expect(new Set(paid.filter(Boolean))).toEqual(new Set(['14']))
  })

  it.each(['offline', 'broke'] as const)(
    'or is %s: its answer is given to the caller, and nothing is signed',
    async (kind) => {
      const { outcome, paid } = await against({ kind })
      expect({ outcome, paid }).toEqual({ outcome: 502, paid: [undefined] })
    },
  )
})
