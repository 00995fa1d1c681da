/** A payment that carries its own deposit: open and top up, named by their transaction. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeAbiParameters, toHex, type Hash, type Hex } from 'viem'
import type { LocalChain } from '../src/cli/local-chain.ts'
import type { Receiver } from '../src/receiver/receiver.ts'
import {
  newAccount,
  newBuyer,
  newReceiver,
  openShop,
  rpc,
  startWorld,
  transferAndCall,
  walletOf,
  type Shop,
} from './support/market.ts'
import { authorization, challengeOf, receiptOf, signedBy, signVoucher } from './support/wire.ts'

let world: LocalChain
/** Follows the chain too rarely to know of a channel before it is told. */
let receiver: Receiver
let shop: Shop
const zero = '0x0000000000000000000000000000000000000000'

beforeAll(async () => {
  world = await startWorld()
  receiver = await newReceiver(world, { chain: { ...world.chain, pollMs: 3_600_000 }, limits: { fundingWaitMs: 200 } })
  shop = await openShop(receiver)
})
afterAll(async () => {
  await shop.close()
  await receiver.stop()
  await world.anvil.stop()
})

/** Sends a deposit and says how to name it; `change` replaces members of the payload. */
async function opening(deposit = 100n, to = receiver.address) {
  const account = await newAccount(world)
  const salt = toHex(crypto.getRandomValues(new Uint8Array(32)))
  const types = [{ type: 'address' }, { type: 'bytes32' }, { type: 'address' }]
  const data = encodeAbiParameters(types, [to, salt, zero])
  const mined = await walletOf(world, account).send({
    to: world.token,
    data: transferAndCall(world.escrow, deposit, data),
  })
  const id = mined.logs.find((log) => log.address.toLowerCase() === world.escrow.toLowerCase())?.topics[1] as Hash
  const place = { chainId: world.chainId, escrow: world.escrow }
  const sign = (amount: bigint): Promise<Hex> => signVoucher(account.privateKey, place, id, amount)
  const pay = async (amount: bigint, change: Record<string, unknown> = {}, source = account.address) => {
    const challenge = challengeOf(await fetch(`${shop.url}/x`))
    const payload = {
      action: 'open',
      type: 'hash',
      channelId: id,
      hash: mined.hash,
      cumulativeAmount: `${amount}`,
      signature: await sign(amount),
      salt,
      ...change,
    }
    const header = authorization(challenge, payload, { address: source, chainId: world.chainId })
    return fetch(`${shop.url}/x`, { headers: { authorization: header } })
  }
  const stored = async () => {
    for await (const channel of receiver.channels()) if (channel.id === id) return channel
    return undefined
  }
  return { account, id, salt, mined, sign, pay, stored }
}

