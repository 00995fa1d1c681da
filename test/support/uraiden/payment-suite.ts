/**
 * What a server answers to a client of µRaiden 0.2, on the wire, whoever wrote
 * the server. It sells "foo" for 7 on every path, at `url`.
 */
import type { Address, Hex } from 'viem'
import { afterEach, describe, expect, it } from 'vitest'
import { cookiesOf, createBrowser, PAGE_ACCEPT } from './browser.ts'
import { header, openConnection, type Answer, type Lines } from './exchange.ts'
import { DEPOSIT, paymentCases, PRICE, type Expected } from './payment-cases.ts'
import { signBalance } from './signing.ts'

export type ServerUnderTest = {
  /** Without a slash at its end. */
  readonly url: string
  readonly receiver: Address
  readonly contract: Address
  readonly token: Address
  /** A new channel to it, which it knows and trusts. */
  open(deposit: bigint): Promise<Buyer>
  close(): Promise<void>
}

/** Who pays from a channel, by hand. */
export type Buyer = { readonly key: Hex; readonly sender: Address; readonly block: number }

/** `whose`: the answers of 2018, or the right ones. `start` is called for each test. */
export function paymentSuite(whose: 'original' | 'ours', start: () => Promise<ServerUnderTest>): void {
  const endings: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of endings.splice(0)) await end()
  })

  async function openTable(deposit = DEPOSIT) {
    const server = await start()
    endings.push(() => server.close())
    const buyer = await server.open(deposit)
    const connection = openConnection()
    endings.unshift(() => connection.close())
    const get = (lines: Lines) => connection.send('GET', `${server.url}/a`, [['Host', '127.0.0.1'], ...lines])
    return { server, buyer, get, sign: (balance: bigint) => sign(server, buyer, balance) }
  }

  describe('a payment', () => {
    it.each(paymentCases)('of $title', async ({ balance = 2n * PRICE, deposit = DEPOSIT, ...one }) => {
      const { server, buyer, get, sign } = await openTable(deposit)
      const before = await get(await proofLines(server, buyer, PRICE))
      expect([before.status, before.body]).toEqual([200, 'foo'])
      const change = {
        ...one.change,
        ...(one.signature && { 'RDN-Balance-Signature': one.signature(await sign(balance)) }),
      }
      const answer = await get(replaced(await proofLines(server, buyer, balance), change))
      expectAnswer(answer, (whose === 'ours' && one.ours) || one.original, await sign(PRICE))
    })

    it('in headers of other capitals', async () => {
      const { server, buyer, get } = await openTable()
      const lines = await proofLines(server, buyer, PRICE)
      expect((await get(lines.map(([name, value]) => [name.toLowerCase(), value]))).status).toBe(200)
    })

    it('of an address in lower case', async () => {
      const { server, buyer, get } = await openTable()
      const change = { 'RDN-Sender-Address': buyer.sender.toLowerCase() }
      expect((await get(replaced(await proofLines(server, buyer, PRICE), change))).status).toBe(200)
    })

    it('in cookies, which take the place of headers', async () => {
      const { server, buyer, get, sign } = await openTable()
      const names = ['RDN-Sender-Address', 'RDN-Open-Block', 'RDN-Sender-Balance', 'RDN-Balance-Signature']
      const values = [buyer.sender, `${buyer.block}`, `${PRICE}`, await sign(PRICE)]
      const cookie = names.map((name, index) => `${name}=${values[index]!}`).join('; ')
      const wrong = replaced(await proofLines(server, buyer, 1n), { 'RDN-Open-Block': '1' })
      expect((await get([...wrong, ['Cookie', cookie]])).status).toBe(200)
    })
  })

  describe('an offer', () => {
    it('is five headers', async () => {
      const { server, get } = await openTable()
      const answer = await get([
        ['Accept', '*/*'],
        ['RDN-Contract-Address', server.contract],
      ])
      expect(answer.status).toBe(402)
      if (whose === 'original') expect([answer.body, header(answer, 'Content-Type')]).toEqual(['', 'application/json'])
      else expect(JSON.parse(answer.body)).toMatchObject({ status: 402, code: 'payment-required' })
      expect(new Map(rdn(answer).filter(([name]) => name !== 'RDN-Due'))).toEqual(
        new Map([
          ['RDN-Gateway-Path', '/api/1'],
          ['RDN-Receiver-Address', server.receiver],
          ['RDN-Contract-Address', server.contract],
          ['RDN-Token-Address', server.token],
          ['RDN-Price', `${PRICE}`],
        ]),
      )
    })

    it.each([
      ['*/*', false],
      ['', false],
      ['application/json', false],
      ['text/html;q=0.5, */*', false],
      ['application/json, */*;q=0.1', whose === 'original'],
      [PAGE_ACCEPT, true],
    ])('to those who accept "%s" is a page and cookies: %s', async (accept, isPage) => {
      const { get } = await openTable()
      const answer = await get(accept ? [['Accept', accept]] : [])
      expect([answer.status, header(answer, 'Content-Type')?.startsWith('text/html')]).toEqual([402, isPage])
      expect([...cookiesOf(answer)].sort()).toEqual(isPage ? [...rdn(answer)].sort() : [])
    })
  })

  it('a person pays on the page, goes on, and starts again in another browser', async () => {
    const { server, buyer } = await openTable()
    const options = { key: buyer.key, contract: server.contract, channel: { ...buyer, receiver: server.receiver } }
    for (const visits of [2, 1]) {
      const browser = createBrowser(options)
      endings.unshift(() => browser.end())
      for (let visit = 0; visit < visits; visit += 1) {
        expect(await browser.buy(`${server.url}/a`)).toMatchObject({ status: 200, body: 'foo' })
      }
      expect(browser.exchanges[0]!.answer.status).toBe(402)
    }
  })

  it('the same payment twice at once is good for one', async () => {
    const { server, buyer, get } = await openTable()
    const lines = await proofLines(server, buyer, PRICE)
    const other = openConnection()
    endings.unshift(() => other.close())
    const answers = await Promise.all([get(lines), other.send('GET', `${server.url}/b`, [['Host', 'x'], ...lines])])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 402])
  })
}

