/** How a client puts in deposits: by what each token can do, found on the chain, over real tokens. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeFunctionData, erc20Abi, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, it } from 'vitest'
import { createChain } from '../src/chain/rpc.ts'
import type { Channel } from '../src/channel/channel.ts'
import type { Offer } from '../src/channel/messages.ts'
import { PERMIT2 } from '../src/escrow/session-signed.ts'
import { createClient, type Client, type ClientConfig, type Progress } from '../src/sender/index.ts'
import { memory } from '../src/store/memory.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { listen, newAccount, rpc, startWorld, walletOf } from './support/market.ts'
import { deployed, mint, newToken, putPermit2 } from './support/tokens.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())

const seller: Address = `0x${'5e'.repeat(20)}`
const offerIn = (token: Address): Offer => ({
  price: 5n,
  token,
  receiver: seller,
  chainId: world.chainId,
  escrow: world.escrow,
})

type Account = { readonly address: Address; readonly privateKey: Hex }

/** A client whose deposits are 500, and what it told on its way. */
async function newSaver(token: Address, config: Partial<ClientConfig> = {}) {
  const account = await newAccount(world, 0n)
  await mint(world, token, account.address, 10_000n)
  const told: Progress[] = []
  const client = await createClient({
    account: account.privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
    escrows: [world.escrow],
    tokens: [token],
    onProgress: (progress) => void told.push(progress),
    ...config,
  })
  return { client, told, account }
}

async function all(client: Client): Promise<Channel[]> {
  const channels: Channel[] = []
  for await (const channel of client.channels()) channels.push(channel)
  return channels
}

async function held(token: Address, by: Address = world.escrow): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [by] })
  return BigInt(await world.chain.call({ to: token, data }))
}

/** What a deposit took, in order: what was signed, and which function each transaction called. */
async function stepsOf(told: readonly Progress[]): Promise<string[]> {
  const steps: string[] = []
  for (const progress of told) {
    if (progress.step === 'signing') steps.push(`sign the ${progress.what}`)
    if (progress.step !== 'sent') continue
    const transaction = (await rpc(world, 'eth_getTransactionByHash', progress.transaction)) as { input: Hex }
    steps.push(names[transaction.input.slice(0, 10)] ?? transaction.input.slice(0, 10))
  }
  return steps
}

const names: Readonly<Record<string, string>> = {
  '0x4000aea0': 'transferAndCall',
  '0xbe45fd62': 'transfer with data',
  '0xb82a39ba': 'openWithAuthorization',
  '0xbcf51e86': 'topUpWithAuthorization',
  '0x70981fe5': 'openWithPermit2',
  '0x33684330': 'topUpWithPermit2',
  '0xd92f17f1': 'openWithPermit',
  '0xf9ee3057': 'topUpWithPermit',
  '0x095ea7b3': 'approve',
  '0xc79ea485': 'open',
  '0x9f6f687a': 'topUp',
}

const TRANSFER = ['transferAndCall']
const TRANSFER_DATA = ['transfer with data']
const AUTHORIZED = ['sign the deposit', 'openWithAuthorization']
const PERMITTED = ['sign the approval', 'openWithPermit']
const APPROVED = ['approve', 'open']

describe('a deposit takes the first way that its token offers', () => {
  it.each([
    ['ERC-1363', 'NotifyingToken', TRANSFER],
    ['ERC-1363 behind a proxy', 'NotifyingToken (proxy)', TRANSFER],
    ['ERC-677', 'ERC677Token', TRANSFER],
    ['ERC-223', 'ERC223Token', TRANSFER_DATA],
    ['ERC-223 before 2021, behind a proxy', 'OldERC223Token (proxy)', TRANSFER_DATA],
    ['ERC-3009 in both forms, as USDC has it, behind a proxy', 'DollarToken (proxy)', AUTHORIZED],
    ['ERC-3009 with v, r and s alone, behind a proxy', 'SplitToken (proxy)', AUTHORIZED],
    ['ERC-3009 with bytes alone', 'BytesToken', AUTHORIZED],
    ['ERC-2612', 'PermitToken', PERMITTED],
    ['ERC-2612 behind a proxy', 'PermitToken (proxy)', PERMITTED],
    ['a permit that is not the standard one', 'DaiToken', APPROVED],
    ['what looks like ERC-2612 and is not', 'PretendingToken', ['sign the approval', ...APPROVED]],
    ['nothing but ERC-20', 'PlainToken', APPROVED],
    ['ERC-20 without answers, as USDT', 'SilentToken', APPROVED],
    ['a fallback that swallows every call', 'EtherLikeToken', APPROVED],
  ])('%s', async (_what, name, steps) => {
    const token = await newToken(world, name)
    const { client, told } = await newSaver(token)
    const channel = await client.channelFor(offerIn(token))
    expect(await stepsOf(told)).toEqual(steps)
    expect(await channel.state()).toMatchObject({ status: 'open', deposit: 500n, receiver: seller, token })
    told.length = 0
    await channel.topUp(100n)
    const last = (await stepsOf(told)).at(-1)
    expect(last).toBe(steps.at(-1)!.replace('open', 'topUp'))
    expect(await channel.state()).toMatchObject({ deposit: 600n })
    expect(await held(token)).toBe(600n)
  })

  it('Permit2, where the account has approved it', async () => {
    await putPermit2(world)
    const token = await newToken(world, 'PlainToken')
    const { client, told, account } = await newSaver(token)
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [PERMIT2, 10_000n] })
    await walletOf(world, account).send({ to: token, data })
    const channel = await client.channelFor(offerIn(token))
    await channel.topUp(100n)
    const signed = 'sign the deposit'
    expect(await stepsOf(told)).toEqual([signed, 'openWithPermit2', signed, 'topUpWithPermit2'])
    const other = await newSaver(token)
    await other.client.channelFor(offerIn(token))
    expect(await stepsOf(other.told)).toEqual(APPROVED)
  })

  it('an approval that is there already, rather than a signature', async () => {
    const token = await newToken(world, 'PermitToken')
    const { client, told, account } = await newSaver(token)
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [world.escrow, 500n] })
    await walletOf(world, account).send({ to: token, data })
    await client.channelFor(offerIn(token))
    expect(await stepsOf(told)).toEqual(['open'])
  })
})

