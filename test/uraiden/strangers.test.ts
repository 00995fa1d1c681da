/**
 * µRaiden's client against µRaiden's server, both as of 2018 and neither of
 * them ours: what is learnt from them about ours is worth no more than this.
 * The sums are those of test/vectors/uraiden-conversations.json.
 */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Address, Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { createBrowser } from '../support/uraiden/browser.ts'
import { createUraidenClient, type ClientOptions, type UraidenClient } from '../support/uraiden/client.ts'
import { header, openConnection, sentHeader, type Answer, type Lines } from '../support/uraiden/exchange.ts'
import { paymentSuite, rdn } from '../support/uraiden/payment-suite.ts'
import { paperChain, type PaperChain } from '../support/uraiden/paper-chain.ts'
import { startUraidenServer, type UraidenServer } from '../support/uraiden/server.ts'
import type { Lie, ServerOptions } from '../support/uraiden/server-state.ts'
import { closingSigner, signBalance } from '../support/uraiden/signing.ts'

const CONTRACT: Address = '0x1440317CB15499083dEE3dDf49C2bD51D0d92e33'
const TOKEN: Address = '0x255Aa6DF07540Cb5d3d297f0D0D4D84cb52bc8e6'
const PRICE = 7n

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

type Table = { server: UraidenServer; key: Hex; sender: Address; chain: PaperChain }

async function openTable(options: Partial<ServerOptions> = {}): Promise<Table> {
  const terms = { key: generatePrivateKey(), contract: CONTRACT, token: TOKEN, price: PRICE }
  const server = await startUraidenServer({ ...terms, ...options })
  endings.push(() => server.close())
  const key = generatePrivateKey()
  const sender = privateKeyToAccount(key).address
  return { server, key, sender, chain: paperChain(server, sender) }
}

async function newClient({ key, chain }: Table, options: Partial<ClientOptions> = {}): Promise<UraidenClient> {
  const client = await createUraidenClient({ key, chain, contract: CONTRACT, ...options })
  endings.push(() => client.end())
  return client
}

const statuses = ({ exchanges }: UraidenClient) => exchanges.map(({ answer }) => answer.status)
const balances = ({ exchanges }: UraidenClient) => exchanges.map((one) => sentHeader(one, 'RDN-Balance') ?? 'none')
const sign = ({ key, server }: Table, balance: bigint, block = 1) =>
  signBalance(key, { receiver: server.receiver, block, balance, contract: CONTRACT })

