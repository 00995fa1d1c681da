/** Who may sign a voucher: keys, contracts, and nobody that the escrow would refuse. */
import { encodeFunctionData, parseAbi } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { createChain } from '../src/chain/rpc.ts'
import { deploy } from '../src/chain/deploy.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compile, walletSource } from './support/compile.ts'
import { listen, newBuyer, newReceiver, openMarket, openShop, tokensOf, until } from './support/market.ts'

const { world, receiver, shop } = await openMarket()
const owner = generatePrivateKey()
const wallet = await deploy(
  world.anvil.url,
  privateKeyToAccount(world.accounts[9]!.privateKey),
  compile('Wallet', walletSource, [{ type: 'address' }], [privateKeyToAccount(owner).address]),
)

describe('a contract', () => {
  it('signs as it says (ERC-1271), and the escrow honours what the receiver took', async () => {
    const buyer = await newBuyer(world, receiver, 1_000n, wallet)
    const signature = `${await buyer.sign(5n, owner)}00`
    expect((await buyer.pay(`${shop.url}/x`, 5n, { change: { signature } })).status).toBe(200)
    const before = await tokensOf(world, receiver.address)
    expect(await receiver.settle((channel) => channel.id === buyer.id)).toMatchObject([{ ok: true, amount: 5n }])
    expect((await tokensOf(world, receiver.address)) - before).toBe(5n)
  })

  it.each([
    ["its owner's bare signature", 65],
    ['nothing much', 1],
    ['four thousand bytes', 4_000],
  ])('is not taken at its word for %s', async (_what, length) => {
    const buyer = await newBuyer(world, receiver, 1_000n, wallet)
    const signature = `0x${(await buyer.sign(5n, owner))
      .slice(2)
      .padEnd(length * 2, '0')
      .slice(0, length * 2)}`
    const response = await buyer.pay(`${shop.url}/x`, 5n, { change: { signature } })
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'invalid-signature' }])
    expect(await buyer.known()).toMatchObject({ charged: 0n })
  })

  it('that changes its mind costs only its own channel: the others settle, and it is named (peer mistake 2)', async () => {
    const here = await newReceiver(world)
    const stall = await openShop(here)
    const honest = await newBuyer(world, here)
    const fickle = await newBuyer(world, here, 1_000n, wallet)
    expect((await honest.pay(`${stall.url}/x`, 5n)).status).toBe(200)
    const signature = `${await fickle.sign(5n, owner)}00`
    expect((await fickle.pay(`${stall.url}/x`, 5n, { change: { signature } })).status).toBe(200)
    const data = encodeFunctionData({ abi: parseAbi(['function setWilling(bool)']), args: [false] })
    await world.wallet(world.accounts[0]!).send({ to: wallet, data })
    const settlements = await here.settle()
    expect(settlements.filter(({ ok }) => ok)).toMatchObject([{ channel: (await honest.known())!.key, amount: 5n }])
    expect(settlements.filter(({ ok }) => !ok)).toMatchObject([{ channel: (await fickle.known())!.key }])
    expect(await tokensOf(world, here.address)).toBe(5n)
    await stall.close()
    await here.stop()
  })
})

describe('what the contract refuses, the receiver refuses (peer mistake 1)', () => {
  it.each([
    ['v 0 or 1', (signature: string) => `${signature.slice(0, -2)}${signature.endsWith('1b') ? '00' : '01'}`],
    ['a high s', (signature: string) => mirrored(signature)],
    ['the compact form', (signature: string) => compact(signature)],
  ])('%s', async (_what, change) => {
    const buyer = await newBuyer(world, receiver)
    const signature = change(await buyer.sign(5n))
    const response = await buyer.pay(`${shop.url}/x`, 5n, { change: { signature } })
    expect([response.status, await response.json()]).toMatchObject([402, { code: 'invalid-signature' }])
  })
})

it('bogus signatures and unknown channels cause no call to the chain', async () => {
  let calls = 0
  const node = await listen((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks).toString()
      if (!/eth_(blockNumber|getBlockBy|getLogs|chainId)/.test(body)) calls += 1
      const answer = await fetch(world.anvil.url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })()
  })
  const chain = createChain({ rpc: node.url, confirmations: 1, pollMs: 10 })
  const here = await newReceiver(world, { chain })
  const stall = await openShop(here)
  const buyer = await newBuyer(world, here)
  await buyer.pay(`${stall.url}/x`, 5n, { change: { signature: `0x${'11'.repeat(64)}1b` } })
  const before = calls
  for (let i = 0; i < 20; i += 1) {
    const signature = `0x${i.toString(16).padStart(2, '0').repeat(64)}1b`
    expect((await buyer.pay(`${stall.url}/x`, 5n, { change: { signature } })).status).toBe(402)
    const channelId = `0x${i.toString(16).padStart(2, '0').repeat(32)}`
    expect((await buyer.pay(`${stall.url}/x`, 5n, { change: { channelId } })).status).toBe(410)
  }
  expect(calls).toBe(before)
  await stall.close()
  await here.stop()
  await node.close()
})

it('amounts above 2^63 are kept, charged and settled to the unit (peer mistake 13)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-large-'))
  const store = sqlite(join(folder, 'state.db'))
  const here = await newReceiver(world, { store })
  const price = 2n ** 100n + 1n
  const stall = await openShop(here, price)
  const buyer = await newBuyer(world, here, 2n ** 110n + 7n)
  expect((await buyer.pay(`${stall.url}/x`, price)).status).toBe(200)
  expect((await buyer.pay(`${stall.url}/x`, 2n * price)).status).toBe(200)
  expect(await buyer.known()).toMatchObject({ charged: 2n * price, deposit: 2n ** 110n + 7n })
  expect(await here.settle()).toMatchObject([{ amount: 2n * price, ok: true }])
  expect(await tokensOf(world, here.address)).toBe(2n * price)
  await until(async () => (await buyer.known())?.settled === 2n * price)
  await stall.close()
  await here.stop()
  await store.close()
  rmSync(folder, { recursive: true })
})

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function mirrored(signature: string): string {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`)
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`
}

/** EIP-2098 */
function compact(signature: string): string {
  const s = BigInt(`0x${signature.slice(66, 130)}`) | (signature.endsWith('1c') ? 1n << 255n : 0n)
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}`
}

it('a bad signature is checked once, however often it is shown, and does not stand in the way of a good one', async () => {
  const buyer = await newBuyer(world, receiver)
  const { recovery } = receiver.live
  const { recover } = recovery
  let checks = 0
  Object.assign(recovery, {
    recover: (...args: Parameters<typeof recover>) => {
      checks += 1
      return recover(...args)
    },
  })
  const signature = await buyer.sign(5n, generatePrivateKey())
  for (let i = 0; i < 3; i += 1) {
    const refused = await buyer.pay(`${shop.url}/x`, 5n, { change: { signature } })
    expect(await refused.json()).toMatchObject({ code: 'invalid-signature' })
  }
  expect(checks).toBe(1)
  expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
  Object.assign(recovery, { recover })
})
