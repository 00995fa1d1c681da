/** What raises an alarm, on a real chain: senders that leave, nodes that fail, deposits that vanish, a purse that is empty. */
import { numberToHex } from 'viem'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { Pending } from '../src/chain/chain.ts'
import { createChain } from '../src/chain/rpc.ts'
import type { LocalChain } from '../src/cli/local-chain.ts'
import type { AlarmNews } from '../src/receiver/alarm.ts'
import { watchGasMoney } from '../src/receiver/alarm-money.ts'
import { watchHead } from '../src/receiver/alarm-node.ts'
import { watchTransactions } from '../src/receiver/alarm-transactions.ts'
import type { Receiver, ReceiverConfig } from '../src/receiver/receiver.ts'
import {
  newBuyer,
  newReceiver,
  openChannel,
  openShop,
  railOf,
  raidenRail,
  rpc,
  startWorld,
  tokensOf,
  until,
} from './support/market.ts'
import { railKits } from './support/rail-kits.ts'

const world = await startWorld()
afterAll(() => world.anvil.stop())
const endings: (() => unknown)[] = []
let miners = 0
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** A receiver whose alarms are heard: `name state` of each, in order. */
async function listenTo(config: Partial<ReceiverConfig> = {}, on: LocalChain = world) {
  const told: AlarmNews[] = []
  const receiver = await newReceiver(on, { alarms: [(news) => void told.push(news)], ...config })
  endings.push(() => receiver.stop())
  const heard = (name: AlarmNews['name']) => told.filter((news) => news.name === name)
  const states = (name: AlarmNews['name']) => heard(name).map(({ state }) => state)
  const stands = (name: AlarmNews['name']) => receiver.alarms.standing().some((alarm) => alarm.name === name)
  return { receiver, heard, states, stands }
}

const setCoins = ({ wallet }: Receiver, wei: bigint) =>
  rpc(world, 'anvil_setBalance', wallet!.address, `0x${wei.toString(16)}`)

describe.each(railKits)('a sender that leaves, on the rail $name', ({ name, rail, openBuyer }) => {
  it('raises an alarm at once, and a louder one when a quarter of its challenge period is over', async () => {
    const { receiver, heard, states, stands } = await listenTo({ rails: [rail(world)] })
    const shop = await openShop(receiver)
    endings.push(() => shop.close())
    const buyer = await openBuyer(world, receiver)
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    await setCoins(receiver, 0n)
    await buyer.requestClose()
    await until(() => stands('close-requested'))
    expect(states('settle-overdue')).toEqual([])
    if (name === 'payment') await rpc(world, 'evm_increaseTime', 250)
    await rpc(world, 'anvil_mine', name === 'payment' ? '0x1' : '0x82') // of 900 seconds, of 500 blocks
    await until(() => stands('settle-overdue'))
    const known = await buyer.known()
    expect(heard('settle-overdue')[0]).toMatchObject({ subject: known!.key, facts: { channel: known!.id, owed: '5' } })
    expect(Number(heard('settle-overdue')[0]!.facts['percent'])).toBeGreaterThanOrEqual(25)
    await setCoins(receiver, 10n ** 18n)
    await until(() => !stands('close-requested') && !stands('settle-overdue'))
    expect(await tokensOf(world, receiver.address)).toBe(5n)
    expect([states('close-requested'), states('settle-overdue')]).toEqual([
      ['raised', 'cleared'],
      ['raised', 'cleared'],
    ])
  }, 60_000)

  it('is answered although another one cannot be', async () => {
    const { receiver, stands } = await listenTo({ rails: [rail(world)] })
    const shop = await openShop(receiver)
    endings.push(() => shop.close())
    const [stuck, fine] = [await openBuyer(world, receiver), await openBuyer(world, receiver)]
    for (const buyer of [stuck, fine]) expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    const { key } = (await stuck.known())!
    const broken = { cumulativeAmount: 5n, signature: `0x${'11'.repeat(64)}1b` } as const
    await receiver.store.update(key, (now) => ({ ...now!, voucher: broken }))
    await stuck.requestClose()
    await until(() => stands('close-requested'))
    await fine.requestClose()
    await until(async () => (await fine.known())?.status === 'closed')
    expect(await stuck.known()).toMatchObject({ status: 'closing' })
    expect(receiver.alarms.standing().filter(({ name }) => name === 'close-requested')).toMatchObject([
      { subject: key },
    ])
  }, 60_000)
})

describe('a purse', () => {
  it('with less than ten transactions cost raises an alarm with both numbers, until it has enough', async () => {
    const { receiver, heard, states } = await listenTo()
    await setCoins(receiver, 1n)
    await watchGasMoney(receiver)
    await watchGasMoney(receiver)
    const address = receiver.wallet!.address
    expect(heard('gas-money-low')).toMatchObject([{ subject: address, facts: { balance: '1' } }])
    const needed = BigInt(heard('gas-money-low')[0]!.facts['needed']!)
    expect(heard('gas-money-low')[0]!.message).toContain(`Send it ${needed - 1n} wei or more`)
    await setCoins(receiver, 2n * needed)
    await watchGasMoney(receiver)
    expect(states('gas-money-low')).toEqual(['raised', 'cleared'])
  })
})

