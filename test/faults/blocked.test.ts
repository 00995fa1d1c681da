/** A token that blocks an account, the receiver's or the sender's: the other party can still leave, and others are paid. */
import { encodeFunctionData, parseAbi, type Address } from 'viem'
import { describe, expect, it } from 'vitest'
import { createClient } from '../../src/sender/index.ts'
import { memory } from '../../src/store/memory.ts'
import { newAccount, newReceiver, openMarket, openShop, railOf, rpc, until } from '../support/market.ts'
import { mint, newToken } from '../support/tokens.ts'

const { world } = await openMarket()

const tokenAbi = parseAbi([
  'function setBlocked(address account, bool value)',
  'function balanceOf(address account) view returns (uint256)',
])

async function block(token: Address, account: Address, value: boolean): Promise<void> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'setBlocked', args: [account, value] })
  await world.wallet(world.accounts[7]!).send({ to: token, data })
}

async function held(token: Address, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'balanceOf', args: [account] })
  return BigInt(await world.chain.call({ to: token, data }))
}

/** A receiver that takes a token with a block list and one without, and what a buyer needs who pays in one of them. */
async function scene() {
  const token = await newToken(world, 'BlockListToken')
  const blocking = railOf(world, token)
  const receiver = await newReceiver(world, { rails: [blocking, { ...blocking, token: railOf(world).token }] })
  const shop = await openShop(receiver)
  const buyer = async (payIn: Address) => {
    const account = await newAccount(world)
    if (payIn === token) await mint(world, token, account.address, 1_000n)
    const budget = { perRequest: 100n, deposit: 500n }
    const place = { chain: world.chain, store: memory(), escrows: [world.escrow], tokens: [payIn] }
    const client = await createClient({ account: account.privateKey, budget, ...place })
    expect((await client.session().get(`${shop.url}/x`)).status).toBe(200)
    for await (const { key } of client.channels()) return { ...account, key, channel: await client.channel(key) }
    throw new Error('no channel was opened')
  }
  const end = async () => {
    await shop.close()
    await receiver.stop()
  }
  return { token, receiver, buyer, end }
}

const challengePeriod = async () => {
  await rpc(world, 'evm_increaseTime', 1_000)
  await rpc(world, 'evm_mine')
}

describe('a receiver that its token blocks', () => {
  it('is paid in its other tokens, hears of it, and is paid once the block is lifted', async () => {
    const { token, receiver, buyer, end } = await scene()
    const blocked = await buyer(token)
    const other = await buyer(world.token)
    await block(token, receiver.address, true)
    const settlements = await receiver.settle()
    expect(settlements.find(({ channel }) => channel === other.key)).toMatchObject({ ok: true, amount: 5n })
    expect(settlements.find(({ channel }) => channel === blocked.key)).toMatchObject({
      ok: false,
      transaction: undefined,
      reason: expect.stringContaining('blocked') as string,
    })
    expect(receiver.alarms.standing()).toMatchObject([{ name: 'voucher-refused', subject: blocked.key }])
    await block(token, receiver.address, false)
    expect(await receiver.settle()).toMatchObject([{ ok: true, amount: 5n, channel: blocked.key }])
    expect(await held(token, receiver.address)).toBe(5n)
    await end()
  })

  it('does not keep its sender, who leaves with its deposit', async () => {
    const { token, receiver, buyer, end } = await scene()
    const sender = await buyer(token)
    await block(token, receiver.address, true)
    await sender.channel.requestClose()
    await until(() => receiver.alarms.standing().some(({ name }) => name === 'close-requested'))
    await challengePeriod()
    await sender.channel.withdraw()
    expect(await held(token, sender.address)).toBe(1_000n)
    await until(() => receiver.alarms.standing().some(({ name }) => name === 'payment-lost'))
    await end()
  })

  it('takes what it earned from a sender that leaves, if the block is lifted in time', async () => {
    const { token, receiver, buyer, end } = await scene()
    const sender = await buyer(token)
    await block(token, receiver.address, true)
    await sender.channel.requestClose()
    await until(() => receiver.alarms.standing().some(({ name }) => name === 'close-requested'))
    await block(token, receiver.address, false)
    await until(async () => (await held(token, receiver.address)) === 5n)
    expect(await held(token, sender.address)).toBe(995n)
    await end()
  })
})

describe('a sender that its token blocks', () => {
  it('does not keep the receiver from what it earned', async () => {
    const { token, receiver, buyer, end } = await scene()
    const sender = await buyer(token)
    await block(token, sender.address, true)
    expect(await receiver.settle()).toMatchObject([{ ok: true, amount: 5n }])
    expect(await held(token, receiver.address)).toBe(5n)
    await end()
  })
})
