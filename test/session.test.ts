/** What a program may watch and decide while a session buys, and buying with one call. */
import { concat, encodeAbiParameters } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { NoAnswerError } from '../src/base/faults.ts'
import { deploy } from '../src/chain/deploy.ts'
import { demoTokenBytecode } from '../src/escrow/abi/demo-token-bytecode.ts'
import * as requests from '../src/sender/requests.ts'
import { createClient, type Client, type ClientConfig, type Hooks } from '../src/sender/index.ts'
import { payment, raiden, rdn, session } from '../src/rails.ts'
import { memory } from '../src/store/memory.ts'
import { listen, newAccount, newReceiver, openShop, railOf, raidenRail, rpc, startWorld } from './support/market.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const protocols = {
  payment: [{ dialect: payment(), escrow: session }],
  rdn: [{ dialect: rdn(), escrow: raiden }],
}

async function newClient(config: Partial<ClientConfig> = {}): Promise<Client> {
  return createClient({
    account: (await newAccount(world)).privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
    escrows: config.protocols === protocols.rdn ? [world.raiden] : [world.escrow],
    tokens: [world.token],
    retryMs: 10,
    ...config,
  })
}

const nonce = async ({ address }: { address: string }) =>
  Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

/** Hooks that write down their names; `stop` are those that stop. */
function watching(told: string[], stop: readonly (keyof Hooks)[] = []): Hooks {
  const names = [
    'onInit',
    'onExit',
    'onResponse',
    'onSuccess',
    'onHttpError',
    'onPaymentRequested',
    'onNoAcceptableOffer',
    'onChannelNotFound',
    'onChannelPending',
    'onInvalidSignature',
    'onWrongAmount',
    'onCloseRefused',
  ] as const
  const hook = (name: keyof Hooks) => () => {
    told.push(name)
    return stop.includes(name) ? ('stop' as const) : undefined
  }
  return Object.fromEntries(names.map((name) => [name, hook(name)]))
}