describe('what is signed', () => {
  it('is told before: amount, token, receiver and end', async () => {
    const token = await newToken(world, 'DollarToken')
    const { client, told } = await newSaver(token)
    await client.channelFor(offerIn(token))
    const { time } = await world.chain.head()
    const [opening, signing] = told
    expect([opening?.step, signing]).toMatchObject([
      'opening',
      { step: 'signing', what: 'deposit', amount: 500n, token, receiver: seller },
    ])
    const until = (signing as { until: Date }).until.getTime() / 1000
    expect(until - Number(time)).toBeGreaterThan(1_700)
    expect(until - Number(time)).toBeLessThanOrEqual(1_800)
  })

  it('is never in the domain of another token, whatever a token says of itself', async () => {
    const token = await deployed(world, 'ImpostorToken', ['address'], [await newToken(world, 'DollarToken')])
    const { client, told } = await newSaver(token)
    await client.channelFor(offerIn(token))
    expect(await stepsOf(told)).toEqual(APPROVED)
  })

  it('is by the account alone, wherever its key is', async () => {
    const token = await newToken(world, 'DollarToken')
    const key = (await newAccount(world, 0n)).privateKey
    const local = privateKeyToAccount(key)
    const asked: string[] = []
    const account: typeof local = {
      ...local,
      signTypedData: (message) => {
        asked.push(message.primaryType)
        return local.signTypedData(message)
      },
    }
    await mint(world, token, local.address, 10_000n)
    const { client } = await newSaver(token, { account })
    await client.channelFor(offerIn(token))
    expect(asked).toContain('ReceiveWithAuthorization')
    expect(await all(client)).toMatchObject([{ sender: local.address.toLowerCase(), deposit: 500n }])
  })
})

describe('a way that fails before anything was sent', () => {
  it('is followed by the next, and not tried again', async () => {
    const token = await newToken(world, 'PretendingToken')
    const { client, told } = await newSaver(token)
    const channel = await client.channelFor(offerIn(token))
    told.length = 0
    await channel.topUp(100n)
    expect(await stepsOf(told)).toEqual(['approve', 'topUp'])
  })

  it.each([['FeeToken'], ['FeeAuthorizationToken'], ['LazyToken']])(
    'is the last one for %s, which takes something on the way: told so, and nothing is deposited',
    async (name) => {
      const token = await newToken(world, name)
      const { client, account } = await newSaver(token)
      await expect(client.channelFor(offerIn(token))).rejects.toThrow('InexactTransfer')
      expect([await all(client), await held(token), await held(token, account.address)]).toEqual([[], 0n, 10_000n])
    },
  )
})

describe('what a token can do', () => {
  it('is asked once, and is known after a restart', async () => {
    const asked: string[] = []
    const node = await listen((incoming, outgoing) => {
      void (async () => {
        const chunks: Buffer[] = []
        for await (const chunk of incoming) chunks.push(chunk as Buffer)
        const body = Buffer.concat(chunks).toString()
        // DOMAIN_SEPARATOR, eip712Domain, authorizationState, PERMIT_TYPEHASH
        for (const selector of ['3644e515', '84b0196e', 'e94a0102', '30adf81f'])
          if (body.includes(selector)) asked.push(selector)
        const headers = { 'content-type': 'application/json' }
        const answer = await fetch(world.anvil.url, { method: 'POST', body, headers })
        outgoing.writeHead(answer.status, headers).end(await answer.text())
      })()
    })
    const folder = mkdtempSync(join(tmpdir(), 'farthing-tokens-'))
    const chain = createChain({ rpc: node.url, confirmations: 1, pollMs: 10 })
    const token = await newToken(world, 'DollarToken')
    const account: Account = await newAccount(world, 0n)
    await mint(world, token, account.address, 10_000n)
    for (const questions of [4, 0]) {
      asked.length = 0
      const store = sqlite(join(folder, 'state.db'))
      const { client, told } = await newSaver(token, { chain, store, account: account.privateKey })
      const channel = await client.channelFor(offerIn(token))
      await channel.topUp(100n)
      expect((await stepsOf(told)).at(-1)).toBe('topUpWithAuthorization')
      expect(asked).toHaveLength(questions)
      await store.close()
    }
    await node.close()
    rmSync(folder, { recursive: true })
  })
})
