/**
 * A sender that is killed when its deposit is on its way and not mined yet: no second one is made for it, and the
 * receiver hears of the first one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createChain } from '../../src/chain/index.ts'
import type { Channel } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { newAccount, newReceiver, rpc, startWorld, until } from '../support/market.ts'
import { railKits, type RailKit } from '../support/rail-kits.ts'
import { bundle } from './program.ts'
import type { SenderSettings } from './sender-process.ts'
import { openNode, openSenderShop, startSender, type SenderShop, type Watch } from './sender-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-sender-deposit-'))
const endings: (() => unknown)[] = []
let world: LocalChain
let program: string

beforeAll(async () => {
  world = await startWorld()
  program = await bundle('sender-process.ts')
})
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})
afterAll(async () => {
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

describe.each(railKits)('a deposit on the rail $name', (kit) => {
  it.each([
    { what: 'opens', arrivals: 0 },
    { what: 'tops up', arrivals: 10 },
  ])('that $what a channel and is not mined yet is waited for after a kill', async ({ what, arrivals }) => {
    const { settings, shop, act } = await openSubject(kit, what)
    const transaction = await killAtDeposit(settings, arrivals, act)
    await rpc(world, 'evm_setAutomine', false)
    await rpc(world, 'eth_sendRawTransaction', transaction)
    // It counts its transactions again and again, or sends another.
    let looks = 0
    act((fact, body = '') => {
      if (fact === 'to be sent') looks += 10
      if (fact === 'asked' && body.includes('"pending"')) looks += 1
      return true
    })
    const again = startSender(program, { ...settings, boot: 1 })
    await until(() => looks >= 3)
    await rpc(world, 'evm_setAutomine', true)
    await rpc(world, 'evm_mine')
    expect((await again.ended()).at(-1)).toBe('closed 100 20')
    expect((await heldBy(shop)).map(({ deposit }) => deposit)).toEqual([120n])
  })

  it('that opened a channel is told to a receiver that has not seen it', async () => {
    // It looks at the chain when it starts, and hardly again. By µRaiden's headers nobody can be told: there it is waited for.
    const pollMs = kit.name === 'rdn' ? 2_000 : 3_600_000
    const chain = createChain({ rpc: world.anvil.url, confirmations: 1, pollMs })
    const receiver = await newReceiver(world, { rails: [kit.rail(world)], chain })
    const { settings, shop, act } = await openSubject(kit, 'tells', receiver)
    const sender = startSender(program, settings)
    act((fact) => {
      if (fact === 'sent') sender.kill()
      return true
    })
    await sender.ended('SIGKILL')
    act(() => true)
    expect((await startSender(program, { ...settings, boot: 1 }).ended()).at(-1)).toBe('closed 100 20')
    expect(await heldBy(shop)).toHaveLength(1)
  })
})

async function openSubject(kit: RailKit, name: string, receiver?: Receiver) {
  let watch: Watch = () => true
  const told: Watch = (fact, body) => watch(fact, body)
  const shop = await openSenderShop(world, kit, told, Math.random, receiver)
  const node = await openNode(world, told)
  endings.push(shop.close, node.close)
  const settings: SenderSettings = {
    rpc: node.url,
    key: (await newAccount(world)).privateKey,
    rail: kit.name,
    escrow: kit.name === 'rdn' ? world.raiden : world.escrow,
    token: world.token,
    path: join(folder, `${kit.name}-${name}.db`),
    url: shop.url,
    boot: 0,
    again: [],
    lanes: 0,
    deposit: '60',
    perOrigin: '100',
  }
  return { settings, shop, act: (next: Watch) => (watch = next) }
}

/** Kills a sender which has shown so many vouchers when it sends a deposit, and returns the transaction, unsent. */
async function killAtDeposit(settings: SenderSettings, arrivals: number, act: (watch: Watch) => unknown) {
  let left = arrivals
  let transaction: unknown
  const sender = startSender(program, settings)
  act((fact, body = '') => {
    if (fact === 'arrival') left -= 1
    if (fact !== 'to be sent' || left > 0) return true
    transaction = (JSON.parse(body) as { params: unknown[] }).params[0]
    sender.kill()
    return false
  })
  await sender.ended('SIGKILL')
  return transaction
}

async function heldBy({ receiver }: SenderShop): Promise<Channel[]> {
  const held: Channel[] = []
  for await (const channel of receiver.store.list()) held.push(channel)
  return held
}
