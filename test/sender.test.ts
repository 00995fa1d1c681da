/** A client that buys: channels, budget, healing, endings, with real receivers and with receivers that lie. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeFunctionData, parseAbi, type Address, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { deploy } from '../src/chain/deploy.ts'
import { privateKeyToAccount } from 'viem/accounts'
import type { Channel } from '../src/channel/channel.ts'
import { createClient, paying, type Client, type ClientConfig } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { sqlite } from '../src/store/sqlite.ts'
import type { Store } from '../src/store/store.ts'
import { compile, plainToken } from './support/compile.ts'
import {
  listen,
  newAccount,
  newReceiver,
  openMarket,
  openShop,
  railOf,
  rpc,
  tokensOf,
  until,
} from './support/market.ts'

const { world, receiver, shop } = await openMarket()

type Account = { address: Address; privateKey: Hex }

async function newClient(config: Partial<ClientConfig> = {}, account?: Account): Promise<Client> {
  return createClient({
    account: (account ?? (await newAccount(world))).privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
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

const nonce = async ({ address }: { address: string }) =>
  Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

describe('a session', () => {
  it('opens a channel at the first visit, and makes one round trip and no transaction at the next (peer mistake 11)', async () => {
    const sent: string[] = []
    const counting: typeof fetch = (input, init) => {
      sent.push(init?.method ?? 'GET')
      return fetch(input, init)
    }
    const client = await newClient({ fetch: counting })
    const session = client.session()
    expect(await (await session.get(`${shop.url}/a`)).text()).toBe('foo')
    const transactions = await nonce(client)
    const before = sent.length
    expect((await session.get(`${shop.url}/a`)).status).toBe(200)
    expect(sent.length - before).toBe(1)
    expect(await nonce(client)).toBe(transactions)
    expect(await all(client)).toMatchObject([{ status: 'open', deposit: 500n, charged: 10n }])
  })

  it.each(['get', 'post', 'put', 'patch', 'delete'] as const)('buys with %s', async (method) => {
    const session = (await newClient()).session()
    const init = method === 'get' ? {} : { body: 'hello' }
    const response = await session[method](`${shop.url}/${method}`, init)
    expect([response.status, shop.calls.at(-1)?.method]).toEqual([200, method.toUpperCase()])
  })

  it('asks for nothing with head and options', async () => {
    const session = (await newClient()).session()
    expect((await session.options(`${shop.url}/x`)).status).toBe(204)
    expect((await session.request('GET', `${shop.url}/x`)).status).toBe(200)
  })

  it('believes no old receipt: an answer that is given again lowers nothing', async () => {
    const client = await newClient({ ahead: { requests: 10 } })
    const { get } = client.session()
    const first = () => get(`${shop.url}/old`, { headers: { 'Idempotency-Key': 'old' } })
    expect((await first()).status).toBe(200)
    expect([(await get(`${shop.url}/b`)).status, (await get(`${shop.url}/c`)).status]).toEqual([200, 200])
    const again = await first()
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    expect((await all(client))[0]!.charged).toBeGreaterThanOrEqual(15n)
    expect((await get(`${shop.url}/d`)).status).toBe(200)
  })

  it('serves sixteen at once on one channel that it opens once, with sixteen charges', async () => {
    const client = await newClient()
    const { fetch: pay } = client.session()
    const transactions = await nonce(client)
    const responses = await Promise.all(Array.from({ length: 16 }, (_, i) => pay(`${shop.url}/${i}`)))
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200))
    expect((await nonce(client)) - transactions).toBe(1)
    const [channel] = await all(client)
    expect(channel).toMatchObject({ charged: 80n, voucher: { cumulativeAmount: 80n } })
    expect(await receiver.store.get(channel!.key)).toMatchObject({ charged: 80n })
  })

  it('tops the channel up when the deposit runs low, and opens no second one', async () => {
    const client = await newClient({ deposit: () => 12n })
    const { get } = client.session()
    for (let i = 0; i < 5; i += 1) expect((await get(`${shop.url}/a`)).status).toBe(200)
    expect(await all(client)).toMatchObject([{ deposit: 36n, charged: 25n }])
  })

  it('can be had as a fetch in one line', async () => {
    const account = await newAccount(world)
    const fetch = await paying({
      account: account.privateKey,
      chain: world.chain,
      store: memory(),
      budget: { perRequest: 5n, deposit: 500n },
      escrows: [world.escrow],
      tokens: [world.token],
    })
    expect(await (await fetch(`${shop.url}/a`)).text()).toBe('foo')
  })

  it('signs vouchers with another key than the account when it is given one', async () => {
    const signer = (await newAccount(world, 0n)).privateKey
    const client = await newClient({ signer })
    expect((await client.session().get(`${shop.url}/a`)).status).toBe(200)
    expect(await all(client)).toMatchObject([{ signer: privateKeyToAccount(signer).address.toLowerCase() }])
  })

  it('follows a redirect and pays the place it leads to, not the one it came from', async () => {
    const { url, close } = await listen((_request, response) =>
      response.writeHead(302, { location: `${shop.url}/a` }).end(),
    )
    const client = await newClient()
    expect(await (await client.session().get(`${url}/here`)).text()).toBe('foo')
    await close()
  })

  it('uses credit that came back from a failed request', async () => {
    let fail = true
    const stall = await openShop(receiver, 5n, (_request, response) => {
      response.statusCode = fail ? 500 : 200
      response.end('x')
    })
    const client = await newClient()
    const { get } = client.session()
    expect((await get(`${stall.url}/a`)).status).toBe(500)
    fail = false
    expect((await get(`${stall.url}/a`)).status).toBe(200)
    expect((await get(`${stall.url}/a`)).status).toBe(200)
    const [channel] = await all(client)
    expect(channel).toMatchObject({ charged: 10n })
    expect((await receiver.store.get(channel!.key))!.charged).toBe(10n)
    await stall.close()
  })
})

describe('tokens', () => {
  const mint = (token: Address, to: Address) =>
    world.wallet(world.accounts[0]!).send({
      to: token,
      data: encodeFunctionData({ abi: parseAbi(['function mint(address,uint256)']), args: [to, 10_000n] }),
    })

  it.each([
    ['an ERC-20 by approve and open', '', 2],
    [
      'an ERC-223 in one transfer',
      `function transfer(address to, uint256 value, bytes calldata data) external {
         _move(msg.sender, to, value);
         (bool ok, ) = to.call(abi.encodeWithSignature("tokenFallback(address,uint256,bytes)", msg.sender, value, data));
         require(ok);
       }`,
      1,
    ],
    [
      'an ERC-677 in one transfer',
      `function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool) {
         _move(msg.sender, to, value);
         (bool ok, ) = to.call(abi.encodeWithSignature("onTokenTransfer(address,uint256,bytes)", msg.sender, value, data));
         require(ok);
         return true;
       }`,
      1,
    ],
    [
      'one that refuses its own transferAndCall, the plain way',
      'function transferAndCall(address, uint256, bytes calldata) external pure returns (bool) { revert("no"); }',
      2,
    ],
  ])('pays in %s, and tops up the same way', async (_what, extra, transactions) => {
    const deployer = privateKeyToAccount(world.accounts[9]!.privateKey)
    const token = await deploy(world.anvil.url, deployer, compile('Token', plainToken(extra)))
    const here = await newReceiver(world, { rails: [railOf(world, token)] })
    const stall = await openShop(here)
    const account = await newAccount(world, 0n)
    await mint(token, account.address)
    const client = await newClient({ tokens: [token], deposit: () => 5n }, account)
    expect((await client.session().get(`${stall.url}/a`)).status).toBe(200)
    expect(await nonce(account)).toBe(transactions)
    expect((await client.session().get(`${stall.url}/a`)).status).toBe(200)
    expect(await nonce(account)).toBe(2 * transactions)
    await stall.close()
    await here.stop()
  })

  it('that do not suffice are missed before anything is signed', async () => {
    const account = await newAccount(world, 4n)
    const client = await newClient({}, account)
    await expect(client.session().get(`${shop.url}/a`)).rejects.toThrow(/holds 4 of token .* the deposit is 5/)
    expect(await nonce(account)).toBe(0)
  })

  it('are of no use without coins for gas, which is said before anything is sent', async () => {
    const account = await newAccount(world)
    await rpc(world, 'anvil_setBalance', account.address, '0x0')
    const client = await newClient({}, account)
    await expect(client.session().get(`${shop.url}/a`)).rejects.toThrow('cannot pay for the transaction')
  })
})

describe('a budget', () => {
  it('refuses a price above it before the key is touched', async () => {
    const client = await newClient({ budget: { perRequest: 4n, deposit: 1_000n } })
    await expect(client.session().get(`${shop.url}/a`)).rejects.toThrow("This costs 5 and the budget's perRequest is 4")
    expect([await nonce(client), await all(client)]).toEqual([0, []])
  })

  it('limits the deposit whatever the receiver suggests', async () => {
    const client = await newClient({ budget: { perRequest: 5n, deposit: 12n } })
    expect((await client.session().get(`${shop.url}/a`)).status).toBe(200)
    expect(await all(client)).toMatchObject([{ deposit: 12n }])
  })

  it.each([
    ['perOrigin', { perRequest: 5n, deposit: 100n, perOrigin: 12n }],
    ['perDay', { perRequest: 5n, deposit: 100n, perDay: 12n }],
  ])('%s holds for all sessions, and after a restart', async (limit, budget) => {
    const account = await newAccount(world)
    const folder = mkdtempSync(join(tmpdir(), 'farthing-budget-'))
    const path = join(folder, 'sender.db')
    for (const outcome of [200, 200, 'refused']) {
      const store = sqlite(path)
      const client = await newClient({ budget, store }, account)
      const response = client.session().get(`${shop.url}/a`)
      if (outcome === 200) expect((await response).status).toBe(200)
      else await expect(response).rejects.toThrow(`the budget's ${limit} is 12`)
      await store.close()
    }
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['escrow', { escrows: [] as Address[] }, 'Escrow contract 0x'],
    ['token', { tokens: [] as Address[] }, 'Token 0x'],
  ])('names an unknown %s and signs nothing', async (_what, config, message) => {
    const client = await newClient(config)
    await expect(client.session().get(`${shop.url}/a`)).rejects.toThrow(message)
    expect(await nonce(client)).toBe(0)
  })

  it('does not pay over plain http to another machine', async () => {
    const client = await newClient()
    await expect(client.session().get('http://192.0.2.1/a')).rejects.toThrow('is plain http and not this machine')
  })

  it.each([
    { perRequest: 0n, deposit: 5n },
    { perRequest: 5n, deposit: undefined as never },
  ])('of %o is refused at once', async (budget) => {
    await expect(newClient({ budget })).rejects.toThrow(/^budget\./)
  })
})

describe('a state', () => {
  it('that survives is used again: no transaction after a restart', async () => {
    const account = await newAccount(world)
    const folder = mkdtempSync(join(tmpdir(), 'farthing-state-'))
    for (let i = 1; i <= 2; i += 1) {
      const store = sqlite(join(folder, 'sender.db'))
      const client = await newClient({ store }, account)
      expect((await client.session().get(`${shop.url}/a`)).status).toBe(200)
      expect(await nonce(account)).toBe(1)
      expect(await all(client)).toMatchObject([{ charged: 5n * BigInt(i) }])
      await store.close()
    }
    rmSync(folder, { recursive: true })
  })

  it('that was lost is rebuilt from the chain and from our own signature, and signs no more than it must', async () => {
    const account = await newAccount(world)
    const first = await newClient({}, account)
    for (let i = 0; i < 3; i += 1) await first.session().get(`${shop.url}/a`)
    const second = await newClient({}, account)
    expect(await all(second)).toMatchObject([{ deposit: 500n, charged: 0n }])
    expect((await second.session().get(`${shop.url}/a`)).status).toBe(200)
    expect(await nonce(account)).toBe(1)
    expect(await all(second)).toMatchObject([{ charged: 20n, voucher: { cumulativeAmount: 20n } }])
  })

  it('of a channel that the receiver closed is healed: the next request opens a new one (peer mistake 8)', async () => {
    const client = await newClient()
    const { get } = client.session()
    expect((await get(`${shop.url}/a`)).status).toBe(200)
    const [channel] = await all(client)
    await receiver.close(channel!.key)
    expect((await get(`${shop.url}/a`)).status).toBe(200)
    expect((await all(client)).map(({ status }) => status).sort()).toEqual(['closed', 'open'])
  })

  it('is read from the chain at the start: what others did with the account is known', async () => {
    const account = await newAccount(world)
    const first = await newClient({}, account)
    await first.session().get(`${shop.url}/a`)
    const [channel] = await all(first)
    await (await first.channel(channel!.key)).topUp(70n)
    await (await first.channel(channel!.key)).requestClose()
    const second = await newClient({}, account)
    expect((await all(second))[0]).toMatchObject({ id: channel!.id, deposit: 570n, settled: 5n })
    expect(['closing', 'closed']).toContain((await all(second))[0]!.status)
  })
})

describe('an ending', () => {
  async function opened(store: Store = memory()) {
    const account = await newAccount(world)
    const client = await newClient({ store }, account)
    for (let i = 0; i < 3; i += 1) await client.session().get(`${shop.url}/a`)
    const [channel] = await all(client)
    return { account, client, channel: await client.channel(channel!.key), key: channel!.key }
  }

  it('together gives back at once what was not charged', async () => {
    const { account, channel } = await opened()
    const before = await tokensOf(world, account.address)
    expect(await channel.close()).toMatchObject({ settled: 15n, refunded: 485n })
    expect((await tokensOf(world, account.address)) - before).toBe(485n)
    // Until the receiver has heard of its own transaction, it would only name that again.
    const { key } = await channel.state()
    await until(async () => (await receiver.store.get(key))?.status === 'closed')
    await expect(channel.close()).rejects.toThrow(/refused the payment/)
  })

  it('alone pays what is owed, then takes the rest when the challenge period is over', async () => {
    const quiet = await newReceiver(world, { address: world.accounts[6]!.address })
    const stall = await openShop(quiet)
    const account = await newAccount(world)
    const client = await newClient({}, account)
    await client.session().get(`${stall.url}/a`)
    await quiet.stop()
    await stall.close()
    const [state] = await all(client)
    const channel = await client.channel(state!.key)
    await expect(channel.withdraw()).rejects.toThrow('Request its close first')
    const before = await tokensOf(world, world.accounts[6]!.address)
    await channel.requestClose()
    expect((await tokensOf(world, world.accounts[6]!.address)) - before).toBe(5n)
    await expect(channel.withdraw()).rejects.toThrow(/The challenge period is not over. Withdraw after 20/)
    await rpc(world, 'evm_increaseTime', 901)
    await rpc(world, 'evm_mine')
    const mine = await tokensOf(world, account.address)
    await channel.withdraw()
    expect((await tokensOf(world, account.address)) - mine).toBe(495n)
    expect(await channel.state()).toMatchObject({ status: 'closed', settled: 5n })
  })

  it('of an unknown channel is an error that names it', async () => {
    const client = await newClient()
    await expect(client.channel(`eip155:1:${world.escrow}:0x12`)).rejects.toThrow('There is no channel')
  })
})

describe('a receiver that lies', () => {
  /** Passes everything to an honest shop and may change the answer. */
  async function liar(
    change: (answer: Response, request: { count: number; paid: boolean }) => Promise<Response> | Response,
  ) {
    let count = 0
    const { url, close } = await listen((incoming, outgoing) => {
      void (async () => {
        count += 1
        const headers = new Headers(incoming.headers as Record<string, string>)
        const answer = await fetch(`${shop.url}${incoming.url}`, { method: incoming.method!, headers })
        const told = await change(answer, { count, paid: headers.has('authorization') })
        outgoing.writeHead(told.status, Object.fromEntries(told.headers))
        outgoing.end(Buffer.from(await told.arrayBuffer()))
      })()
    })
    return { url, close, asked: () => count }
  }
  const problem = (status: number, body: Record<string, string>, from: Response) =>
    new Response(JSON.stringify(body), {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'www-authenticate': from.headers.get('www-authenticate') ?? '',
      },
    })

  it('in an endless 402 is left after a few attempts, and is never promised more than one price', async () => {
    const unpaid = await fetch(`${shop.url}/a`)
    const { url, close, asked } = await liar(() => problem(402, { code: 'payment-required' }, unpaid))
    const client = await newClient()
    await expect(client.session().get(`${url}/a`)).rejects.toThrow('refused')
    expect(asked()).toBeLessThanOrEqual(6)
    expect((await all(client))[0]!.voucher).toMatchObject({ cumulativeAmount: 5n })
    await close()
  })

  it('about how much was charged is not believed without our signature', async () => {
    const unpaid = await fetch(`${shop.url}/a`)
    const lie = {
      code: 'underpaid',
      charged: '900',
      authorized: '900',
      least: '905',
      signature: `0x${'11'.repeat(64)}1b`,
    }
    const { url, close } = await liar((answer, { paid }) => (paid ? problem(402, lie, unpaid) : answer))
    const client = await newClient()
    await expect(client.session().get(`${url}/a`)).rejects.toThrow('claims to have charged 900')
    expect((await all(client))[0]!.voucher).toMatchObject({ cumulativeAmount: 5n })
    await close()
  })

  it('that it kept the payment without the service is told so, and signed nothing more', async () => {
    const client = await newClient()
    const { url, close } = await liar(async (answer, { paid }) => {
      if (!paid) return answer
      const [channel] = await all(client)
      const voucher = channel!.voucher!
      const kept = { charged: '5', authorized: '5', least: '10', signature: voucher.signature }
      return problem(402, { code: 'underpaid', ...kept }, await fetch(`${shop.url}/a`))
    })
    await expect(client.session().get(`${url}/a`)).rejects.toThrow(
      'claims to have charged 5; our own records say at most 0',
    )
    expect((await all(client))[0]!.voucher).toMatchObject({ cumulativeAmount: 5n })
    await close()
  })

  it('in a receipt changes nothing that we owe', async () => {
    const { url, close } = await liar((answer) => {
      const receipt = answer.headers.get('payment-receipt')
      if (!receipt) return answer
      const changed = { ...(JSON.parse(Buffer.from(receipt, 'base64url').toString()) as object), spent: '400' }
      const headers = new Headers(answer.headers)
      headers.set('payment-receipt', Buffer.from(JSON.stringify(changed)).toString('base64url'))
      return new Response(answer.body, { status: answer.status, headers })
    })
    const client = await newClient()
    expect((await client.session().get(`${url}/a`)).status).toBe(200)
    expect((await all(client))[0]).toMatchObject({ charged: 5n })
    await close()
  })

  it('with a thousandfold price at the second visit meets the budget', async () => {
    const dear = await openShop(receiver, 5_000n)
    const { url, close } = await liar(async (answer, { count }) => (count > 2 ? fetch(`${dear.url}/a`) : answer))
    const client = await newClient()
    const { get } = client.session()
    expect((await get(`${url}/a`)).status).toBe(200)
    await expect(get(`${url}/a`)).rejects.toThrow("This costs 5000 and the budget's perRequest is 100")
    await close()
    await dear.close()
  })

  it('by losing its answers is asked again and paid once (peer mistake 7)', async () => {
    let lost = 0
    const { url, close } = await listen((incoming, outgoing) => {
      void (async () => {
        const headers = new Headers(incoming.headers as Record<string, string>)
        const answer = await fetch(`${shop.url}${incoming.url}`, { method: incoming.method!, headers })
        if (headers.has('authorization') && lost++ === 0) incoming.socket.destroy()
        else
          outgoing
            .writeHead(answer.status, Object.fromEntries(answer.headers))
            .end(Buffer.from(await answer.arrayBuffer()))
      })()
    })
    const client = await newClient()
    const calls = shop.calls.length
    expect((await client.session().get(`${url}/a`)).status).toBe(200)
    expect([lost, shop.calls.length - calls]).toEqual([2, 1])
    const [channel] = await all(client)
    expect((await receiver.store.get(channel!.key))!.charged).toBe(5n)
    await close()
  })

  it('never answers: the caller can give up', async () => {
    const { url, close } = await listen(() => undefined)
    const client = await newClient()
    await expect(client.session().get(`${url}/a`, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
    await until(() => true)
    await close()
  })
})
