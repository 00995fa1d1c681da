/** A client that signs deposits which the receiver sends: honest receivers, and those that are not. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeFunctionData, erc20Abi, toHex, type Address } from 'viem'
import { afterAll, describe, expect, it } from 'vitest'
import type { Channel } from '../src/channel/channel.ts'
import type { Limits } from '../src/receiver/context.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import { createClient, type Client, type ClientConfig, type Progress } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { listen, newAccount, newReceiver, openShop, railOf, rpc, startWorld, until } from './support/market.ts'
import { mint, newToken } from './support/tokens.ts'
import { challengeOf, fundingOf } from './support/wire.ts'

const world = await startWorld()
const token = await newToken(world, 'DollarToken (proxy)')
const endings: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of endings.reverse()) await end()
  await world.anvil.stop()
})

type Stall = { readonly url: string; readonly receiver: Receiver }

/** A receiver that sends deposits for others. */
async function newStall(relay: Limits['relay'] = { minDeposit: 50n, perSenderPerHour: 100 }): Promise<Stall> {
  const receiver = await newReceiver(world, { rails: [railOf(world, token)], limits: { relay } })
  const { url, close } = await openShop(receiver)
  endings.push(
    () => receiver.stop(),
    () => close(),
  )
  if (relay) await until(async () => fundingOf(challengeOf(await fetch(`${url}/x`))).isSent === true)
  return { url, receiver }
}

/** A client with tokens, and with `coins` for gas. */
async function newSpender(config: Partial<ClientConfig> = {}, coins = 0n, tokens = 1_000n) {
  const account = await newAccount(world, 0n)
  await rpc(world, 'anvil_setBalance', account.address, toHex(coins))
  await mint(world, token, account.address, tokens)
  const told: Progress[] = []
  const client = await createClient({
    account: account.privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
    deposit: () => 100n,
    escrows: [world.escrow],
    tokens: [token],
    retryMs: 10,
    onProgress: (progress) => void told.push(progress),
    ...config,
  })
  return { client, account, told }
}

async function all(client: Client): Promise<Channel[]> {
  const channels: Channel[] = []
  for await (const channel of client.channels()) channels.push(channel)
  return channels
}

const nonce = async (address: Address) => Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

async function held(by: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [by] })
  return BigInt(await world.chain.call({ to: token, data }))
}

const RICH = 10n ** 18n

/** Hands on to a stall, after `meddle` has had a look: what it returns is answered instead. */
async function between(
  stall: Stall,
  meddle: (payload: string, count: number) => Promise<Response | undefined> | Response | undefined,
) {
  let count = 0
  const { url, close } = await listen((incoming, outgoing) => {
    void (async () => {
      const { authorization = '' } = incoming.headers
      const headers = authorization ? { authorization } : {}
      const instead = authorization ? await meddle(payloadIn(authorization), (count += 1)) : undefined
      const answer = instead ?? (await fetch(`${stall.url}${incoming.url}`, { headers }))
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })()
  })
  endings.push(() => close())
  return url
}

function payloadIn(authorization: string): string {
  return Buffer.from(authorization.replace(/^Payment /, ''), 'base64url').toString()
}

const refusal = (code: string) =>
  Response.json({ code, detail: 'No.' }, { status: 402, headers: { 'content-type': 'application/problem+json' } })

describe('a client without coins', () => {
  it('opens, tops up and buys with signatures alone', async () => {
    const stall = await newStall()
    const { client, account, told } = await newSpender()
    const { get } = client.session()
    for (let i = 0; i < 25; i += 1) expect((await get(`${stall.url}/${i}`)).status).toBe(200)
    expect(await all(client)).toMatchObject([{ deposit: 200n, charged: 125n, status: 'open' }])
    expect([await nonce(account.address), await held(account.address)]).toEqual([0, 800n])
    expect(told.filter(({ step }) => step === 'signing')).toHaveLength(2)
  })

  it('opens once, however many requests come first', async () => {
    const stall = await newStall()
    const { client } = await newSpender()
    const { fetch: pay } = client.session()
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => pay(`${stall.url}/${i}`)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    expect(await all(client)).toMatchObject([{ deposit: 100n, charged: 40n }])
  })

  it('is told that it needs coins where the receiver does not send', async () => {
    const stall = await newStall(false)
    const { client, account } = await newSpender()
    await expect(client.session().get(`${stall.url}/x`)).rejects.toThrow('cannot pay for the transaction')
    expect(await held(account.address)).toBe(1_000n)
  })
})