describe.each(['payment', 'rdn'] as const)('a session on the rail %s', (name) => {
  const rails = name === 'payment' ? [railOf(world)] : [raidenRail(world)]
  const open = async () => {
    const receiver = await newReceiver(world, { rails })
    return { receiver, shop: await openShop(receiver) }
  }
  const market = open()
  afterAll(async () => {
    await (await market).shop.close()
    await (await market).receiver.stop()
  })

  it('tells its hooks what happens, in order', async () => {
    const { shop } = await market
    const told: string[] = []
    const buyer = (await newClient({ protocols: protocols[name] })).session({ hooks: watching(told) })
    expect((await buyer.get(`${shop.url}/x`)).status).toBe(200)
    const rest = told.filter((hook) => hook !== 'onChannelNotFound' && hook !== 'onChannelPending')
    expect(rest).toEqual(['onInit', 'onResponse', 'onPaymentRequested', 'onResponse', 'onSuccess', 'onExit'])
  })

  it.each([['onResponse'], ['onPaymentRequested']] as const)('hands out the 402 when %s says stop', async (stop) => {
    const { shop } = await market
    const client = await newClient({ protocols: protocols[name] })
    const response = await client.session({ hooks: watching([], [stop]) }).get(`${shop.url}/x`)
    expect(response.status).toBe(402)
    expect(await response.json()).toMatchObject({ code: 'payment-required' })
    expect(await nonce(client)).toBe(0)
  })

  it('deposits and tops up as its policies say', async () => {
    const { shop } = await market
    const client = await newClient({ protocols: protocols[name] })
    const buyer = client.session({ initialDeposit: (price) => 2n * price, topUpDeposit: (price) => 3n * price })
    const deposits = []
    for (let visit = 0; visit < 3; visit += 1) {
      await buyer.get(`${shop.url}/x`)
      for await (const { deposit } of client.channels()) deposits.push(deposit)
    }
    expect(deposits).toEqual([10n, 10n, 25n])
  })

  it('leaves its channels open at the end, unless it is told to close them', async () => {
    const { shop } = await market
    const client = await newClient({ protocols: protocols[name] })
    const buyer = client.session()
    await buyer.get(`${shop.url}/x`)
    await buyer.end()
    for await (const { status } of client.channels()) expect(status).toBe('open')
  })

  it('has nothing to close when nothing was bought: no transaction, and nobody is asked', async () => {
    const { shop } = await market
    const asked: string[] = []
    const noting: typeof fetch = (input, init) => {
      asked.push(init?.method ?? 'GET')
      return fetch(input, init)
    }
    const client = await newClient({ protocols: protocols[name], fetch: noting })
    const unused = client.session({ closeOnExit: true })
    await unused.end()
    await unused.closeChannels()
    const looking = client.session({ closeOnExit: true, hooks: watching([], ['onPaymentRequested']) })
    expect((await looking.get(`${shop.url}/x`)).status).toBe(402)
    await looking.end()
    for await (const { id } of client.channels()) expect.fail(`channel ${id} was opened`)
    expect([await nonce(client), asked]).toEqual([0, ['GET']])
  })

  it('does not close at its end what another session of the same client has used', async () => {
    const { shop } = await market
    const client = await newClient({ protocols: protocols[name] })
    await client.session().get(`${shop.url}/x`)
    const before = await nonce(client)
    await client.session({ closeOnExit: true }).end()
    for await (const { status } of client.channels()) expect(status).toBe('open')
    expect(await nonce(client)).toBe(before)
  })

  it('is told of an answer that is no resource, and when a request cannot be sent at all', async () => {
    const told: string[] = []
    const buyer = (await newClient()).session({ hooks: watching(told) })
    const { url, close } = await listen((_request, response) => {
      response.statusCode = 404
      response.end()
    })
    expect((await buyer.get(url)).status).toBe(404)
    await close()
    await expect(buyer.get(url)).rejects.toThrow()
    expect(told).toEqual(['onInit', 'onResponse', 'onHttpError', 'onExit', 'onInit', 'onExit'])
  })

  it('does not use up its budget on a receiver that is away', async () => {
    const { receiver } = await market
    const stall = await openShop(receiver)
    const client = await newClient({
      protocols: protocols[name],
      budget: { perRequest: 100n, deposit: 1_000n, perDay: 15n },
    })
    const buyer = client.session()
    expect((await buyer.get(`${stall.url}/x`)).status).toBe(200)
    await stall.close()
    for (let visit = 0; visit < 5; visit += 1) {
      await expect(buyer.get(`${stall.url}/x`)).rejects.toThrow(
        `${stall.url}/x does not answer: connection refused. Nothing was sent.`,
      )
    }
    for await (const { charged, voucher } of client.channels()) {
      expect([charged, voucher?.cumulativeAmount]).toEqual([5n, 10n])
    }
    const again = await openShop(receiver)
    expect((await buyer.get(`${again.url}/x`)).status).toBe(200)
    await again.close()
  })

  it('sends the headers of the caller, its own of a payment too, but for Authorization', async () => {
    const { shop } = await market
    const sent: Headers[] = []
    const noting: typeof fetch = (input, init) => {
      sent.push(new Headers(init?.headers))
      return fetch(input, init)
    }
    const client = await newClient({ protocols: protocols[name], fetch: noting })
    const hooks: Hooks = { onChannelNotFound: () => 'stop' }
    const headers = { Authorization: 'Basic eDp5', 'RDN-Open-Block': '1', 'X-Asked': 'yes' }
    const response = await client.session({ hooks }).get(`${shop.url}/x`, { headers })
    const paid = sent.at(-1)!
    expect([paid.get('X-Asked'), paid.get('RDN-Open-Block')]).toEqual(['yes', '1'])
    expect(paid.get('Authorization')).toMatch(name === 'payment' ? /^Payment / : /^Basic /)
    expect(response.status).toBe(name === 'payment' ? 200 : 402)
  })

  it('is told when nothing that is offered may be taken', async () => {
    const { shop } = await market
    const told: string[] = []
    const client = await newClient({ protocols: protocols[name], tokens: [] })
    const buyer = client.session({ hooks: watching(told, ['onNoAcceptableOffer']) })
    expect((await buyer.get(`${shop.url}/x`)).status).toBe(402)
    expect(told).toContain('onNoAcceptableOffer')
  })

  it('knows what its account holds: base units of any token, less what is in channels', async () => {
    const { shop } = await market
    const client = await newClient({ protocols: protocols[name] })
    expect(await client.balance(world.token)).toBe(1_000_000n)
    await client.session({ initialDeposit: () => 40n }).get(`${shop.url}/x`)
    expect(await client.balance(world.token)).toBe(999_960n)
    const [deployer] = world.accounts
    const types = [{ type: 'string' }, { type: 'string' }, { type: 'uint8' }, { type: 'uint256' }]
    const code = concat([demoTokenBytecode, encodeAbiParameters(types, ['Other', 'OTHER', 18, 10n ** 30n])])
    const other = await deploy(world.anvil.url, privateKeyToAccount(deployer!.privateKey), code)
    expect(await client.balance(other)).toBe(0n)
    const owner = await newClient({ protocols: protocols[name], account: deployer!.privateKey })
    expect(await owner.balance(other)).toBe(10n ** 30n)
    await expect(client.balance(`0x${'12'.repeat(20)}`)).rejects.toThrow('is no token')
  })

  it('buys with one call, and finds its channel again with the next one, without a store', async () => {
    const { shop } = await market
    const { privateKey: account, address } = await newAccount(world)
    const options = {
      account,
      rpc: world.anvil.url,
      confirmations: 1,
      budget: { perRequest: 100n, deposit: 1_000n },
      escrows: [name === 'rdn' ? world.raiden : world.escrow],
      tokens: [world.token],
      protocols: protocols[name],
      retryMs: 10,
    }
    const asked = { ...options, init: { headers: { 'x-asked': 'yes' } } }
    for (const call of [requests.get, requests.post, requests.put, requests.patch, requests.delete]) {
      const response = await call(`${shop.url}/x`, asked)
      expect([response.status, await response.text()]).toEqual([200, 'foo'])
    }
    expect((await requests.options(`${shop.url}/x`, options)).status).toBe(204)
    expect(await nonce({ address })).toBe(1)
    const { method, headers } = shop.calls.at(-1)!
    expect([method, headers['x-asked']]).toEqual(['DELETE', 'yes'])
  })
})

