/** What is told of channels, and to whom. */
import { getAddress, type Hex } from 'viem'
import { afterAll, describe, expect, it } from 'vitest'
import { createGateway } from '../../src/gateway/gateway.ts'
import { listen, newAccount, railOf, raidenRail, rpc, startWorld, tokensOf, until } from '../support/market.ts'
import { openSenderChain } from '../support/uraiden/sender-chain.ts'
import { ask, close, openStand, prove, proven, read, seconds, type Customer } from './stand.ts'

const world = await startWorld()
const stand = await openStand(world, { options: { requestsPerSecond: 1_000 } })
afterAll(async () => {
  await stand.close()
  await world.anvil.stop()
})

/** What the chain shows of a channel that was paid from. */
const SHOWN = { balance: null, last_signature: null, charged: null, close_agreed: null }

describe('one channel', () => {
  it('is shown to anybody without what comes from vouchers', async () => {
    const customer = await stand.customer(2)
    const response = await fetch(`${stand.api}${customer.path}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    const body: unknown = await response.json()
    expect(body).toEqual({
      receiver: getAddress(stand.receiver.address),
      sender: customer.address,
      deposit: 100,
      open_block_number: customer.block,
      state: 0,
      settle_timeout: -1,
      ctime: null,
      mtime: null,
      confirmed: true,
      unconfirmed_topups: {},
      unconfirmed_deposit: null,
      status: 'open',
      settled: 0,
      ...SHOWN,
    })
    const signature = await customer.balanceSignature(14n)
    expect(JSON.stringify(body)).not.toContain(signature.slice(2, 40))
  })

  it('is shown whole to its sender', async () => {
    const customer = await stand.customer(2)
    const proof = await prove(world, customer.key, read(customer))
    const [status, body] = await ask(`${stand.api}${customer.path}`, proven(proof))
    const signature = await customer.balanceSignature(14n)
    expect([status, body]).toMatchObject([200, { balance: 14, charged: 14, last_signature: signature }])
  })

  it('is found by an address in lower case, and is not there for another sender or block', async () => {
    const customer = await stand.customer(0)
    expect((await ask(`${stand.api}${customer.path.toLowerCase()}`))[0]).toBe(200)
    const { address } = await newAccount(world, 0n)
    for (const path of [`${address}/${customer.block}`, `${customer.address}/1`, `${customer.address}/99999999999`]) {
      expect(await ask(`${stand.api}/channels/${path}`)).toMatchObject([404, { code: 'channel-not-found' }])
    }
  })

  it.each(['0x12', 'everybody', '%30x12', `0x${'g'.repeat(40)}`])(
    'of %s, which is no address, is a mistake',
    async (it) => {
      expect(await ask(`${stand.api}/channels/${it}/1`)).toMatchObject([400, { field: 'sender' }])
      expect(await ask(`${stand.api}/channels/${it}`)).toMatchObject([400, { field: 'sender' }])
    },
  )

  it('has every digit of an amount that no double holds', async () => {
    const deposit = 12_345_678_901_234_567_891n
    const { path } = await stand.customer(0, deposit)
    const text = await (await fetch(`${stand.api}${path}`)).text()
    expect(text).toContain('"deposit":12345678901234567891,')
  })

  it('whose sender wants to leave says when it may', async () => {
    const customer = await stand.customer(1)
    await customer.chain.closeAlone({ ...customer, receiver: stand.receiver.address, deposit: 100n }, 7n)
    const asked = BigInt((await rpc(world, 'eth_blockNumber')) as Hex)
    await until(async () => (await customer.known())?.status === 'closing')
    const [, body] = await ask(`${stand.api}${customer.path}`)
    expect(body).toMatchObject({ state: 1, status: 'closing', settle_timeout: Number(asked) + 500, ...SHOWN })
  })
})

describe('a proof', () => {
  const flipped = (proof: string) => proof.replace(/(.)$/, (last) => (last === 'b' ? 'c' : 'b'))
  const cases: [string, (one: Customer, other: Customer) => Promise<string> | string, number][] = [
    ['with a signature that nobody made', async (one) => flipped(await prove(world, one.key, read(one))), 403],
    ['of another sender', (one, other) => prove(world, other.key, read(one)), 403],
    ['for another channel', (one, other) => prove(world, one.key, read(other)), 403],
    ['for a close', (one) => prove(world, one.key, close(one, 7n)), 403],
    ['for the list', (one) => prove(world, one.key, listOf(one)), 403],
    ['that has expired', (one) => prove(world, one.key, read(one), { validUntil: seconds() }), 403],
    ['that would never expire', (one) => prove(world, one.key, read(one), { validUntil: seconds(700) }), 403],
    ['for another chain', (one) => prove(world, one.key, read(one), { domain: { chainId: 1 } }), 403],
    [
      'for another contract',
      (one) => prove(world, one.key, read(one), { domain: { verifyingContract: world.escrow } }),
      403,
    ],
    ['that is a voucher', async (one) => `${seconds(300)} ${await one.balanceSignature(7n)}`, 403],
    ['without an end', async (one) => (await prove(world, one.key, read(one))).split(' ')[1]!, 400],
    ['with more in it', async (one) => `${await prove(world, one.key, read(one))} 1`, 400],
    ['that is no signature', () => `${seconds(300)} 0x`, 400],
    ['in other numbers', async (one) => `0${await prove(world, one.key, read(one))}`, 400],
  ]

  it.each(cases)('%s shows nothing', async (_what, make, status) => {
    const [one, other] = [await stand.customer(1), await stand.customer(1)]
    const [said, body] = await ask(`${stand.api}${one.path}`, proven(await make(one, other)))
    expect([said, body]).toMatchObject([status, { status }])
    expect(body).not.toHaveProperty('balance')
  })

  it('is told apart by why it does not hold', async () => {
    const one = await stand.customer(0)
    const detail = async (options: object) =>
      (
        (await ask(`${stand.api}${one.path}`, proven(await prove(world, one.key, read(one), options))))[1] as {
          detail: string
        }
      ).detail
    expect(await detail({ validUntil: seconds(-1) })).toMatch(
      /expired\. Sign one that is valid until at most 600 seconds/,
    )
    expect(await detail({ validUntil: seconds(700) })).toMatch(/valid for too long/)
    expect(await detail({ domain: { chainId: 1 } })).toMatch(/not a signature of exactly this question/)
  })

  it('that holds to its last second is good', async () => {
    const one = await stand.customer(0)
    const proof = await prove(world, one.key, read(one), { validUntil: seconds(599) })
    expect((await ask(`${stand.api}${one.path}`, proven(proof)))[0]).toBe(200)
  })
})

describe('the channels of a sender', () => {
  it('are shown without balances to anybody, and with them to the sender', async () => {
    const customer = await stand.customer(1)
    const url = `${stand.api}/channels/${customer.address}`
    const shown = { sender_address: customer.address, open_block: customer.block, state: 'open', deposit: 100 }
    expect(await ask(url)).toMatchObject([200, [{ ...shown, balance: null }]])
    const proof = await prove(world, customer.key, listOf(customer))
    expect(await ask(url, proven(proof))).toMatchObject([200, [{ ...shown, balance: 7 }]])
    const other = await stand.customer(1)
    const foreign = await prove(world, other.key, listOf(other))
    expect((await ask(url, proven(foreign)))[0]).toBe(403)
    const reading = await prove(world, customer.key, read(customer))
    expect((await ask(url, proven(reading)))[0]).toBe(403)
  })

  it('are none for one who has none', async () => {
    const { address } = await newAccount(world, 0n)
    expect(await ask(`${stand.api}/channels/${address}`)).toMatchObject([200, []])
  })

  it('are picked by their state, which for the sender a close that is agreed ends', async () => {
    const customer = await stand.customer(1)
    const url = `${stand.api}/channels/${customer.address}`
    const proof = await prove(world, customer.key, close(customer, 7n))
    expect((await ask(`${stand.api}${customer.path}`, proven(proof, { method: 'DELETE', body: 'balance=7' })))[0]).toBe(
      200,
    )
    const own = proven(await prove(world, customer.key, listOf(customer)))
    const blocks = async (status: string, init?: RequestInit) =>
      ((await ask(`${url}?status=${status}`, init))[1] as { open_block: number }[]).map((one) => one.open_block)
    const all = [customer.block]
    expect([await blocks('open'), await blocks('opened'), await blocks('closed'), await blocks('all')]).toEqual([
      all,
      all,
      [],
      all,
    ])
    expect([await blocks('open', own), await blocks('closed', own), await blocks('all', own)]).toEqual([[], all, all])
  })
})

describe('all channels', () => {
  it('are listed by sender', async () => {
    const customer = await stand.customer(1)
    const [status, body] = await ask(`${stand.api}/channels/`)
    expect(status).toBe(200)
    expect(body).toContainEqual({ sender_address: customer.address, blocks: [customer.block] })
  })

  it('are at an address with a slash', async () => {
    const response = await fetch(`${stand.api}/channels?status=all`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([308, '/api/1/channels/?status=all'])
  })

  it('are not picked by a state that there is not', async () => {
    expect(await ask(`${stand.api}/channels/?status=most`)).toMatchObject([400, { status: 400 }])
  })
})

describe('statistics', () => {
  it('have what the chain shows, and nothing that comes from vouchers', async () => {
    const here = await openStand(world)
    await here.customer(2, 100n)
    await here.customer(1, 50n)
    const [status, body] = await ask(`${here.api}/stats`)
    expect([status, body]).toMatchObject([
      200,
      {
        balance_sum: null,
        deposit_sum: 150,
        open_channels: 2,
        pending_channels: 0,
        unique_senders: 2,
        liquid_balance: Number(await tokensOf(world, here.receiver.address)),
        token_address: getAddress(world.token),
        contract_address: getAddress(world.raiden),
        receiver_address: getAddress(here.receiver.address),
        sync_block: 0,
      },
    ])
    await here.close()
  })

  it('have the interfaces as libraries of 2018 read them', async () => {
    type Item = { type: string; name: string; inputs: { type: string }[]; constant?: boolean; payable?: boolean }
    const [, body] = await ask(`${stand.api}/stats`)
    const { manager_abi, token_abi } = body as { manager_abi: Item[]; token_abi: Item[] }
    const find = (abi: Item[], name: string) => abi.filter((item) => item.name === name)
    expect(find(manager_abi, 'getChannelInfo')).toMatchObject([{ type: 'function', constant: true, payable: false }])
    expect(find(manager_abi, 'topUp')).toMatchObject([{ constant: false }])
    expect(find(manager_abi, 'ChannelCreated')).toMatchObject([{ type: 'event', anonymous: false }])
    expect(new Set(manager_abi.map(({ type }) => type))).toEqual(new Set(['function', 'event']))
    expect(find(token_abi, 'transfer').map(({ inputs }) => inputs.length)).toEqual([2, 3])
    expect(find(token_abi, 'balanceOf')).toMatchObject([{ constant: true }])
  })

  it('are there without the balance of the receiver when the chain cannot be seen', async () => {
    const { receiver } = stand
    const chain = { ...receiver.chain, call: () => Promise.reject(new Error('no node')) }
    const gateway = createGateway({ ...receiver, chain })
    const { url, close: stop } = await listen((request, response) => void gateway.serve(request, response))
    expect(await ask(`${url}/api/1/stats`)).toMatchObject([200, { liquid_balance: null }])
    await stop()
  })
})

it('a channel and a top up that are not deep enough are known and not trusted', async () => {
  const deep = { ...world.chain, confirmations: 3, confirmed: async () => (await world.chain.head()).number - 2n }
  const here = await openStand(world, { config: { chain: deep } })
  const { address, privateKey: key } = await newAccount(world)
  const place = { url: world.anvil.url, contract: here.contract, token: getAddress(world.token), key }
  const chain = openSenderChain(place)
  const opened = await chain.open(getAddress(here.receiver.address), 20n)
  const url = `${here.api}/channels/${address}/${opened!.block}`
  await until(async () => (await fetch(url)).status === 200)
  const pending = { confirmed: false, deposit: 20, unconfirmed_deposit: 20, status: 'pending' }
  expect(await ask(url)).toMatchObject([200, pending])
  expect(await ask(`${here.api}/stats`)).toMatchObject([200, { pending_channels: 1, open_channels: 0, deposit_sum: 0 }])
  expect((await ask(url, { method: 'DELETE', body: 'balance=0' }))[0]).toBe(409)
  await rpc(world, 'anvil_mine', '0x3')
  await until(async () => ((await ask(url))[1] as { confirmed: boolean }).confirmed)
  await chain.topUp(opened!, 5n)
  await until(async () => ((await ask(url))[1] as { unconfirmed_deposit: unknown }).unconfirmed_deposit === 25)
  expect(await ask(url)).toMatchObject([200, { deposit: 20 }])
  await here.close()
})

describe('a gateway', () => {
  it('leaves paths that are not its own to others, and does not know what is below its own', async () => {
    expect((await fetch(`${stand.url}/a`)).status).toBe(402)
    expect((await fetch(`${stand.url}/api/10/stats`)).status).toBe(402)
    for (const path of [
      '',
      '/',
      '/stats/',
      '//stats',
      '/Stats',
      '/channels/0x/1/2',
      '/channels//1',
      '/channels/0x/1e3',
    ])
      expect(await ask(`${stand.api}${path}`)).toMatchObject([404, { status: 404 }])
  })

  it('says that it runs', async () => {
    expect(await ask(`${stand.url}/cm`)).toMatchObject([200, 'OK'])
  })

  it('serves HEAD where it serves GET, OPTIONS everywhere, and nothing else', async () => {
    const head = await fetch(`${stand.api}/stats`, { method: 'HEAD' })
    expect([head.status, await head.text(), Number(head.headers.get('content-length')) > 1000]).toEqual([200, '', true])
    const options = await fetch(`${stand.api}/channels/${stand.contract}/1`, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, DELETE, OPTIONS'])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect(await ask(`${stand.api}/stats`, { method })).toMatchObject([405, { status: 405 }])
  })

  it('is closed to other sites and to caches', async () => {
    const { headers } = await fetch(`${stand.api}/stats`, { headers: { Origin: 'https://evil.example' } })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it.each([
    ['path', { path: '/api/1/' }],
    ['path', { path: '/a/../b' }],
    ['users[0].password', { users: [{ name: 'ops', password: 'secret' }] }],
    ['users[0].name', { users: [{ name: 'o:s', password: '' }] }],
    ['hosts[0]', { hosts: ['https://api.example.com'] }],
    ['hosts[0]', { hosts: ['api.example.com:443'] }],
    ['requestsPerSecond', { requestsPerSecond: 0 }],
    ['rail', { rail: raidenRail(world) }],
  ])('is not made with a wrong %s', (field, options) => {
    expect(() => createGateway(stand.receiver, options)).toThrow(`${field}: `)
  })

  it('needs one rail that it can be about, or the name of one of several', () => {
    const rails = (...given: (typeof stand.receiver.rails)[number][]) => ({ ...stand.receiver, rails: given })
    const [one, other] = [raidenRail(world), raidenRail(world)]
    expect(() => createGateway(rails(railOf(world)))).toThrow('rail: the receiver has none')
    expect(() => createGateway(rails(one, other))).toThrow('rail: the receiver has several')
    expect(createGateway(rails(railOf(world), one, other), { rail: other }).path).toBe('/api/1')
  })
})

function listOf({ address }: Customer) {
  const message = { sender: address, receiver: stand.receiver.address }
  return { primaryType: 'ListChannels', message } as const
}