describe('a receiver that refuses what it offered to send', () => {
  it('gets the same deposit by a transaction, and no second one', async () => {
    const stall = await newStall({ minDeposit: 50n, perHour: 0 })
    const { client, account, told } = await newSpender({}, RICH)
    expect((await client.session().get(`${stall.url}/x`)).status).toBe(200)
    expect(await all(client)).toMatchObject([{ deposit: 100n, charged: 5n }])
    expect([await nonce(account.address), await held(account.address)]).toEqual([1, 900n])
    expect(told.filter(({ step }) => step === 'signing')).toHaveLength(1)
  })

  it.each(['open', 'topUp'])('and sends it all the same makes no second deposit: %s', async (action) => {
    const stall = await newStall()
    const { client, account } = await newSpender({}, RICH)
    if (action === 'topUp') for (let i = 0; i < 20; i += 1) await client.session().get(`${stall.url}/${i}`)
    const before = await held(account.address)
    // It sends it, and says that it did not.
    const lying = await between(stall, async (payload) => {
      if (!payload.includes(`"action":"${action}"`) || !payload.includes('"authorization":{')) return undefined
      const authorization = `Payment ${Buffer.from(payload).toString('base64url')}`
      await fetch(`${stall.url}/x`, { headers: { authorization } })
      return refusal('payment-unsupported')
    })
    expect((await client.session().get(`${lying}/x`)).status).toBe(200)
    expect(before - (await held(account.address))).toBe(100n)
    expect(await all(client)).toMatchObject([{ deposit: action === 'open' ? 100n : 200n }])
  })
})

describe('a deposit that was handed over', () => {
  it('and got lost is handed over again after a restart, and is made once', async () => {
    const stall = await newStall()
    const folder = mkdtempSync(join(tmpdir(), 'farthing-handed-'))
    const account = await newAccount(world, 0n)
    await rpc(world, 'anvil_setBalance', account.address, '0x0')
    await mint(world, token, account.address, 1_000n)
    const seen: string[] = []
    const url = await between(stall, (payload, count) => {
      const { payload: sent } = JSON.parse(payload) as { payload: { type?: string; signature: string } }
      if (sent.type === 'authorization') seen.push(sent.signature)
      // Nobody answers what it was the first time.
      return count === 1 ? new Response('', { status: 502 }) : undefined
    })
    const visit = async (at: string) => {
      const store = sqlite(join(folder, 'state.db'))
      try {
        const { client } = await newSpender({ account: account.privateKey, store })
        const response = await client.session().get(`${at}/x`)
        return [response.status, await all(client)]
      } finally {
        await store.close()
      }
    }
    const gone: typeof fetch = () => Promise.reject(new Error('killed'))
    const store = sqlite(join(folder, 'state.db'))
    const dying = await newSpender({
      account: account.privateKey,
      store,
      fetch: async (input, init) => {
        const sent = new Headers(init?.headers).get('authorization')
        if (sent) seen.push((JSON.parse(payloadIn(sent)) as { payload: { signature: string } }).payload.signature)
        return sent ? gone(input, init) : fetch(input, init)
      },
    })
    await expect(dying.client.session().get(`${stall.url}/x`)).rejects.toThrow()
    await store.close()
    expect(await visit(url)).toMatchObject([200, [{ deposit: 100n }]])
    expect([new Set(seen).size, await held(account.address)]).toEqual([1, 900n])
    rmSync(folder, { recursive: true })
  })

  it('and is over is forgotten, and another one is made', async () => {
    const stall = await newStall()
    const store = memory()
    const { client, account } = await newSpender({
      store,
      fetch: (input, init) =>
        new Headers(init?.headers).has('authorization') ? Promise.reject(new Error('killed')) : fetch(input, init),
    })
    await expect(client.session().get(`${stall.url}/x`)).rejects.toThrow()
    await rpc(world, 'evm_increaseTime', 1_801)
    await rpc(world, 'evm_mine')
    await until(async () => stall.receiver.live.headTime >= (await world.chain.head()).time)
    const next = await newSpender({ store, account: account.privateKey })
    expect((await next.client.session().get(`${stall.url}/x`)).status).toBe(200)
    expect(next.told.filter(({ step }) => step === 'signing')).toHaveLength(1)
    expect([(await all(next.client)).length, await held(account.address)]).toEqual([1, 900n])
  })
})
