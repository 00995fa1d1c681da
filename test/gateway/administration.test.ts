/** Who administers, and what an order does. */
import { getAddress, type Hex } from 'viem'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createTokens } from '../../src/gateway/tokens.ts'
import { ChainUnavailableError, NoGasError, TransactionUnknownError } from '../../src/base/faults.ts'
import { createGateway, hashPassword, type GatewayOptions } from '../../src/gateway/gateway.ts'
import type { Receiver, ReceiverConfig } from '../../src/receiver/receiver.ts'
import {
  listen,
  newAccount,
  newBuyer,
  openShop,
  raidenRail,
  railOf,
  rpc,
  startWorld,
  tokensOf,
  until,
  walletOf,
} from '../support/market.ts'
import { openConnection } from '../support/uraiden/exchange.ts'
import { closingSigner } from '../support/uraiden/signing.ts'
import { ask, cheapHash, openStand, type Stand } from './stand.ts'

const world = await startWorld()
const users = [
  { name: 'ops', password: cheapHash('correct horse: battery') },
  { name: 'zoë', password: cheapHash('пароль') },
]
const stand = await openStand(world, { options: { users } })
afterAll(async () => {
  await stand.close()
  await world.anvil.stop()
})

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A stand of its own, for orders that are about everything. */
async function ownStand(given: { config?: Partial<ReceiverConfig>; options?: GatewayOptions } = {}): Promise<Stand> {
  const here = await openStand(world, { ...given, options: { users, ...given.options } })
  endings.push(() => here.close())
  return here
}

function basic(name: string, password = ''): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` }
}
const OPS = basic('ops', 'correct horse: battery')

async function tokenOf({ api }: Stand): Promise<string> {
  const [status, body] = await ask(`${api}/login`, { headers: OPS })
  if (status !== 200) throw new Error(`the login was answered with ${status}`)
  return (body as { token: string }).token
}

/** One gateway without the rest, whose clock is ours and whose clients say who they are. */
async function clocked(receiver: Receiver, options: GatewayOptions = {}) {
  const clock = { ms: Date.now() }
  const clientOf = (request: { headers: Record<string, string | string[] | undefined> }) =>
    String(request.headers['x-client'])
  const gateway = createGateway(receiver, { users, now: () => clock.ms, clientOf, ...options })
  const { url, close } = await listen((request, response) => void gateway.serve(request, response))
  endings.push(close)
  const from = (client: string, path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/api/1${path}`, { headers: { 'X-Client': client, ...headers } })
  return { clock, from }
}