describe('a transaction', () => {
  it('that is not mined for long raises an alarm with its hash, until it is', async () => {
    const { receiver, heard, states } = await listenTo()
    const shop = await openShop(receiver)
    endings.push(() => shop.close())
    const buyer = await newBuyer(world, receiver)
    expect((await buyer.pay(`${shop.url}/x`, 5n)).status).toBe(200)
    await rpc(world, 'evm_setAutomine', false)
    endings.push(() => rpc(world, 'evm_setAutomine', true))
    const settling = receiver.settle()
    await until(async () => (await receiver.wallet!.pending()).length === 1)
    const [{ hash, nonce }] = (await receiver.wallet!.pending()) as [Pending]
    await watchTransactions(receiver)
    expect(states('transaction-stuck')).toEqual([])
    await watchTransactions(receiver, 0)
    expect(heard('transaction-stuck')).toMatchObject([
      { subject: `${receiver.wallet!.address}:${nonce}`, facts: { hash, minutes: '0', replaced: '0' } },
    ])
    await rpc(world, 'evm_mine')
    expect(await settling).toMatchObject([{ ok: true, amount: 5n }])
    await watchTransactions(receiver, 0)
    expect(states('transaction-stuck')).toEqual(['raised', 'cleared'])
  })
})

describe('nodes', () => {
  it('that are silent for a quarter of what ends credit raise an alarm, until one answers', async () => {
    const chain = createChain({ rpc: world.anvil.url, confirmations: 1, pollMs: 10, timeoutMs: 200 })
    const { states, stands } = await listenTo({ chain, limits: { chainSilenceMs: 4_000 } })
    process.kill(world.anvil.pid, 'SIGSTOP')
    endings.push(() => process.kill(world.anvil.pid, 'SIGCONT'))
    await until(() => stands('node-unreachable'))
    process.kill(world.anvil.pid, 'SIGCONT')
    await until(() => !stands('node-unreachable'))
    expect(states('node-unreachable')).toEqual(['raised', 'cleared'])
  }, 30_000)

  it('whose newest block is old raise an alarm, until there is a new one', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const old = await startWorld({ chainId: 777, args: ['--timestamp', `${now - 3_600}`] })
    endings.push(() => old.anvil.stop())
    const { receiver, heard, states } = await listenTo({}, old)
    await watchHead(receiver)
    expect(heard('node-behind')).toMatchObject([{ subject: 'chain', facts: { block: `${receiver.live.head}` } }])
    expect(Number(heard('node-behind')[0]!.facts['seconds'])).toBeGreaterThan(3_000)
    await rpc(old, 'evm_setNextBlockTimestamp', now)
    await rpc(old, 'evm_mine')
    await until(() => receiver.live.headTime >= BigInt(now))
    await watchHead(receiver)
    expect(states('node-behind')).toEqual(['raised', 'cleared'])
  }, 30_000)
})

describe('a reorganisation', () => {
  const deepChain = () => createChain({ rpc: world.anvil.url, confirmations: 5, pollMs: 10 })

  it('that takes an unconfirmed deposit back raises an alarm, until the deposit is there again', async () => {
    const rails = [railOf(world), raidenRail(world)]
    const { receiver, heard, states, stands } = await listenTo({ chain: deepChain(), rails })
    const { id, opening } = await openChannel(world, receiver.address, 1_000n)
    await until(() => receiver.live.pending.size === 1)
    const transaction = await rawTransaction(opening.hash)
    await reorg(1)
    await until(() => stands('deposit-vanished'))
    expect(heard('deposit-vanished')[0]).toMatchObject({ facts: { deposit: '1000', confirmed: '0' } })
    expect(heard('deposit-vanished')[0]!.subject).toContain(id)
    await reorg(1, [[transaction, 0]])
    await until(() => !stands('deposit-vanished'))
    expect(states('deposit-vanished')).toEqual(['raised', 'cleared'])
    await rpc(world, 'anvil_mine', '0x6')
    await until(() => receiver.live.pending.size === 0)
    expect(states('deposit-vanished')).toEqual(['raised', 'cleared'])
  }, 30_000)

  it('deeper than what counts raises one that stays', async () => {
    const { receiver, heard } = await listenTo()
    await rpc(world, 'anvil_mine', '0x4')
    const head = await world.chain.head()
    await until(() => receiver.live.head >= head.number)
    await reorg(3)
    await until(() => receiver.live.phase === 'reorg')
    expect(heard('deposit-vanished')).toMatchObject([{ subject: 'deep-reorg', state: 'raised' }])
  })
})

/** Two empty blocks at one place and time are the same block, unless somebody else mines the second one. */
async function reorg(depth: number, transactions: readonly unknown[] = []): Promise<void> {
  await rpc(world, 'anvil_setCoinbase', numberToHex(++miners, { size: 20 }))
  await rpc(world, 'anvil_reorg', depth, transactions)
}

async function rawTransaction(hash: string): Promise<unknown> {
  return rpc(world, 'eth_getRawTransactionByHash', hash)
}