/** The headers with which the Python client pays `balance`, cumulative, in its order. */
export async function proofLines(server: ServerUnderTest, buyer: Buyer, balance: bigint): Promise<Lines> {
  return [
    ['RDN-Contract-Address', server.contract],
    ['RDN-Balance', `${balance}`],
    ['RDN-Balance-Signature', await sign(server, buyer, balance)],
    ['RDN-Sender-Address', buyer.sender],
    ['RDN-Receiver-Address', server.receiver],
    ['RDN-Open-Block', `${buyer.block}`],
  ]
}

/** The headers of payment in an answer, with their capitals. */
export function rdn({ lines }: { readonly lines: Lines }): Lines {
  return lines.filter(([name]) => name.startsWith('RDN-'))
}

function sign({ receiver, contract }: ServerUnderTest, { key, block }: Buyer, balance: bigint): Promise<Hex> {
  return signBalance(key, { receiver, block, balance, contract })
}

function replaced(lines: Lines, change: Readonly<Record<string, string | undefined>>): Lines {
  const kept = lines.filter(([name]) => !(name in change))
  return [
    ...kept,
    ...Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  ]
}

function isFlag(name: string): boolean {
  return /^RDN-(Nonexisting|Insufficient|Invalid)-/.test(name)
}

function expectAnswer(answer: Answer, { status, flags, told }: Expected, signature: Hex): void {
  expect(status).toContain(answer.status)
  if (status.length === 1)
    expect(rdn(answer).flatMap(([name, value]) => (isFlag(name) && value === '1' ? [name] : []))).toEqual(flags)
  if (answer.status === 200) expect(answer.body).toBe('foo')
  if (told === undefined) return
  const shown = ['RDN-Sender-Balance', 'RDN-Balance-Signature'].map((name) => header(answer, name))
  expect(shown).toEqual(told ? [`${PRICE}`, signature] : [undefined, undefined])
}