describe('a login', () => {
  it('gives a token that stands for the password, until it is logged out', async () => {
    const token = await tokenOf(stand)
    expect(token).toMatch(/^[\w-]{43}$/)
    const headers = basic(token)
    expect(await ask(`${stand.api}/admin`, { headers })).toEqual([200, 'OK'])
    expect(await ask(`${stand.api}/login`, { headers })).toEqual([200, { token }])
    expect(await ask(`${stand.api}/logout`, { headers })).toEqual([200, 'OK'])
    expect((await ask(`${stand.api}/admin`, { headers }))[0]).toBe(401)
    expect((await ask(`${stand.api}/logout`, { headers }))[0]).toBe(401)
  })

  it('takes names and passwords in any letters', async () => {
    expect((await ask(`${stand.api}/login`, { headers: basic('zoë', 'пароль') }))[0]).toBe(200)
  })

  it('of a user that there is not is refused like a wrong password, and takes as long', async () => {
    const { from } = await clocked(stand.receiver)
    const times: Record<string, number[]> = { ops: [], nobody: [] }
    const said = new Set<string>()
    for (let round = 0; round < 4; round += 1) {
      for (const name of ['ops', 'nobody']) {
        const start = performance.now()
        const response = await from(`${name}${round}`, '/login', basic(name, 'wrong'))
        times[name]!.push(performance.now() - start)
        const [, realm] = [...response.headers].find(([header]) => header === 'www-authenticate') ?? []
        said.add(`${response.status} ${realm} ${await response.text()}`)
      }
    }
    expect([...said].map((one) => one.slice(0, 16))).toEqual(['401 Basic realm='])
    const least = (name: string) => Math.min(...times[name]!)
    expect(least('nobody') / least('ops')).toBeGreaterThan(0.5)
  })

  it.each([
    ['nothing', {}],
    ['a wrong password', basic('ops', 'battery')],
    ['the password of another', basic('zoë', 'correct horse: battery')],
    ['a password under a name that nobody has', basic('nobody', 'correct horse: battery')],
    ['a password under no name', basic('', 'correct horse: battery')],
    ['a name alone', basic('ops')],
    ['the hash', basic('ops', users[0]!.password)],
    ['no base64', { Authorization: 'Basic §' }],
    ['another scheme', { Authorization: 'Bearer correct' }],
    ['a token that nobody has', basic('A'.repeat(43))],
  ])('with %s is none', async (_what, headers) => {
    const { from } = await clocked(stand.receiver)
    for (const path of ['/login', '/admin', '/logout', '/admin/channels']) {
      const response = await from('one', path, headers)
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="/)
      expect(await response.json()).toMatchObject({ status: 401 })
    }
  })

  it('is for nobody unless there are users', async () => {
    const { from } = await clocked(stand.receiver, { users: [] })
    for (const headers of [basic('admin', 'admin'), basic('', ''), basic('', 'x'), OPS])
      expect((await from('one', '/login', headers)).status).toBe(401)
  })

  it('that ends a password, and not a token, says so', async () => {
    expect(await ask(`${stand.api}/logout`, { headers: OPS })).toMatchObject([400, { status: 400 }])
  })

  it('that fails too often has to wait, wherever it comes from, and a token does not', async () => {
    const { clock, from } = await clocked(stand.receiver)
    const [, body] = [0, (await (await from('one', '/login', OPS)).json()) as { token: string }]
    const wrong = basic('ops', 'wrong')
    const failed = await Promise.all(Array.from({ length: 8 }, () => from('one', '/login', wrong)))
    expect(failed.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    const refused = await from('one', '/login', OPS)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
    expect((await from('one', '/admin', basic(body.token))).status).toBe(200)
    expect((await from('two', '/login', OPS)).status).toBe(200)
    clock.ms += 30_000
    expect((await from('one', '/login', OPS)).status).toBe(200)
    expect((await from('one', '/login', OPS)).status).toBe(200) // one that succeeds takes no room
    expect((await from('one', '/login', wrong)).status).toBe(401)
    expect((await from('one', '/login', wrong)).status).toBe(429)
  })

  it('that fails too often from everywhere has to wait everywhere', async () => {
    const { from } = await clocked(stand.receiver)
    const statuses: number[] = []
    for (let client = 0; client < 11; client += 1) {
      const asked = Array.from({ length: 5 }, () => from(`c${client}`, '/login', basic('', 'wrong')))
      for (const response of await Promise.all(asked)) statuses.push(response.status)
    }
    expect(statuses.filter((status) => status === 401).length).toBe(50)
    expect(statuses.at(-1)).toBe(429)
  })
})

describe('a token', () => {
  it('lives for ten minutes after it was last used', async () => {
    const { clock, from } = await clocked(stand.receiver)
    const { token } = (await (await from('one', '/login', OPS)).json()) as { token: string }
    for (let use = 0; use < 3; use += 1) {
      clock.ms += 599_000
      expect((await from('one', '/admin', basic(token))).status).toBe(200)
    }
    clock.ms += 600_000
    expect((await from('one', '/admin', basic(token))).status).toBe(401)
    clock.ms -= 1_000
    expect((await from('one', '/admin', basic(`${token}=`))).status).toBe(401)
  })

  it('is one of a bounded number, of which the one that was idle for longest goes', () => {
    const tokens = createTokens(() => 0)
    const [first, second] = [tokens.issue('ops'), tokens.issue('ops')]
    const more = Array.from({ length: 98 }, () => tokens.issue('ops'))
    expect(tokens.holderOf(first)).toBe('ops') // used, so that it is no more the oldest
    tokens.issue('ops')
    expect([tokens.holderOf(first), tokens.holderOf(second), tokens.holderOf(more[0]!)]).toEqual([
      'ops',
      undefined,
      'ops',
    ])
  })
})

describe('a request to administer', () => {
  /** By a client that may write any header. */
  async function send(method: string, path: string, lines: readonly (readonly [string, string])[], at = stand) {
    const connection = openConnection()
    endings.push(() => connection.close())
    const given = lines.some(([name]) => name === 'Host') ? lines : [['Host', new URL(at.url).host] as const, ...lines]
    const authorization = ['Authorization', OPS.Authorization!] as const
    return (await connection.send(method, `${at.api}${path}`, [...given, authorization])).status
  }

  it.each([
    ['of a page of another site', 'POST', [['Origin', 'https://evil.example']]],
    ['of a page of nowhere', 'POST', [['Origin', 'null']]],
    ['of a page of another port', 'POST', [['Origin', 'http://127.0.0.1:1']]],
    ['that another site embeds', 'GET', [['Sec-Fetch-Site', 'cross-site']]],
    ['of a page of a neighbour', 'GET', [['Sec-Fetch-Site', 'same-site']]],
    ['under a name that points here', 'GET', [['Host', 'evil.example']]],
    [
      'under a name that points here, by its own page',
      'POST',
      [
        ['Host', 'evil.example'],
        ['Origin', 'http://evil.example'],
      ],
    ],
    ['under no name that can be', 'GET', [['Host', 'a b']]],
  ] as const)('%s is refused', async (_what, method, lines) => {
    const path = method === 'GET' ? '/admin' : '/admin/settle'
    expect(await send(method, path, lines)).toBe(403)
    expect(await send('GET', '/login', lines)).toBe(403)
    expect(await send('GET', '/stats', lines)).toBe(403)
  })

  it('of its own page is served, under a name that is known', async () => {
    const here = await ownStand({ options: { hosts: ['api.example.com'] } })
    const { host } = new URL(here.url)
    expect(
      await send(
        'GET',
        '/admin',
        [
          ['Origin', here.url],
          ['Sec-Fetch-Site', 'same-origin'],
        ],
        here,
      ),
    ).toBe(200)
    expect(await send('GET', '/admin', [['Host', host.replace('127.0.0.1', 'localhost')]], here)).toBe(200)
    expect(await send('GET', '/admin', [['Host', '[::1]:80']], here)).toBe(200)
    expect(await send('GET', '/admin', [['Host', 'API.example.com']], here)).toBe(200)
    expect(
      await send(
        'GET',
        '/admin',
        [
          ['Host', 'api.example.com'],
          ['Origin', 'https://api.example.com'],
        ],
        here,
      ),
    ).toBe(200)
    expect(
      await send(
        'GET',
        '/admin',
        [
          ['Host', 'api.example.com:443'],
          ['Origin', 'https://api.example.com'],
        ],
        here,
      ),
    ).toBe(200)
    expect(
      await send(
        'GET',
        '/admin',
        [
          ['Host', 'api.example.com'],
          ['Origin', 'https://x.example.com'],
        ],
        here,
      ),
    ).toBe(403)
  })

  it('of nobody in particular is served under any name', async () => {
    const answer = await fetch(`${stand.api}/stats`, { headers: { Origin: 'https://evil.example' } })
    expect(answer.status).toBe(200)
  })

  it('changes nothing without a password', async () => {
    const customer = await stand.customer(1)
    for (const [method, path] of [
      ['DELETE', '/admin/channels'],
      ['POST', '/admin/channels'],
      ['POST', '/admin/settle'],
      ['DELETE', `/admin${customer.path}`],
    ] as const)
      expect((await ask(`${stand.api}${path}`, { method }))[0]).toBe(401)
    expect((await customer.pay(14n)).status).toBe(200)
    expect(await tokensOf(world, stand.receiver.address)).toBe(0n)
  })
})

describe('an administrator', () => {
  it('sees everything that a sender sees of its own', async () => {
    const here = await ownStand()
    const customer = await here.customer(2)
    const last_signature = await customer.balanceSignature(14n)
    const headers = OPS
    expect(await ask(`${here.api}${customer.path}`, { headers })).toMatchObject([200, { balance: 14, last_signature }])
    expect(await ask(`${here.api}/channels/${customer.address}`, { headers })).toMatchObject([200, [{ balance: 14 }]])
    expect(await ask(`${here.api}/stats`, { headers })).toMatchObject([200, { balance_sum: 14, open_channels: 1 }])
    const init = { method: 'DELETE', headers, body: new URLSearchParams({ balance: '14' }) }
    const [status, body] = await ask(`${here.api}${customer.path}`, init)
    expect(status).toBe(200)
    const terms = { sender: customer.address, block: customer.block, balance: 14n, contract: here.contract }
    expect(await closingSigner(terms, (body as { close_signature: Hex }).close_signature)).toBe(
      getAddress(here.receiver.address),
    )
    await until(
      async () => ((await ask(`${here.api}/stats`, { headers }))[1] as { open_channels: number }).open_channels === 0,
    )
    expect(await ask(`${here.api}/stats`)).toMatchObject([200, { balance_sum: null, open_channels: 1 }])
    const senders = async (status: string) => (await ask(`${here.api}/channels/?status=${status}`, { headers }))[1]
    expect([await senders('open'), await senders('closed')]).toMatchObject([[], [{ blocks: [customer.block] }]])
  })

  it('closes one channel on chain', async () => {
    const here = await ownStand()
    const customer = await here.customer(2)
    const url = `${here.api}/admin${customer.path}`
    const [status, body] = await ask(url, { method: 'DELETE', headers: OPS })
    expect([status, body]).toMatchObject([200, { balance: 14, transaction: expect.stringMatching(/^0x/) as string }])
    expect(await tokensOf(world, here.receiver.address)).toBe(14n)
    await until(async () => (await customer.known())?.status === 'closed')
    expect(await ask(url, { method: 'DELETE', headers: OPS })).toMatchObject([410, { code: 'channel-not-open' }])
    expect(await ask(`${here.api}/stats`)).toMatchObject([200, { deposit_sum: 0, open_channels: 0 }])
    expect(await ask(`${here.api}/channels/?status=all`)).toEqual([200, []])
  })

  it('cannot close a channel without a voucher, or one that is not there', async () => {
    const customer = await stand.customer(0)
    const close = (path: string) => ask(`${stand.api}/admin${path}`, { method: 'DELETE', headers: OPS })
    expect(await close(customer.path)).toMatchObject([
      409,
      { detail: expect.stringMatching(/Nothing was ever paid/) as string },
    ])
    expect((await customer.pay(7n)).status).toBe(200)
    expect(await close(`/channels/${customer.address}/1`)).toMatchObject([404, { code: 'channel-not-found' }])
    expect(await close('/channels/0x12/1')).toMatchObject([400, { field: 'sender' }])
  })

  it('closes all channels of all rails, and one that fails is named and does not hold up the others', async () => {
    const here = await ownStand({ config: { rails: [raidenRail(world), railOf(world)] } })
    const shop = await openShop(here.receiver, 5n)
    endings.push(() => shop.close())
    const [good, bad, fresh] = [await here.customer(1), await here.customer(2), await here.customer(0)]
    const other = await newBuyer(world, here.receiver)
    expect((await other.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    const broken = { cumulativeAmount: 14n, signature: `0x${'11'.repeat(64)}1b` } as const
    await here.receiver.store.update((await bad.known())!.key, (now) => ({ ...now!, voucher: broken }))

    const [, records] = await ask(`${here.api}/admin/channels`, { headers: OPS })
    expect(records).toHaveLength(4)
    expect(records).toContainEqual({
      channel: (await good.known())!.key,
      protocol: 'rdn',
      sender_address: good.address,
      open_block: good.block,
      status: 'open',
      deposit: 100,
      balance: 7,
      charged: 7,
      settled: 0,
      close_agreed: null,
      last_signature: await good.balanceSignature(7n),
    })
    expect(await ask(`${here.api}/channels/`)).toMatchObject([200, { length: 3 }])

    const [status, body] = await ask(`${here.api}/admin/channels`, { method: 'POST', headers: OPS })
    expect(status).toBe(200)
    const of = (sender: string) => (body as { sender_address: string }[]).find((one) => one.sender_address === sender)
    expect(body).toHaveLength(4)
    expect(of(good.address)).toMatchObject({ outcome: 'closed', balance: 7, open_block: good.block })
    expect(of(bad.address)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^The contract does not take this/) as string,
    })
    expect(of(fresh.address)).toMatchObject({ outcome: 'no-voucher' })
    expect(of(other.account.address)).toMatchObject({ outcome: 'closed', balance: 5, open_block: null })
    expect(await tokensOf(world, here.receiver.address)).toBe(12n)
    await until(async () => (await good.known())?.status === 'closed')
    expect((await bad.pay(21n)).status).toBe(200)
    const [, again] = await ask(`${here.api}/admin/channels`, { method: 'DELETE', headers: OPS })
    expect((again as { outcome: string }[]).map(({ outcome }) => outcome).sort()).toEqual(['closed', 'no-voucher'])
  })

  it('settles all, and leaves the channels open', async () => {
    const here = await ownStand()
    const [one, two] = [await here.customer(1), await here.customer(3)]
    const [status, body] = await ask(`${here.api}/admin/settle`, { method: 'POST', headers: OPS })
    expect([status, (body as { amount: number; ok: boolean }[]).map(({ amount, ok }) => [amount, ok]).sort()]).toEqual([
      200,
      [
        [21, true],
        [7, true],
      ],
    ])
    expect(await tokensOf(world, here.receiver.address)).toBe(28n)
    expect((await one.pay(14n)).status).toBe(200)
    await until(async () => (await two.known())?.settled === 21n)
    expect(await ask(`${here.api}${two.path}`)).toMatchObject([200, { settled: 21, balance: null }])
  })

  it('hears of each channel that was not settled why, and of no node', async () => {
    const here = await ownStand()
    await here.customer(1)
    await rpc(world, 'anvil_setBalance', here.receiver.address, '0x0')
    const order = { method: 'POST', headers: OPS }
    const detail = "The receiver cannot pay for gas. Send it some of the chain's own coin."
    expect(await ask(`${here.api}/admin/settle`, order)).toEqual([
      200,
      [{ channel: expect.stringContaining('eip155:') as string, amount: 0, transaction: null, ok: false, detail }],
    ])
    await rpc(world, 'anvil_setBalance', here.receiver.address, '0xde0b6b3a7640000')
    const [, settled] = await ask(`${here.api}/admin/settle`, order)
    expect(settled).toMatchObject([{ amount: 7, ok: true }])
    expect((settled as object[])[0]).not.toHaveProperty('detail')
  })

  it('whose order takes long is not given it twice, and it is carried out though nobody waits', async () => {
    const key = await newAccount(world, 0n)
    const real = walletOf(world, key)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let sent = 0
    const send: typeof real.send = async (...call) => {
      sent += 1
      await held
      return real.send(...call)
    }
    const here = await ownStand({ config: { wallet: { ...real, send } } })
    const customer = await here.customer(1)
    const leave = new AbortController()
    const order = fetch(`${here.api}/admin/channels`, { method: 'POST', headers: OPS, signal: leave.signal })
    const gone = order.then((response) => response.text()).catch(() => 'gone')
    await until(() => sent === 1)
    expect((await ask(`${here.api}/admin/channels`, { method: 'POST', headers: OPS }))[0]).toBe(409)
    expect((await ask(`${here.api}/admin${customer.path}`, { method: 'DELETE', headers: OPS }))[0]).toBe(409)
    leave.abort()
    expect(await gone).toBe('gone')
    release()
    await until(async () => (await customer.known())?.status === 'closed')
    expect([sent, await tokensOf(world, here.receiver.address)]).toEqual([1, 7n])
    expect(await ask(`${here.api}/admin/channels`, { method: 'POST', headers: OPS })).toEqual([200, []])
  })

  it('is told what is wrong with the chain, and no address of a node', async () => {
    const key = await newAccount(world, 0n)
    const real = walletOf(world, key)
    const hash = `0x${'ab'.repeat(32)}`
    const faults = [
      new ChainUnavailableError('https://key@node'),
      new NoGasError(key.address),
      new TransactionUnknownError(hash),
      new Error('https://key@node'),
    ]
    const send = () => Promise.reject(faults.shift() ?? new Error('none is left'))
    const here = await ownStand({ config: { wallet: { ...real, send } } })
    const customer = await here.customer(1)
    const close = () => ask(`${here.api}/admin${customer.path}`, { method: 'DELETE', headers: OPS })
    const answers = [await close(), await close(), await close(), await close()]
    expect(answers.map(([status]) => status)).toEqual([503, 503, 504, 500])
    expect(answers[2]![1]).toMatchObject({ transaction: hash })
    expect(JSON.stringify(answers)).not.toContain('node"')
    expect(JSON.stringify(answers)).not.toContain('key@')
    expect((await customer.pay(14n)).status).toBe(200)
  })

  it('of a receiver without a key is told so', async () => {
    const here = await ownStand({ config: { address: world.accounts[5]!.address } })
    const customer = await here.customer(1)
    for (const [method, path] of [
      ['DELETE', `/admin${customer.path}`],
      ['POST', '/admin/channels'],
      ['POST', '/admin/settle'],
    ] as const)
      expect(await ask(`${here.api}${path}`, { method, headers: OPS })).toMatchObject([
        501,
        { code: 'payment-unsupported' },
      ])
  })
})

describe('a password', () => {
  it('is kept as a hash that is never the same twice', async () => {
    const [one, two] = [await hashPassword('x'), await hashPassword('x')]
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
    expect(one).not.toBe(two)
  })

  it('is not empty', async () => {
    await expect(hashPassword('')).rejects.toThrow('password: is empty')
  })

  it('is one of a user that is named once', () => {
    const twice = [users[0]!, users[0]!]
    expect(() => createGateway(stand.receiver, { users: twice })).toThrow('users[1].name: there are two')
  })
})
