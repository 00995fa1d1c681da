/** Contract wallets and delegated accounts as signers: what they can cost, and what they cannot (A20 to A24). */
import { createWalletClient, encodeFunctionData, http, parseAbi, toHex, type Address, type Hex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { anvil } from 'viem/chains'
import { describe, expect, it } from 'vitest'
import { newBuyer, newReceiver, openMarket, openShop, rpc, tokensOf, until } from './support/market.ts'
import { deployed } from './support/tokens.ts'

const { world, receiver, shop } = await openMarket()

const codeOf = async (response: Response) => {
  const { code, reason } = (await response.json()) as { code: string; reason?: string }
  return [response.status, code, reason]
}

describe('a contract that changes its mind (A20)', () => {
  it('is given only so much before it is settled, and then goes on', async () => {
    const here = await newReceiver(world, { limits: { contractSignerExposure: 20n } })
    const stall = await openShop(here)
    const buyer = await newBuyer(world, here, 1_000n, await deployed(world, 'FickleWallet'))
    const pay = (amount: bigint) => buyer.pay(`${stall.url}/x`, amount, { change: { signature: '0xabcd' } })
    for (const amount of [5n, 10n, 15n, 20n]) expect((await pay(amount)).status).toBe(200)
    expect(await tokensOf(world, here.address)).toBe(0n)
    expect(await codeOf(await pay(25n))).toEqual([503, 'receiver-unavailable', 'exposure'])
    await until(async () => (await tokensOf(world, here.address)) === 20n)
    await until(async () => (await buyer.known())?.settled === 20n)
    expect((await pay(25n)).status).toBe(200)
    await stall.close()
    await here.stop()
  })

  it('costs no more than that, whatever it signed ahead', async () => {
    const here = await newReceiver(world, { limits: { contractSignerExposure: 20n } })
    const stall = await openShop(here)
    const wallet = await deployed(world, 'FickleWallet')
    const buyer = await newBuyer(world, here, 1_000n, wallet)
    const pay = (amount: bigint) => buyer.pay(`${stall.url}/x`, amount, { change: { signature: '0xabcd' } })
    expect(await codeOf(await pay(900n))).toEqual([503, 'receiver-unavailable', 'exposure'])
    expect((await pay(20n)).status).toBe(200)
    const data = encodeFunctionData({ abi: parseAbi(['function change()']) })
    await world.wallet(world.accounts[6]!).send({ to: wallet, data })
    expect(await codeOf(await pay(25n))).toEqual([402, 'invalid-signature', undefined])
    // The voucher that is stored is used up, and that is all.
    for (let i = 0; i < 3; i += 1) expect((await pay(20n)).status).toBe(200)
    expect(await codeOf(await pay(20n))).toEqual([402, 'underpaid', undefined])
    await stall.close()
    await here.stop()
  })

  it('is no reason to bound what a key signs', async () => {
    const here = await newReceiver(world, { limits: { contractSignerExposure: 1n } })
    const stall = await openShop(here)
    const buyer = await newBuyer(world, here)
    expect((await buyer.pay(`${stall.url}/x`, 500n)).status).toBe(200)
    await stall.close()
    await here.stop()
  })
})

describe('a contract that keeps a node busy (A21)', () => {
  it.each([
    ['burns all gas', 'BurningWallet', [], []],
    ['runs for longer than it may', 'HungryWallet', ['uint256'], [30_000_000n]],
    ['says no in a megabyte', 'GrumblingWallet', [], []],
    ['says yes in a megabyte', 'TalkativeWallet', ['uint256'], [1_000_000n]],
    ['reverts', 'RevertingWallet', [], []],
  ])('is refused, and others buy meanwhile: %s', async (_what, name, types, values) => {
    const honest = await newBuyer(world, receiver)
    const odd = await newBuyer(world, receiver, 1_000n, await deployed(world, name, types, values))
    const attack = Array.from({ length: 8 }, (_, i) =>
      odd.pay(`${shop.url}/x`, 5n, { change: { signature: toHex(i + 1, { size: 65 }) } }),
    )
    expect((await honest.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    for (const response of await Promise.all(attack)) expect([402, 503]).toContain(response.status)
    expect(await odd.known()).toMatchObject({ charged: 0n })
  })
})

it('a signature wrapped for a wallet that is not deployed (ERC-6492) is refused (A22)', async () => {
  const owner = generatePrivateKey()
  const wallet = await deployed(world, 'KeyWallet', ['address'], [privateKeyToAccount(owner).address])
  const buyer = await newBuyer(world, receiver, 1_000n, wallet)
  const wrapped = `0x${'11'.repeat(65)}${'6492'.repeat(16)}`
  const response = await buyer.pay(`${shop.url}/x`, 5n, { change: { signature: wrapped } })
  expect(await codeOf(response)).toEqual([402, 'invalid-signature', undefined])
  expect((await buyer.pay(`${shop.url}/x`, 5n, { change: { signature: await buyer.sign(5n, owner) } })).status).toBe(
    200,
  )
})

describe('an account that is delegated to a contract (EIP-7702, A24)', () => {
  async function delegate(key: Hex, contract: Address): Promise<void> {
    const account = privateKeyToAccount(key)
    const sponsor = privateKeyToAccount(world.accounts[5]!.privateKey)
    const client = createWalletClient({ account: sponsor, chain: anvil, transport: http(world.anvil.url) })
    const nonce = Number(await rpc(world, 'eth_getTransactionCount', account.address, 'latest'))
    const authorization = await account.signAuthorization({ address: contract, chainId: world.chainId, nonce })
    const hash = await client.sendTransaction({ to: sponsor.address, authorizationList: [authorization] })
    await world.chain.waitMined(hash)
    expect(await world.chain.code(account.address)).toBe(`0xef0100${contract.slice(2).toLowerCase()}`)
  }

  it('keeps its key: what it signed is taken and settled, whatever the contract says', async () => {
    const buyer = await newBuyer(world, receiver)
    const { privateKey } = buyer.account
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    await delegate(privateKey, await deployed(world, 'RevertingWallet'))
    expect((await buyer.pay(`${shop.url}/x`, 10n)).status).toBe(200)
    const settled = await receiver.settle((channel) => channel.id === buyer.id)
    expect(settled).toMatchObject([{ ok: true, amount: 10n }])
  })

  it('may sign as the contract does, within the bound, and the escrow agrees', async () => {
    const signer = generatePrivateKey()
    const { address } = privateKeyToAccount(signer)
    await delegate(signer, await deployed(world, 'FickleWallet'))
    const buyer = await newBuyer(world, receiver, 1_000n, address)
    const pay = (amount: bigint) => buyer.pay(`${shop.url}/x`, amount, { change: { signature: '0xabcd' } })
    // A delegate's storage is the account's own: here it says no until it is told otherwise.
    expect(await codeOf(await pay(5n))).toEqual([402, 'invalid-signature', undefined])
    const data = encodeFunctionData({ abi: parseAbi(['function change()']) })
    await world.wallet(world.accounts[6]!).send({ to: address, data })
    expect((await pay(5n)).status).toBe(200)
    const settled = await receiver.settle((channel) => channel.id === buyer.id)
    expect(settled).toMatchObject([{ ok: true, amount: 5n }])
  })
})
