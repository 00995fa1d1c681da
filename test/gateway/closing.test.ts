/** A close by consent: who may ask for it, at which amount, and what it ends. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getAddress, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createClient } from '../../src/sender/client.ts'
import { memory } from '../../src/store/memory.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { newAccount, startWorld, tokensOf, until, walletOf } from '../support/market.ts'
import { createBrowser } from '../support/uraiden/browser.ts'
import { createUraidenClient } from '../support/uraiden/client.ts'
import { openConnection } from '../support/uraiden/exchange.ts'
import { openSenderChain } from '../support/uraiden/sender-chain.ts'
import { closingSigner } from '../support/uraiden/signing.ts'
import { ask, close, openStand, prove, proven, read, seconds, type Customer, type Stand } from './stand.ts'

const world = await startWorld()
const stand = await openStand(world, { options: { requestsPerSecond: 1_000 } })
const careless = await openStand(world, { options: { requestsPerSecond: 1_000, closeWithoutProof: true } })
afterAll(async () => {
  await Promise.all([stand.close(), careless.close()])
  await world.anvil.stop()
})

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** Asks to close at `amount`, with whatever proof. */
function askToClose(at: Stand, { path }: Customer, amount: bigint | string, proof?: string) {
  const form = { method: 'DELETE', body: new URLSearchParams({ balance: `${amount}` }) }
  return ask(`${at.api}${path}`, proof === undefined ? form : proven(proof, form))
}

async function closeProven(at: Stand, customer: Customer, amount: bigint) {
  return askToClose(at, customer, amount, await prove(world, customer.key, close(customer, amount)))
}

describe('asked by its sender', () => {
  it('is answered with the signature that moves the tokens on chain', async () => {
    const customer = await stand.customer(3)
    const before = await tokensOf(world, stand.receiver.address)
    const [status, body] = await closeProven(stand, customer, 21n)
    expect(status).toBe(200)
    const { close_signature } = body as { close_signature: Hex }
    const terms = { sender: customer.address, block: customer.block, balance: 21n, contract: stand.contract }
    expect(await closingSigner(terms, close_signature)).toBe(getAddress(stand.receiver.address))
    const opened = { receiver: getAddress(stand.receiver.address), block: customer.block, deposit: 100n }
    await customer.chain.closeTogether(opened, 21n, await customer.balanceSignature(21n), close_signature)
    expect((await tokensOf(world, stand.receiver.address)) - before).toBe(21n)
    expect(await tokensOf(world, customer.address)).toBe(1_000_000n - 21n)
  })

  it('is answered the same when it is asked again, until the chain knows of the end', async () => {
    const customer = await stand.customer(1)
    const first = await closeProven(stand, customer, 7n)
    expect(await closeProven(stand, customer, 7n)).toEqual(first)
    const { close_signature } = first[1] as { close_signature: Hex }
    const opened = { receiver: getAddress(stand.receiver.address), block: customer.block, deposit: 100n }
    await customer.chain.closeTogether(opened, 7n, await customer.balanceSignature(7n), close_signature)
    await until(async () => (await customer.known())?.status === 'closed')
    expect(await closeProven(stand, customer, 7n)).toMatchObject([410, { code: 'channel-not-open', state: 'closed' }])
  })

  it('is refused while the sender leaves alone', async () => {
    const customer = await stand.customer(1)
    await customer.chain.closeAlone({ ...customer, receiver: getAddress(stand.receiver.address), deposit: 100n }, 7n)
    await until(async () => (await customer.known())?.status === 'closing')
    expect(await closeProven(stand, customer, 7n)).toMatchObject([409, { code: 'channel-not-open', state: 'closing' }])
  })

  it('ends the payments', async () => {
    const customer = await stand.customer(1)
    await closeProven(stand, customer, 7n)
    const paid = await customer.pay(14n)
    expect([paid.status, paid.headers.get('rdn-nonexisting-channel')]).toEqual([402, '1'])
    expect(await customer.known()).toMatchObject({ charged: 7n, voucher: { cumulativeAmount: 7n }, closeAgreed: 7n })
  })

  it('ends the payments after a restart too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'farthing-'))
    const wallet = walletOf(world, await newAccount(world, 0n))
    const path = join(folder, 'channels.db')
    const first = sqlite(path)
    const here = await openStand(world, { config: { wallet, store: first } })
    const customer = await here.customer(1)
    const [, { close_signature }] = (await closeProven(here, customer, 7n)) as [number, { close_signature: Hex }]
    await here.close()
    await first.close()
    const second = sqlite(path)
    const again = await openStand(world, { config: { wallet, store: second } })
    endings.push(
      () => rm(folder, { recursive: true }),
      () => second.close(),
      () => again.close(),
    )
    const headers = {
      'RDN-Sender-Address': customer.address,
      'RDN-Open-Block': `${customer.block}`,
      'RDN-Balance': '14',
      'RDN-Balance-Signature': await customer.balanceSignature(14n),
    }
    expect((await fetch(`${again.url}/a`, { headers })).status).toBe(402)
    for await (const channel of second.list()) expect(channel).toMatchObject({ charged: 7n, closeAgreed: 7n })
    expect(await closeProven(again, customer, 7n)).toEqual([200, { close_signature }])
  })

  it('is agreed to at what was charged, where more was authorized', async () => {
    const customer = await stand.customer(1)
    await customer.pay(50n) // 43 more than what it buys, the price
    expect(await customer.known()).toMatchObject({ charged: 14n })
    expect((await closeProven(stand, customer, 14n))[0]).toBe(200)
  })

  it.each([
    [13n, { code: 'underpaid', least: '14', most: '50', charged: '14', authorized: '50' }],
    [51n, { code: 'overpaid', least: '14', most: '50' }],
    [0n, { code: 'underpaid', least: '14' }],
    [101n, { code: 'overpaid', most: '50' }],
  ])('at %s, which was not agreed, is refused with the amounts that are', async (amount, said) => {
    const customer = await stand.customer(1)
    await customer.pay(50n)
    const [status, body] = await closeProven(stand, customer, amount)
    expect([status, body]).toMatchObject([400, said])
    expect(body).toMatchObject({ detail: expect.stringContaining('Ask to close at from 14') as string })
    expect((await customer.known())?.closeAgreed).toBeUndefined()
    expect((await customer.pay(50n)).status).toBe(200)
  })

  it('at nothing gives everything back where nothing was bought', async () => {
    const customer = await stand.customer(0)
    expect((await closeProven(stand, customer, 0n))[0]).toBe(200)
  })
})