describe('an open', () => {
  it('buys with the first request, before the receiver has seen it on chain', async () => {
    const sender = await opening()
    const response = await sender.pay(5n)
    expect([response.status, await response.text()]).toEqual([200, 'foo'])
    expect(receiptOf(response)).toMatchObject({ authorized: '5', charged: '5' })
  })

  it('that is replayed does not give back what was charged (peer mistake 9)', async () => {
    const sender = await opening()
    expect((await sender.pay(5n)).status).toBe(200)
    const replay = await sender.pay(5n)
    expect([replay.status, await replay.json()]).toMatchObject([402, { code: 'underpaid', charged: '5' }])
    expect((await sender.pay(10n)).status).toBe(200)
    expect(await sender.stored()).toMatchObject({ charged: 10n })
  })

  it('may authorize nothing yet, and then buys nothing yet', async () => {
    const sender = await opening()
    const response = await sender.pay(0n)
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'underpaid' }])
    expect(await sender.stored()).toMatchObject({ charged: 0n, deposit: 100n })
  })

  it.each([
    ['another salt', { salt: `0x${'44'.repeat(32)}` }, 'wrong-channel', 402],
    ['a signer that the channel does not have', signedBy(`0x${'55'.repeat(20)}`), 'wrong-channel', 402],
    ["another key's voucher", { signature: `0x${'66'.repeat(64)}1b` }, 'invalid-signature', 402],
    ['no salt', { salt: undefined }, 'malformed-payment', 400],
    ['no transaction', { hash: undefined }, 'malformed-payment', 400],
    ['a transaction that nobody knows', { hash: `0x${'77'.repeat(32)}` }, 'channel-pending', 402],
  ])('with %s is refused and leaves nothing', async (_what, change, code, status) => {
    const sender = await opening()
    const calls = shop.calls.length
    const response = await sender.pay(5n, change)
    expect([response.status, await response.json()]).toMatchObject([status, { code }])
    expect(await sender.stored()).toBeUndefined()
    expect(shop.calls.length).toBe(calls)
  })

  it("of another's channel is refused", async () => {
    const sender = await opening()
    const response = await sender.pay(5n, {}, receiver.address)
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'wrong-channel' }])
  })

  it('to another receiver is refused', async () => {
    const sender = await opening(100n, world.accounts[5]!.address)
    const response = await sender.pay(5n)
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'wrong-channel' }])
  })

  it('whose transaction reverted is told so', async () => {
    const sender = await opening()
    const hash = (await rpc(world, 'eth_sendTransaction', {
      from: world.accounts[4]!.address,
      to: world.escrow,
      data: '0xdeadbeef',
      gas: '0x30000',
    })) as Hash
    // The channel exists all the same: it is the transaction that is judged.
    const response = await sender.pay(5n, { hash })
    expect([response.status, await response.json()]).toMatchObject([
      409,
      { code: 'transaction-reverted', transaction: hash },
    ])
  })

  it('is not believed before it has the confirmations that the receiver wants', async () => {
    const chain = (await import('../src/chain/rpc.ts')).createChain({
      rpc: world.anvil.url,
      confirmations: 3,
      pollMs: 10,
    })
    const careful = await newReceiver(world, { chain, limits: { fundingWaitMs: 50 } })
    const stall = await openShop(careful)
    const sender = await opening(100n, careful.address)
    const challenge = challengeOf(await fetch(`${stall.url}/x`))
    const payload = { action: 'open', type: 'hash', channelId: sender.id, hash: sender.mined.hash, salt: sender.salt }
    const voucher = { cumulativeAmount: '5', signature: await sender.sign(5n) }
    const header = authorization(
      challenge,
      { ...payload, ...voucher },
      { address: sender.account.address, chainId: world.chainId },
    )
    const ask = () => fetch(`${stall.url}/x`, { headers: { authorization: header } })
    const early = await ask()
    expect([early.status, await early.json()]).toMatchObject([
      402,
      { code: 'channel-pending', confirmations: '1', needed: '3' },
    ])
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
    await rpc(world, 'anvil_mine', '0x2')
    expect((await ask()).status).toBe(200)
    await stall.close()
    await careful.stop()
  })
})

describe('a top up', () => {
  it('makes a larger voucher good, and tells nobody anything about the channel', async () => {
    const prompt = await newReceiver(world, { chain: { ...world.chain, pollMs: 10 } })
    const stall = await openShop(prompt)
    const buyer = await newBuyer(world, prompt, 5n)
    expect((await buyer.pay(`${stall.url}/x`, 5n)).status).toBe(200)
    const refused = await buyer.pay(`${stall.url}/x`, 10n)
    expect([refused.status, await refused.json()]).toMatchObject([402, { code: 'deposit-exceeded', deposit: '5' }])
    const mined = await buyer.wallet.send({ to: world.token, data: transferAndCall(world.escrow, 20n, buyer.id) })
    const payload = { action: 'topUp', type: 'hash', channelId: buyer.id, hash: mined.hash, additionalDeposit: '20' }
    const header = authorization(challengeOf(await fetch(`${stall.url}/x`)), payload)
    const told = await fetch(`${stall.url}/x`, { headers: { authorization: header } })
    expect([told.status, await told.text(), told.headers.get('payment-receipt')]).toEqual([204, '', null])
    expect((await buyer.pay(`${stall.url}/x`, 10n)).status).toBe(200)
    await stall.close()
    await prompt.stop()
  })
})
