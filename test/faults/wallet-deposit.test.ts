/** A sender whose deposit is stored and no node has it: the next run makes that one, and no other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { createChain } from '../../src/chain/index.ts'
import { createClient } from '../../src/sender/index.ts'
import { memory } from '../../src/store/memory.ts'
import { startBrokenNode } from '../chain/broken-node.ts'
import { newAccount, newReceiver, openShop, startWorld, until } from '../support/market.ts'
import { railKits } from '../support/rail-kits.ts'
import { bundle } from './program.ts'
import { openNode, openSenderShop, startSender, type Watch } from './sender-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-wallet-deposit-'))
const world = await startWorld()
const program = await bundle('sender-process.ts')
afterAll(async () => {
  await world.anvil.stop()
  rmSync(folder, { recursive: true })
})

const purse = { lanes: 0, deposit: '60', perOrigin: '50', again: [], boot: 0 } as const

it.each(railKits)('a deposit on the rail $name that was stored and not sent is made once', async (kit) => {
  const handedOver: unknown[] = []
  let kill = () => {}
  const watch: Watch = (fact, body = '') => {
    if (fact !== 'to be sent') return true
    handedOver.push((JSON.parse(body) as { params: unknown[] }).params[0])
    kill()
    return handedOver.length > 1
  }
  const shop = await openSenderShop(world, kit, watch, Math.random)
  const node = await openNode(world, watch)
  onTestFinished(async () => {
    await node.close()
    await shop.close()
  })
  const { privateKey: key } = await newAccount(world)
  const escrow = kit.name === 'rdn' ? world.raiden : world.escrow
  const place = { rpc: node.url, key, rail: kit.name, escrow, token: world.token, url: shop.url }
  const settings = { ...purse, ...place, path: join(folder, `${kit.name}.db`) }

  const first = startSender(program, settings)
  kill = () => first.kill()
  await first.ended('SIGKILL')
  kill = () => {}
  const again = startSender(program, { ...settings, boot: 1 })

  expect((await again.ended()).at(-1)).toBe('closed 50 10')
  expect(handedOver[1], 'the same bytes').toBe(handedOver[0])
  const held = []
  for await (const channel of shop.receiver.store.list()) held.push(channel.deposit)
  expect(held).toEqual([60n])
})

it('a deposit that no node has is waited for, although the nodes count nothing on its way', async () => {
  const { privateKey: account } = await newAccount(world)
  const receiver = await newReceiver(world)
  const shop = await openShop(receiver)
  const node = await startBrokenNode(world.anvil.url)
  onTestFinished(async () => {
    await shop.close()
    await receiver.stop()
  })
  const store = memory()
  const handedOver = () => node.asked.filter(({ method }) => method === 'eth_sendRawTransaction').length
  const open = () =>
    createClient({
      account,
      chain: createChain({ rpc: node.url, pollMs: 10, timeoutMs: 300, confirmations: 1 }),
      store,
      budget: { perRequest: 5n, deposit: 60n, perOrigin: 60n },
      escrows: [world.escrow],
      tokens: [world.token],
    })
  node.misbehave(({ method }) => (method === 'eth_sendRawTransaction' ? 'hang' : undefined))
  const impatient = (await open()).session().get(shop.url)
  impatient.catch(() => undefined)
  await until(() => handedOver() === 1)

  const buying = (await open()).session().get(shop.url)
  await until(() => handedOver() >= 2)
  const looks = node.asked.length
  await until(() => node.asked.length > looks + 40)
  node.behave()

  expect((await buying).status).toBe(200)
  const held = []
  for await (const channel of receiver.store.list()) held.push(channel.deposit)
  expect(held).toEqual([60n])
})