describe('a sale', () => {
  it('takes two requests the first time, and what is sent is what arrives', async () => {
    const table = await openTable()
    const client = await newClient(table)
    const answer = await client.get(`${table.server.url}/a?b=c`)
    expect([answer.status, answer.body, statuses(client)]).toEqual([200, 'foo', [402, 200]])
    expect(table.chain.acts).toEqual(['open 70'])
    expect(table.server.requests.map(({ target }) => target)).toEqual(['/a?b=c', '/a?b=c'])
    expect(table.server.requests.map(({ lines }) => lines)).toEqual(client.exchanges.map(({ sent }) => sent))
  })

  it('is asked for with one header of payment, and paid with six', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(`${table.server.url}/`)
    expect(client.exchanges.map(({ sent }) => rdn({ lines: sent }))).toEqual([
      [['RDN-Contract-Address', CONTRACT]],
      [
        ['RDN-Contract-Address', CONTRACT],
        ['RDN-Balance', '7'],
        ['RDN-Balance-Signature', await sign(table, 7n)],
        ['RDN-Sender-Address', table.sender],
        ['RDN-Receiver-Address', table.server.receiver],
        ['RDN-Open-Block', '1'],
      ],
    ])
  })

  it('is offered without a body, and told of with the balance before it', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(`${table.server.url}/`)
    await client.get(`${table.server.url}/`)
    const [offer, first, again, second] = client.exchanges.map(({ answer }) => answer)
    const standard = [
      ['RDN-Gateway-Path', '/api/1'],
      ['RDN-Receiver-Address', table.server.receiver],
      ['RDN-Contract-Address', CONTRACT],
      ['RDN-Token-Address', TOKEN],
      ['RDN-Price', '7'],
    ]
    const known = (balance: string) => [
      ['RDN-Sender-Address', table.sender],
      ['RDN-Sender-Balance', balance],
    ]
    const signed = ['RDN-Balance-Signature', await sign(table, 7n)]
    expect([offer!.body, header(offer!, 'Content-Type')]).toEqual(['', 'application/json'])
    expect(rdn(offer!)).toEqual(standard)
    expect(rdn(first!)).toEqual([...standard, ...known('0')])
    expect([again!.status, rdn(again!)]).toEqual([402, [...standard, ...known('7'), signed]])
    expect([second!.status, rdn(second!)]).toEqual([200, [...standard, ...known('7'), signed]])
  })

  it('is paid for twice on one channel, four requests in all: nothing is paid before it is asked for', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(`${table.server.url}/`)
    await client.get(`${table.server.url}/`)
    expect([balances(client), statuses(client)]).toEqual([
      ['none', '7', '7', '14'],
      [402, 200, 402, 200],
    ])
    expect(table.server.channel(table.sender, 1)).toMatchObject({ balance: 14n, signature: await sign(table, 14n) })
  })

  it('tops up when the deposit is used up, by five prices', async () => {
    const table = await openTable()
    const client = await newClient(table, { initialDeposit: (price) => 2n * price })
    for (let i = 0; i < 3; i += 1) expect((await client.get(`${table.server.url}/`)).status).toBe(200)
    expect(table.chain.acts).toEqual(['open 14', 'top up 35'])
  })

  it('repeats the body of a post, and a header of the caller takes the place of its own', async () => {
    const table = await openTable()
    const client = await newClient(table)
    const headers = { 'Content-Type': 'text/plain', accept: 'text/plain', 'RDN-Open-Block': '1' }
    const answer = await client.request('POST', `${table.server.url}/`, { headers, body: 'hello' })
    expect(answer.status).toBe(200)
    expect(table.server.requests.map(({ body }) => body)).toEqual(['hello', 'hello'])
    const paid = table.server.requests.at(-1)!
    expect(paid.lines.map(([name]) => name)).toEqual([
      ...['Host', 'User-Agent', 'Accept-Encoding', 'Connection'],
      ...['RDN-Contract-Address', 'RDN-Balance', 'RDN-Balance-Signature', 'RDN-Sender-Address', 'RDN-Receiver-Address'],
      ...['Content-Type', 'accept', 'RDN-Open-Block', 'Content-Length'],
    ])
    expect([header(paid, 'accept'), header(paid, 'content-length')]).toEqual(['text/plain', '5'])
  })

  it('tells nothing of the payment when the resource gives a value', async () => {
    const table = await openTable({ resource: () => ({ kind: 'value', body: "{'posted': 'a'}" }) })
    const answer = await (await newClient(table)).get(table.server.url)
    expect([answer.status, rdn(answer), answer.body]).toEqual([200, [], "{'posted': 'a'}"])
    expect(header(answer, 'Content-Type')).toBe('text/html; charset=utf-8')
  })

  it('keeps the payment when the resource fails, and the client takes it', async () => {
    const resource = () => {
      throw new Error('no tea')
    }
    const table = await openTable({ resource })
    const client = await newClient(table)
    expect([(await client.get(table.server.url)).status, statuses(client)]).toEqual([500, [402, 500]])
    expect(table.server.channel(table.sender, 1)?.balance).toBe(7n)
  })

  it('is no sale where nothing is asked for', async () => {
    const table = await openTable({ price: 0n })
    const answer = await (await newClient(table)).get(table.server.url)
    expect([answer.status, rdn(answer), table.chain.acts]).toEqual([200, [], []])
  })
})

