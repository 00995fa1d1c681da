/** `farthing watch` beside `farthing serve`: real processes on a real chain, killed, cut off, and cheated. */
import { join } from 'node:path'
import type { Hash } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CHALLENGE_PERIOD, type LocalChain } from '../../src/cli/local-chain.ts'
import { startBrokenNode } from '../chain/broken-node.ts'
import { newHome, type RunningProcess, type Served } from '../cli/farthing.ts'
import { newSeller, routesFile, type Seller } from '../cli/seller.ts'
import { rpc, startWorld, tokensOf, until } from '../support/market.ts'
import { newLeaver, type Leaver, type Rail } from './watch-leaver.ts'

const home = newHome()
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

type Shop = { readonly rail: Rail; readonly seller: Seller; readonly served: Served; readonly place: string[] }

async function openShop(rail: Rail): Promise<Shop> {
  const seller = await newSeller(world, home)
  const contract = rail === 'payment' ? ['--escrow', world.escrow] : ['--contract', world.raiden]
  const place = [...contract, '--token', world.token]
  const routes = routesFile(home, `${seller.address}.json`, { 'GET /x': { price: '5', text: 'sold' } })
  const served = await home.serve([
    routes,
    '--port',
    '0',
    '--rpc',
    world.anvil.url,
    '--key-file',
    seller.keyFile,
    ...place,
  ])
  return { rail, seller, served, place }
}

type Watching = { readonly process: RunningProcess; readonly lines: string[] }

type Told = { readonly keyFile: string; readonly rpc?: string; readonly more?: readonly string[] }

async function watch({ served, place }: Shop, { keyFile, rpc = world.anvil.url, more = [] }: Told): Promise<Watching> {
  const files = [
    '--state-file',
    served.stateFile,
    '--watch-file',
    join(home.folder, `${served.receiver}-${more.length}.watch`),
  ]
  const args = ['watch', '--json', '--rpc', rpc, '--key-file', keyFile, ...place, ...files, ...more]
  const process = home.start(args)
  const lines: string[] = []
  process.onLine((line) => lines.push(line))
  const ready = await process.firstLine
  expect(JSON.parse(ready), process.said()).toMatchObject({ receiver: served.receiver, stateFile: served.stateFile })
  return { process, lines }
}

async function customer(shop: Shop, purchases: number): Promise<Leaver> {
  const leaver = await newLeaver(world, shop.rail, shop.seller.address)
  for (let i = 1; i <= purchases; i += 1) await leaver.pay(`${shop.served.url}/x`, BigInt(i) * 5n)
  return leaver
}

/** Lets a part of the challenge period go by. */
async function pass(rail: Rail, part: number): Promise<void> {
  if (rail === 'payment') await rpc(world, 'evm_increaseTime', Math.ceil(Number(CHALLENGE_PERIOD) * part))
  await rpc(world, 'anvil_mine', rail === 'payment' ? '0x1' : `0x${Math.ceil(500 * part).toString(16)}`)
}

const answersOf = ({ lines }: Watching) =>
  lines
    .map((line) => JSON.parse(line) as { event?: string; transaction?: string })
    .filter(({ event }) => event === 'close-answered')

const sentBy = async (address: string) => Number(await rpc(world, 'eth_getTransactionCount', address, 'latest'))

it.each(['payment', 'rdn'] as const)(
  'with the server killed, a sender that states nothing pays all that it was charged (rail %s, the key of the receiver)',
  async (rail) => {
    const shop = await openShop(rail)
    const [leaver, another] = [await customer(shop, 3), await customer(shop, 1)]
    await shop.served.process.stop('SIGKILL')
    const watcher = await watch(shop, shop.seller)
    const [mine, theirs] = [await tokensOf(world, leaver.address), await tokensOf(world, another.address)]
    await leaver.requestClose()
    await another.requestClose()
    await pass(rail, 0.26)
    await until(async () => (await tokensOf(world, shop.seller.address)) === 20n)
    expect((await tokensOf(world, leaver.address)) - mine).toBe(985n)
    expect((await tokensOf(world, another.address)) - theirs).toBe(995n)
    await until(() => answersOf(watcher).length === 2)
    expect(await watcher.process.stop()).toBe(0)
    expect(watcher.process.said()).toContain('"event":"close-requested"')
  },
  120_000,
)