describe('a server that does not answer', () => {
  async function away(): Promise<string> {
    const { url, close } = await listen(() => undefined)
    await close()
    return url
  }

  async function hangingUp(): Promise<string> {
    const { url, close } = await listen((request) => void request.socket.destroy())
    endings.push(close)
    return url
  }

  const nowhere = (): Promise<string> => Promise.resolve('https://nobody.invalid')

  it.each<[string, () => Promise<string>, string | RegExp, boolean]>([
    ['refuses connections', away, 'connection refused. Nothing was sent.', false],
    ['is nowhere', nowhere, /: (the name could not be looked up|name not found)\. Nothing/, false],
    ['hangs up', hangingUp, 'the connection broke off. The request may have arrived.', true],
  ])('is named, and why, when it %s', async (_what, where, words, isSent) => {
    const origin = await where()
    const target = new URL(`${origin}/a/b?secret=s3cret#part`)
    const client = await newClient()
    for (const call of [client.session().get, client.session().fetch, client.session().post]) {
      const error: unknown = await call(target).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(NoAnswerError)
      expect(error).toMatchObject({ url: `${origin}/a/b`, isSent })
      const { message } = error as NoAnswerError
      expect(message).toMatch(words)
      expect(message).toContain(`${origin}/a/b does not answer: `)
      expect(message).not.toContain('s3cret')
    }
  })

  it('is not what an abort says', async () => {
    const { url, close } = await listen(() => undefined)
    endings.push(close)
    const signal = AbortSignal.timeout(20)
    await expect((await newClient()).session().get(url, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('is named by what the caller fetches with, too, and the price is given back', async () => {
    const { url, close } = await openShop(await newReceiver(world))
    const client = await newClient({ fetch: (input, init) => fetch(input, init) })
    const buyer = client.session()
    expect((await buyer.get(`${url}/x`)).status).toBe(200)
    await close()
    await expect(buyer.get(`${url}/x`)).rejects.toThrow(NoAnswerError)
    for await (const { charged } of client.channels()) expect(charged).toBe(5n)
  })

  it('leaves other errors of the caller alone', async () => {
    const broken = new TypeError('x is not a function')
    const client = await newClient({ fetch: () => Promise.reject(broken) })
    await expect(client.session().get('https://shop.example')).rejects.toBe(broken)
  })
})