describe('a proof of another kind', () => {
  const cases: [string, (one: Customer, other: Customer) => Promise<string> | string, number][] = [
    ['that is empty', () => '', 400],
    ['of another sender', (one, other) => prove(world, other.key, close(one, 7n)), 403],
    ['for another channel', (one, other) => prove(world, one.key, close(other, 7n)), 403],
    ['over another amount', (one) => prove(world, one.key, close(one, 8n)), 403],
    ['for reading', (one) => prove(world, one.key, read(one)), 403],
    ['that has expired', (one) => prove(world, one.key, close(one, 7n), { validUntil: seconds(-1) }), 403],
    [
      'for another contract',
      (one) => prove(world, one.key, close(one, 7n), { domain: { verifyingContract: world.escrow } }),
      403,
    ],
    ['that is the voucher itself', async (one) => `${seconds(300)} ${await one.balanceSignature(7n)}`, 403],
  ]

  it.each(cases)('%s closes nothing', async (_what, make, status) => {
    const [one, other] = [await stand.customer(1), await stand.customer(0)]
    expect((await askToClose(stand, one, 7n, await make(one, other)))[0]).toBe(status)
    expect((await one.known())?.closeAgreed).toBeUndefined()
    expect((await one.pay(14n)).status).toBe(200)
  })

  it('is no use for anything else: a proof that closes is no voucher', async () => {
    const one = await stand.customer(1)
    const [, signature = ''] = (await prove(world, one.key, close(one, 14n))).split(' ')
    const headers = {
      'RDN-Sender-Address': one.address,
      'RDN-Open-Block': `${one.block}`,
      'RDN-Balance': '14',
      'RDN-Balance-Signature': signature,
    }
    const response = await fetch(`${stand.url}/a`, { headers })
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'invalid-signature' }])
  })
})