describe('a client without a memory', () => {
  it('steps, is told what it paid, takes that over and pays', async () => {
    const table = await openTable()
    await (await newClient(table)).get(table.server.url)
    await (await newClient(table)).get(table.server.url)
    const third = await newClient(table)
    expect((await third.get(table.server.url)).status).toBe(200)
    // The first request names no channel, as nobody asked for money yet; the second pays from 0.
    expect(balances(third)).toEqual(['none', '7', '21'])
    expect(header(third.exchanges[1]!.answer, 'RDN-Invalid-Amount')).toBe('1')
    expect(table.chain.acts).toEqual(['open 70'])
  })

  it('pays from 0 what happens to be what it paid before, and is asked again', async () => {
    const table = await openTable()
    await (await newClient(table)).get(table.server.url)
    const second = await newClient(table)
    expect((await second.get(table.server.url)).status).toBe(200)
    expect(balances(second)).toEqual(['none', '7', '14'])
    expect(header(second.exchanges[1]!.answer, 'RDN-Invalid-Amount')).toBeUndefined()
  })
})

type Conversation = {
  title: string
  lie: Record<string, string>
  requests: number
  balances: number[]
  ends: 'never' | 'TypeError' | 'Error' | number
}
const file = new URL('../../test/vectors/uraiden-conversations.json', import.meta.url)
const { conversations } = JSON.parse(readFileSync(file, 'utf8')) as { conversations: Conversation[] }

describe('a server that', () => {
  it.each(conversations)('$title is sent $balances', async ({ lie, requests, balances: wanted, ends }) => {
    const table = await openTable()
    const claim = lie['kind'] === 'claim' && { balance: 3n, signature: await sign(table, 3n) }
    table.server.lie({ ...lie, ...claim } as Lie)
    const onAnswer: ClientOptions['onAnswer'] = (_, { length }) => length < requests
    const client = await newClient(table, ends === 'never' ? { onAnswer } : {})
    const outcome = await client.get(table.server.url).then(
      ({ status }) => status,
      (error: unknown) => (error as Error).constructor.name,
    )
    expect(outcome).toEqual(ends === 'never' ? 402 : ends)
    expect(balances(client).slice(1).map(Number)).toEqual(wanted)
    expect(client.exchanges).toHaveLength(requests)
  })

  it('remembers less than the client has paid gets the next payment on top of that', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(table.server.url)
    const known = { sender: table.sender, block: 1, deposit: 70n }
    table.server.know({ ...known, balance: 3n, signature: await sign(table, 3n) })
    expect((await client.get(table.server.url)).status).toBe(200)
    expect(balances(client)).toEqual(['none', '7', '7', '10'])
  })

  it('charges another price than it offered is paid that from 0', async () => {
    const table = await openTable()
    table.server.lie({ kind: 'price', price: 9n })
    const client = await newClient(table)
    expect((await client.get(table.server.url)).status).toBe(200)
    expect([balances(client), table.server.channel(table.sender, 1)?.balance]).toEqual([['none', '7', '9'], 9n])
  })

  it('asks for a fortune gets it, and the channel is topped up without a word', async () => {
    const table = await openTable({ price: ({ target }) => (target === '/huge' ? 10n ** 18n : PRICE) })
    const client = await newClient(table)
    await client.get(`${table.server.url}/`)
    expect((await client.get(`${table.server.url}/huge`)).status).toBe(200)
    expect(table.chain.acts).toEqual(['open 70', `top up ${5n * 10n ** 18n}`])
  })

  it.each(['RDN-Insufficient-Confirmations', 'RDN-Nonexisting-Channel', 'RDN-Invalid-Balance-Proof'] as const)(
    'says %s is sent the same again after five seconds',
    async (flag) => {
      const table = await openTable()
      table.server.lie({ kind: 'flag', flag, times: 3 })
      const pauses: number[] = []
      const client = await newClient(table, { wait: (ms) => void pauses.push(ms) })
      expect((await client.get(table.server.url)).status).toBe(200)
      expect(balances(client)).toEqual(['none', '7', '7', '7', '7'])
      expect(pauses).toEqual([5_000, 5_000, 5_000])
    },
  )

  it.each([
    ['offline', '"Ethereum node is not responding"\n'],
    ['broke', '"Channel manager ETH balance is below limit"\n'],
  ] as const)('is %s says 502, and the client leaves it at that', async (kind, body) => {
    const table = await openTable()
    table.server.lie({ kind })
    const client = await newClient(table)
    expect(await client.get(table.server.url)).toMatchObject({ status: 502, body })
    expect(client.exchanges).toHaveLength(1)
  })
})

