/**
 * µRaiden's client and server of 2018 on a real chain with our contract: what
 * they call and what they read is written down by hand, not taken from us.
 * Who speaks to the contract in its own words is checked against
 * test/vectors/uraiden-conversations.json in its signatures.
 */
import { concatHex, createPublicClient, encodeAbiParameters, http, type Address } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { deploy } from '../../src/chain/deploy.ts'
import { raidenChannelsBytecode } from '../../src/escrow/abi/raiden-channels-bytecode.ts'
import { newAccount, rpc, startWorld, tokensOf, until } from '../support/market.ts'
import { createUraidenClient } from '../support/uraiden/client.ts'
import { header, sentHeader } from '../support/uraiden/exchange.ts'
import { contractAbi, openSenderChain } from '../support/uraiden/sender-chain.ts'
import { startUraidenServer } from '../support/uraiden/server.ts'
import { channelKey } from '../support/uraiden/signing.ts'

const CHALLENGE_PERIOD = 500
const world = await startWorld()
const contract = await deployContract()
const node = createPublicClient({ transport: http(world.anvil.url), cacheTime: 0 })
afterAll(() => world.anvil.stop())

const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

function deployContract(): Promise<Address> {
  const types = [{ type: 'address' }, { type: 'uint32' }, { type: 'address[]' }]
  const code = concatHex([raidenChannelsBytecode, encodeAbiParameters(types, [world.token, CHALLENGE_PERIOD, []])])
  return deploy(world.anvil.url, privateKeyToAccount(world.accounts[0]!.privateKey), code)
}

async function openTable({ confirmations = 0, by }: { confirmations?: number; by?: 'transfer' | 'approve' } = {}) {
  const seller = await newAccount(world, 0n)
  const buyer = await newAccount(world, 1_000n)
  const place = { url: world.anvil.url, contract, token: world.token }
  const terms = { key: seller.privateKey, contract, token: world.token, price: 7n }
  const server = await startUraidenServer({ ...terms, chain: { url: world.anvil.url, confirmations } })
  endings.push(() => server.close())
  const chain = openSenderChain({ ...place, key: buyer.privateKey, ...(by && { by }) })
  const newClient = async (wait: () => void | Promise<void> = () => server.sync()) => {
    const client = await createUraidenClient({ key: buyer.privateKey, chain, contract, wait })
    endings.push(() => client.end())
    return client
  }
  const info = (block: number) =>
    node.readContract({
      ...{ address: contract, abi: contractAbi, functionName: 'getChannelInfo' },
      args: [buyer.address, server.receiver, block],
    })
  return { seller, buyer, server, chain, newClient, info }
}

describe.each(['transfer', 'approve'] as const)('by %s', (by) => {
  it('a channel is opened, paid from, topped up, paid from, and closed by both', async () => {
    const { seller, buyer, server, newClient, info } = await openTable({ by })
    const client = await newClient()
    await client.get(server.url)
    const { block } = client.channel()!
    expect(await info(block)).toEqual([channelKey(buyer.address, seller.address, block), 70n, 0, 0n, 0n])
    for (let i = 0; i < 10; i += 1) expect((await client.get(server.url)).status).toBe(200)
    expect(await info(block)).toMatchObject({ 1: 105n })
    expect(server.channel(buyer.address, block)).toMatchObject({ balance: 77n, deposit: 105n })
    expect(await client.closeChannel()).toMatchObject({ together: true })
    expect([await tokensOf(world, seller.address), await tokensOf(world, buyer.address)]).toEqual([77n, 923n])
    await until(async () => {
      await server.sync()
      return server.channel(buyer.address, block) === undefined
    })
  })
})

it('a channel without a confirmation is waited for, and a top up that has none cannot be spent', async () => {
  const { buyer, server, chain, newClient } = await openTable({ confirmations: 1 })
  let pauses = 0
  const client = await newClient(async () => {
    pauses += 1
    await server.sync()
    if (pauses === 2) await rpc(world, 'anvil_mine', '0x1')
    await server.sync()
  })
  expect((await client.get(server.url)).status).toBe(200)
  expect(pauses).toBe(2)
  const flags = ['RDN-Insufficient-Confirmations', 'RDN-Nonexisting-Channel']
  expect(flags.some((flag) => header(client.exchanges[2]!.answer, flag) === '1')).toBe(true)
  const channel = client.channel()!
  await chain.topUp(channel, 10n)
  await server.sync()
  expect(server.channel(buyer.address, channel.block)).toMatchObject({ deposit: 70n })
  expect([...server.channel(buyer.address, channel.block)!.unconfirmedTopUps.values()]).toEqual([10n])
  await rpc(world, 'anvil_mine', '0x1')
  await server.sync()
  expect(server.channel(buyer.address, channel.block)).toMatchObject({ deposit: 80n })
})

it('each sees channels of its own only, with what was added', async () => {
  const [one, other] = [await openTable(), await openTable()]
  const { receiver } = one.server
  const opened = await one.chain.open(receiver, 20n)
  await one.chain.topUp(opened!, 5n)
  await other.chain.open(receiver, 30n)
  expect(await one.chain.channels()).toEqual([{ ...opened, deposit: 25n }])
  expect((await other.chain.channels()).map(({ deposit }) => deposit)).toEqual([30n])
  await Promise.all([one.server.sync(), other.server.sync()])
  const openAt = async ({ server }: typeof one) =>
    ((await (await fetch(`${server.url}/api/1/stats`)).json()) as { deposit_sum: number }).deposit_sum
  expect([await openAt(one), await openAt(other)]).toEqual([55, 0])
})

it('a client without a memory finds its channel on the chain and its balance at the server', async () => {
  const { server, newClient } = await openTable()
  await (await newClient()).get(server.url)
  await (await newClient()).get(server.url)
  const third = await newClient()
  expect((await third.get(server.url)).status).toBe(200)
  expect(third.exchanges.map((one) => sentHeader(one, 'RDN-Balance'))).toEqual([undefined, '7', '21'])
})

it('a client that is refused asks to close at nothing, and takes all after the challenge period', async () => {
  const { buyer, server, chain, newClient } = await openTable()
  const client = await newClient()
  await client.get(server.url)
  const channel = client.channel()!
  channel.balance = 3n
  expect(await client.closeChannel()).toMatchObject({ together: false, answer: { status: 400 } })
  await server.sync()
  const closed = server.channel(buyer.address, channel.block)!
  expect([closed.state, closed.settleTimeout]).toEqual([1, Number(await node.getBlockNumber()) + CHALLENGE_PERIOD])
  await expect(chain.settle(channel)).rejects.toThrow()
  await rpc(world, 'anvil_mine', '0x1f4')
  await chain.settle(channel)
  expect(await tokensOf(world, buyer.address)).toBe(1_000n)
})