describe('without a proof', () => {
  it('nothing is closed, and no amount is told', async () => {
    const customer = await stand.customer(1)
    for (const amount of [7n, 0n, 8n]) {
      const [status, body] = await askToClose(stand, customer, amount)
      expect([status, Object.keys(body as object)]).toEqual([403, ['type', 'title', 'status', 'detail']])
    }
    expect((await customer.pay(14n)).status).toBe(200)
  })

  it('what cannot be there is not there, and what is no amount is a mistake', async () => {
    const customer = await stand.customer(1)
    const elsewhere = { ...customer, path: `/channels/${customer.address}/1` }
    expect(await askToClose(stand, elsewhere, 7n)).toMatchObject([404, { code: 'channel-not-found' }])
    const nobody = { ...customer, path: '/channels/0x12/1' }
    expect(await askToClose(stand, nobody, 7n)).toMatchObject([400, { field: 'sender' }])
  })

  it.each([
    ...['', '-7', '7.0', '7e0', '0x7', '07', ' 7', '7 ', '٧', 'NaN'].map((balance) => [balance, balance]),
    ['2^192', `${2n ** 192n}`],
    ['10,000 digits', '9'.repeat(10_000)],
  ])('a balance of "%s" is a mistake', async (_what, balance = '') => {
    const customer = await stand.customer(0)
    const [status, body] = await askToClose(stand, customer, balance)
    expect([status, body]).toMatchObject([400, { field: 'balance', code: 'malformed-payment' }])
    expect(body).toMatchObject({ detail: expect.stringMatching(/^The request is malformed: balance /) as string })
  })

  it.each([
    ['no body', undefined, undefined],
    ['a form without it', 'application/x-www-form-urlencoded', 'credit=7'],
    ['it twice', 'application/x-www-form-urlencoded', 'balance=7&balance=8'],
    ['JSON without it', 'application/json', '{}'],
    ['JSON that has it twice', 'application/json', '{"balance":7,"balance":8}'],
    ['JSON that has it deeper', 'application/json', '{"a":{"balance":7}}'],
    ['JSON with a fraction', 'application/json', '{"balance":7.5}'],
    ['JSON with an exponent', 'application/json', '{"balance":1e2}'],
    ['JSON with a sign', 'application/json', '{"balance":-7}'],
    ['JSON with null', 'application/json', '{"balance":null}'],
    ['JSON with a list', 'application/json', '{"balance":[7]}'],
    ['half of JSON', 'application/json', '{"balance":7'],
    ['a list', 'application/json', '[7]'],
    ['a prototype', 'application/json', '{"__proto__":{"balance":7}}'],
    ['deep JSON', 'application/json', `{"balance":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['something else', 'text/plain', 'seven'],
  ])('%s is a mistake', async (_what, type, body) => {
    const customer = await careless.customer(1)
    const init = {
      method: 'DELETE',
      ...(body !== undefined && { body }),
      headers: type ? { 'Content-Type': type } : {},
    }
    expect(await ask(`${careless.api}${customer.path}`, init)).toMatchObject([400, { code: 'malformed-payment' }])
    expect((await customer.pay(14n)).status).toBe(200)
  })

  it('a body that is too long is not read', async () => {
    const customer = await careless.customer(1)
    const long = `balance=7&more=${'x'.repeat(20_000)}`
    const send = (body: RequestInit['body']) =>
      ask(`${careless.api}${customer.path}`, { method: 'DELETE', body, duplex: 'half' } as RequestInit)
    expect(await send(long)).toMatchObject([413, { status: 413 }])
    expect(await send(new Blob([long]).stream())).toMatchObject([413, { status: 413 }])
  })
})

describe('without a proof, where the operator allows it', () => {
  it.each([
    ['a form', 'application/x-www-form-urlencoded', 'balance=7', ''],
    ['JSON with a number', 'application/json', '{"balance": 7, "a": {"balance": 8}}', ''],
    ['JSON with digits', 'application/json; charset=utf-8', '{"balance":"7"}', ''],
    ['the query', undefined, undefined, '?balance=7'],
    ['both, of which the body counts', 'application/x-www-form-urlencoded', 'balance=7', '?balance=8'],
  ])('takes the balance from %s', async (_what, type, body, query) => {
    const customer = await careless.customer(1)
    const init = {
      method: 'DELETE',
      ...(body !== undefined && { body }),
      headers: type ? { 'Content-Type': type } : {},
    }
    const [status, answer] = await ask(`${careless.api}${customer.path}${query}`, init)
    expect([status, Object.keys(answer as object)]).toEqual([200, ['close_signature']])
  })

  it('takes an amount that no double holds', async () => {
    const deposit = 12_345_678_901_234_567_891n
    const customer = await careless.customer(0, deposit)
    expect((await customer.pay(deposit)).status).toBe(200)
    const init = { method: 'DELETE', body: `{"balance":${deposit}}`, headers: { 'Content-Type': 'application/json' } }
    expect((await ask(`${careless.api}${customer.path}`, init))[0]).toBe(200)
    expect(await customer.known()).toMatchObject({ closeAgreed: deposit })
  })

  it('is agreed to at the last balance only, and which one that is nobody is told', async () => {
    const customer = await careless.customer(1)
    await customer.pay(50n)
    for (const amount of [14n, 49n, 51n, 0n]) {
      const [status, body] = await askToClose(careless, customer, amount)
      expect([status, Object.keys(body as object)]).toEqual([400, ['type', 'title', 'status', 'detail']])
    }
    expect((await askToClose(careless, customer, 50n))[0]).toBe(200)
  })

  it('is not agreed to where nothing was bought', async () => {
    const customer = await careless.customer(0)
    expect((await askToClose(careless, customer, 0n))[0]).toBe(400)
    expect((await customer.pay(7n)).status).toBe(200)
  })

  it('the client of 2018 closes as it did, and the tokens move', async () => {
    const { address, privateKey: key } = await newAccount(world)
    const contract = careless.contract
    const chain = openSenderChain({ url: world.anvil.url, contract, token: getAddress(world.token), key })
    const wait = () => new Promise<void>((resolve) => setImmediate(resolve))
    const client = await createUraidenClient({ key, contract, chain, wait })
    endings.push(() => client.end())
    const before = await tokensOf(world, careless.receiver.address)
    for (let count = 0; count < 3; count += 1) expect((await client.get(`${careless.url}/a`)).status).toBe(200)
    expect(await client.closeChannel()).toMatchObject({ together: true, answer: { status: 200 } })
    expect((await tokensOf(world, careless.receiver.address)) - before).toBe(21n)
    expect(await tokensOf(world, address)).toBe(1_000_000n - 21n)
  })

  it('the page of 2018 gets the signature for its number', async () => {
    const customer = await careless.customer(1)
    const channel = { receiver: getAddress(careless.receiver.address), block: customer.block }
    const browser = createBrowser({ key: customer.key, contract: careless.contract, channel })
    endings.push(() => browser.end())
    const { status, body } = await browser.askToClose(careless.url, 7n)
    expect([status, Object.keys(JSON.parse(body) as object)]).toEqual([200, ['close_signature']])
  })
})

it('our own client closes by it, and gets the rest back', async () => {
  const { address, privateKey } = await newAccount(world)
  const client = await createClient({
    account: privateKeyToAccount(privateKey),
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 10n, deposit: 1_000n },
    escrows: [world.raiden],
    tokens: [world.token],
  })
  const before = await tokensOf(world, stand.receiver.address)
  expect((await client.session().get(`${stand.url}/a`)).status).toBe(200)
  for await (const { key } of client.channels()) {
    const channel = await client.channel(key)
    expect(await channel.close()).toMatchObject({ settled: 7n })
  }
  expect((await tokensOf(world, stand.receiver.address)) - before).toBe(7n)
  expect(await tokensOf(world, address)).toBe(1_000_000n - 7n)
})

it('a receiver without a key says that it cannot agree', async () => {
  const here = await openStand(world, { config: { address: world.accounts[6]!.address } })
  endings.push(() => here.close())
  const customer = await here.customer(1)
  expect(await closeProven(here, customer, 7n)).toMatchObject([501, { code: 'payment-unsupported' }])
  expect((await customer.pay(14n)).status).toBe(200)
})

it('a receiver that is going away agrees to nothing', async () => {
  const here = await openStand(world)
  const customer = await here.customer(1)
  await here.receiver.stop()
  expect(await closeProven(here, customer, 7n)).toMatchObject([503, { code: 'receiver-unavailable' }])
  await here.close()
})

it('what breaks off in the middle leaves nothing behind', async () => {
  const customer = await careless.customer(1)
  const connection = openConnection()
  const lines = [
    ['Host', 'localhost'],
    ['Content-Length', '9'],
    ['Content-Type', 'application/x-www-form-urlencoded'],
  ] as const
  const sent = connection.send('DELETE', `${careless.api}${customer.path}`, lines, 'balance=')
  setImmediate(() => connection.close())
  await expect(sent).rejects.toThrow()
  expect((await customer.pay(14n)).status).toBe(200)
})