paymentSuite('original', async () => {
  const { server, key, sender } = await openTable()
  let block = 11
  return {
    url: server.url,
    receiver: server.receiver,
    contract: CONTRACT,
    token: TOKEN,
    open(deposit) {
      server.know({ sender, block: ++block, deposit })
      return Promise.resolve({ key, sender, block })
    },
    close: () => server.close(),
  }
})

describe('the server', () => {
  async function ask(url: string, lines: Lines, method = 'GET', body = ''): Promise<Answer> {
    const connection = openConnection()
    endings.push(() => connection.close())
    return connection.send(method, url, lines, body)
  }

  it.each([
    ['RDN-Payment', '7', 'Payment must be an integer'],
    ['RDN-Price', '-1', 'Price must be a positive integer'],
    ['RDN-Balance', 'seven', 'RDN-Balance must be an integer'],
    ['RDN-Receiver-Address', '0x12', 'RDN-Receiver-Address must be an address'],
  ])('answers %s: %s with 409 and says that %s', async (name, value, message) => {
    const { server } = await openTable()
    const answer = await ask(server.url, [
      ['Host', 'x'],
      [name, value],
    ])
    expect([answer.status, answer.body]).toEqual([409, `${JSON.stringify(message)}\n`])
  })

  it('tells everybody about everybody', async () => {
    const table = await openTable()
    await (await newClient(table)).get(table.server.url)
    const read = async (path: string) => {
      const { status, body } = await ask(`${table.server.url}/api/1/${path}`, [['Host', 'x']])
      return [status, JSON.parse(body) as unknown]
    }
    expect(await read('stats')).toMatchObject([200, { balance_sum: 7, deposit_sum: 70, open_channels: 1 }])
    expect(await read('channels/')).toEqual([200, [{ sender_address: table.sender, blocks: [1] }]])
    expect(await read('channels/?status=closed')).toEqual([200, []])
    expect(await read('channels/?status=odd')).toMatchObject([400, { message: {} }])
    const own = { sender_address: table.sender, open_block: 1, state: 'open', deposit: 70, balance: 7 }
    expect(await read(`channels/${table.sender}`)).toEqual([200, [own]])
    expect(await read(`channels/${table.sender}/1`)).toMatchObject([200, { last_signature: await sign(table, 7n) }])
    expect(await read(`channels/${table.sender}/2`)).toEqual([404, 'Sender address not found'])
  })

  it.each([
    ['8', 400],
    ['6', 400],
    ['seven', 400],
    ['-7', 400],
    ['', 400],
    ['7', 200],
  ])('closes a channel of 7 for whoever says %j: %i', async (balance, status) => {
    const table = await openTable()
    await (await newClient(table)).get(table.server.url)
    const url = `${table.server.url}/api/1/channels/${table.sender}/1?balance=${balance}`
    expect((await ask(url, [['Host', 'x']], 'DELETE')).status).toBe(status)
    expect(table.server.channel(table.sender, 1)?.state).toBe(status === 200 ? 1 : 0)
  })

  it('cannot close a channel that nothing was paid on', async () => {
    const table = await openTable()
    await table.chain.open(table.server.receiver, 70n)
    const url = `${table.server.url}/api/1/channels/${table.sender}/1?balance=0`
    expect((await ask(url, [['Host', 'x']], 'DELETE')).status).toBe(500)
  })
})