it('with the key of an operator it does the same, and not before a quarter of the challenge period', async () => {
  const shop = await openShop('payment')
  const operator = await newSeller(world, home)
  const naming = ['operator', operator.address, '--key-file', shop.seller.keyFile]
  const named = await home.here([...naming, '--rpc', world.anvil.url, '--escrow', world.escrow])
  expect(named.code, named.stderr).toBe(0)
  const [first, second] = [await customer(shop, 1), await customer(shop, 2)]
  const watcher = await watch(shop, { ...operator, more: ['--receiver', shop.seller.address] })
  await shop.served.process.stop('SIGKILL')
  await first.requestClose()
  const requested = [(await world.chain.head()).time]
  await pass('payment', 0.2)
  await second.requestClose()
  requested.push((await world.chain.head()).time)
  await pass('payment', 0.1)
  await until(() => answersOf(watcher).length === 1)
  await pass('payment', 0.15)
  await until(() => answersOf(watcher).length === 2)
  expect(await tokensOf(world, shop.seller.address)).toBe(15n)
  for (const [index, { transaction }] of answersOf(watcher).entries()) {
    const { block } = (await world.chain.mined(transaction as Hash))!
    const elapsed = (await world.chain.block(block))!.time - requested[index]!
    expect(elapsed).toBeGreaterThanOrEqual(CHALLENGE_PERIOD / 4n)
    expect(elapsed).toBeLessThan(CHALLENGE_PERIOD / 2n)
  }
  expect([await sentBy(operator.address), await sentBy(shop.seller.address)]).toEqual([2, 1])
  expect(await watcher.process.stop('SIGINT')).toBe(0)
}, 120_000)

it('with no node for the first half of the challenge period it answers in the second', async () => {
  const shop = await openShop('payment')
  const node = await startBrokenNode(world.anvil.url)
  const leaver = await customer(shop, 2)
  const watcher = await watch(shop, { ...shop.seller, rpc: node.url })
  await shop.served.process.stop('SIGKILL')
  await node.down()
  await leaver.requestClose()
  const requested = await world.chain.head()
  await pass('payment', 0.5)
  expect(await tokensOf(world, shop.seller.address)).toBe(0n)
  await node.up()
  await until(() => answersOf(watcher).length === 1)
  expect(await tokensOf(world, shop.seller.address)).toBe(10n)
  expect((await world.chain.head()).time - requested.time).toBeLessThan(CHALLENGE_PERIOD)
  expect(await watcher.process.stop()).toBe(0)
}, 120_000)

it('beside a server that lives it sends nothing, and does not keep the server from starting again', async () => {
  const shop = await openShop('payment')
  const operator = await newSeller(world, home)
  const naming = ['operator', operator.address, '--key-file', shop.seller.keyFile]
  await home.here([...naming, '--rpc', world.anvil.url, '--escrow', world.escrow])
  const watcher = await watch(shop, { ...operator, more: ['--receiver', shop.seller.address, '--after', '0'] })
  const leavers = [await customer(shop, 1), await customer(shop, 2), await customer(shop, 3)]
  for (const leaver of leavers) await leaver.requestClose()
  await until(async () => (await tokensOf(world, shop.seller.address)) === 30n)
  expect(await shop.served.process.stop('SIGKILL')).toBe(null)
  const again = await openAgain(shop)
  const late = await newLeaver(world, 'payment', shop.seller.address)
  await late.pay(`${again.url}/x`, 5n)
  await late.requestClose()
  await until(async () => (await tokensOf(world, shop.seller.address)) === 35n)
  expect(again.process.said()).not.toContain('close-answer-failed')
  expect(await again.process.stop()).toBe(0)
  expect(await watcher.process.stop()).toBe(0)
  // One answer for each, whoever was first; the receiver also named its operator.
  expect((await sentBy(operator.address)) + (await sentBy(shop.seller.address))).toBe(5)
}, 120_000)

function openAgain({ seller, place }: Shop): Promise<Served> {
  const routes = routesFile(home, `${seller.address}.json`, { 'GET /x': { price: '5', text: 'sold' } })
  return home.serve([routes, '--port', '0', '--rpc', world.anvil.url, '--key-file', seller.keyFile, ...place])
}
