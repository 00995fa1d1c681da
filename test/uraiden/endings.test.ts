/**
 * Our own client and receiver end channels of µRaiden's contract. The contract is the one whose signatures are those
 * of test/vectors/uraiden-conversations.json.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { NotWithdrawableError } from '../../src/base/spending.ts'
import { createClient, type Client } from '../../src/sender/index.ts'
import { raiden, rdn } from '../../src/rails.ts'
import { rail } from '../../src/receiver/rail.ts'
import { createReceiver, type Receiver, type ReceiverConfig } from '../../src/receiver/receiver.ts'
import { memory } from '../../src/store/memory.ts'
import {
  newAccount,
  newReceiver,
  openShop,
  raidenRail,
  rpc,
  startWorld,
  tokensOf,
  until,
  walletOf,
} from '../support/market.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

async function sellTo(config: Partial<ReceiverConfig> = {}) {
  const receiver = await newReceiver(world, { rails: [raidenRail(world)], ...config })
  const shop = await openShop(receiver)
  endings.push(
    () => shop.close(),
    () => receiver.stop(),
  )
  const account = await newAccount(world)
  const client = await createClient({
    account: account.privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 100n, deposit: 1_000n },
    deposit: () => 100n,
    escrows: [world.raiden],
    tokens: [world.token],
    retryMs: 10,
  })
  expect((await client.session().get(`${shop.url}/x`)).status).toBe(200)
  return { receiver, account, client, channel: await only(client) }
}

async function only(client: Client) {
  for await (const { key } of client.channels()) return client.channel(key)
  throw new Error('no channel')
}

const mine = (blocks: number) => rpc(world, 'anvil_mine', `0x${blocks.toString(16)}`)

describe('a sender that leaves alone', () => {
  it('states what it owes, waits for the challenge period, and takes the rest, with nobody at the other end', async () => {
    const { receiver, account, channel } = await sellTo()
    await receiver.stop()
    const before = await tokensOf(world, account.address)
    await channel.requestClose()
    const { withdrawableAt, closeStated, block } = await channel.state()
    expect(closeStated).toBe(5n)
    expect(withdrawableAt).toEqual({ block: block + 501n })
    await mine(499)
    await expect(channel.withdraw()).rejects.toThrow(NotWithdrawableError)
    await mine(2)
    await channel.withdraw()
    expect((await tokensOf(world, account.address)) - before).toBe(95n)
    expect(await tokensOf(world, receiver.address)).toBe(5n)
    expect(await channel.state()).toMatchObject({ status: 'closed', settled: 5n })
  })

  it('cannot keep what it owes by stating less: the receiver answers', async () => {
    const { receiver, account, channel } = await sellTo()
    const before = await tokensOf(world, account.address)
    await channel.requestClose(0n)
    await until(async () => (await tokensOf(world, receiver.address)) === 5n)
    expect((await tokensOf(world, account.address)) - before).toBe(95n)
  })

  it('finds its channels again with nothing but its key', async () => {
    const { account, channel } = await sellTo()
    const again = await createClient({
      account: account.privateKey,
      chain: world.chain,
      store: memory(),
      budget: { perRequest: 1n, deposit: 1n },
      escrows: [world.raiden],
      tokens: [world.token],
    })
    const { id, deposit } = await channel.state()
    expect(await (await only(again)).state()).toMatchObject({
      id,
      deposit,
      status: 'open',
      token: world.token.toLowerCase(),
    })
  })
})

describe('a receiver', () => {
  it('without coins for gas says so, and answers a requested close as soon as it has some', async () => {
    const told: string[] = []
    const { receiver, channel } = await sellTo({ log: (_level, event) => void told.push(event) })
    await rpc(world, 'anvil_setBalance', receiver.address, '0x0')
    await channel.requestClose(0n)
    await until(() => told.includes('close-answer-failed'))
    expect(await tokensOf(world, receiver.address)).toBe(0n)
    await rpc(world, 'anvil_setBalance', receiver.address, '0xde0b6b3a7640000')
    await until(async () => (await tokensOf(world, receiver.address)) === 5n)
  })

  async function start(changes: Partial<Parameters<typeof rail>[0]>): Promise<Receiver> {
    const place = { chainId: world.chainId, address: world.raiden, token: world.token }
    const wallet = walletOf(world, await newAccount(world, 0n))
    const rails = [rail({ dialect: rdn(), escrow: raiden, ...place, ...(changes as typeof place) })]
    const receiver = createReceiver({ wallet, chain: world.chain, store: memory(), rails, log: () => undefined })
    await receiver.start()
    return receiver
  }

  it.each([
    ['a contract of another kind', { address: world.escrow }, 'is not the escrow "raiden"'],
    ['an address without a contract', { address: `0x${'12'.repeat(20)}` as const }, 'there is no contract'],
    ['another token than the contract holds', { token: world.escrow }, 'holds'],
    ['another chain', { chainId: 1 }, 'rail.chainId: is 1'],
  ])('does not start on %s', async (_what, changes, message) => {
    await expect(start(changes)).rejects.toThrow(message)
  })

  it('does not start on a contract of another version', async () => {
    const code = String(await rpc(world, 'eth_getCode', world.raiden, 'latest'))
    const version = Buffer.from('0.2.0').toString('hex')
    expect(code).toContain(version)
    const address = `0x${'34'.repeat(20)}` as const
    await rpc(world, 'anvil_setCode', address, code.replaceAll(version, Buffer.from('0.3.0').toString('hex')))
    await expect(start({ address })).rejects.toThrow('its version is not 0.2')
  })
})