describe('the end', () => {
  it('is signed by both and brought to the chain by the client', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(`${table.server.url}/a`)
    const closed = await client.closeChannel()
    const { method, url, sent, body, answer } = client.exchanges.at(-1)!
    expect([method, url, body]).toEqual(['DELETE', `${table.server.url}/api/1/channels/${table.sender}/1`, 'balance=7'])
    expect([rdn({ lines: sent }), header({ lines: sent }, 'Content-Type')]).toEqual([
      [],
      'application/x-www-form-urlencoded',
    ])
    expect(JSON.parse(answer.body)).toEqual({ close_signature: closed?.closingSignature })
    expect([closed?.together, table.chain.acts.at(-1)]).toEqual([true, 'close at 7'])
    const { balanceSignature, closingSignature } = table.chain.closing()!
    const terms = { sender: table.sender, block: 1, balance: 7n, contract: CONTRACT }
    expect(balanceSignature).toBe(await sign(table, 7n))
    expect(await closingSigner(terms, closingSignature)).toBe(table.server.receiver)
  })

  it('is asked for at 0 when the server does not agree to the balance, or is gone', async () => {
    const table = await openTable()
    const client = await newClient(table)
    await client.get(table.server.url)
    table.server.know({ sender: table.sender, block: 1, deposit: 70n, balance: 3n, signature: await sign(table, 3n) })
    expect(await client.closeChannel()).toMatchObject({ together: false, answer: { status: 400 } })
    const other = await openTable()
    const forsaken = await newClient(other)
    await forsaken.get(other.server.url)
    await other.server.close()
    expect(await forsaken.closeChannel()).toEqual({ together: false })
    expect([table.chain.acts.at(-1), other.chain.acts.at(-1)]).toEqual(['ask to close at 0', 'ask to close at 0'])
  })
})

describe('a person with a browser', () => {
  it('reads the page, signs nothing, is told the balance, pays by cookies and comes back', async () => {
    const table = await openTable({ page: '<h1>Pay</h1>' })
    await table.chain.open(table.server.receiver, 70n)
    const channel = { receiver: table.server.receiver, block: 1 }
    const browser = createBrowser({ key: table.key, contract: CONTRACT, channel })
    endings.push(() => browser.end())
    expect((await browser.buy(`${table.server.url}/a`)).status).toBe(200)
    expect(browser.exchanges.map(({ answer }) => answer.status)).toEqual([402, 402, 200])
    expect(browser.exchanges[0]!.answer).toMatchObject({ body: '<h1>Pay</h1>' })
    expect(header(table.server.requests[1]!, 'Cookie')).toContain('RDN-Sender-Balance=0; ')
    const [cookie, ...others] = table.server.requests.at(-1)!.lines.filter(([name]) => /^(cookie|rdn-)/i.test(name))
    expect([others, cookie?.[1]]).toEqual([[], expect.stringContaining('RDN-Sender-Balance=7; ')])
    expect((await browser.buy(`${table.server.url}/a`)).status).toBe(200)
    expect(table.server.channel(table.sender, 1)?.balance).toBe(14n)
    const forgetful = createBrowser({ key: table.key, contract: CONTRACT, channel })
    endings.push(() => forgetful.end())
    expect((await forgetful.buy(`${table.server.url}/a`)).status).toBe(200)
    expect(table.server.channel(table.sender, 1)?.balance).toBe(21n)
    const { status, body } = await forgetful.askToClose(table.server.url, 21n)
    expect([status, Object.keys(JSON.parse(body) as object)]).toEqual([200, ['close_signature']])
  })
})
