/** `farthing watch --feed`: a server sends its vouchers to a watcher that cannot see its disk, and is then gone for good. */
import { createHmac, randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { newHome, type RunningProcess, type Served } from '../cli/farthing.ts'
import { newSeller, placeOf, routesFile, type Seller } from '../cli/seller.ts'
import { listen, rpc, startWorld, tokensOf, until } from '../support/market.ts'
import { newLeaver } from './watch-leaver.ts'

const home = newHome()
const SECRET = 'what server and watcher both know'
const secretFile = join(home.folder, 'feed-secret')
writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 })
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

async function freePort(): Promise<string> {
  const { url, close } = await listen(() => undefined)
  await close()
  return url.slice('http://'.length)
}

type Pair = {
  readonly seller: Seller
  readonly served: Served
  readonly watcher: RunningProcess
  readonly feed: string
  readonly metrics: string
}

async function openPair(): Promise<Pair> {
  const seller = await newSeller(world, home)
  const [feed, metrics] = [await freePort(), await freePort()]
  const watching = ['--feed', feed, '--feed-secret-file', secretFile, '--metrics', metrics]
  const watcher = home.start([
    'watch',
    '--json',
    ...placeOf(world, seller),
    ...watching,
    '--watch-file',
    join(home.folder, feed),
  ])
  expect(JSON.parse(await watcher.firstLine), watcher.said()).toMatchObject({ stateFile: null })
  const routes = routesFile(home, `${seller.address}.json`, { 'GET /x': { price: '5', text: 'sold' } })
  const feeding = ['--feed-to', `http://${feed}/`, '--feed-secret-file', secretFile]
  const served = await home.serve([routes, '--port', '0', ...placeOf(world, seller), ...feeding])
  return { seller, served, watcher, feed, metrics }
}

it('answers with the vouchers that it was sent, when server and disk are gone', async () => {
  const { seller, served, watcher } = await openPair()
  const leavers = [await newLeaver(world, 'payment', seller.address), await newLeaver(world, 'rdn', seller.address)]
  for (const leaver of leavers) for (let i = 1n; i <= 3n; i += 1n) await leaver.pay(`${served.url}/x`, i * 5n)
  // At its end it sends what was changed last.
  expect(await served.process.stop('SIGTERM')).toBe(0)
  expect(served.process.said()).not.toContain('vouchers-not-delivered')
  rmSync(served.stateFile)
  for (const leaver of leavers) await leaver.requestClose()
  await rpc(world, 'evm_increaseTime', 240)
  await rpc(world, 'anvil_mine', '0x88')
  await until(async () => (await tokensOf(world, seller.address)) === 30n)
  expect(await watcher.stop()).toBe(0)
}, 120_000)

it('keeps nothing that is not signed by the server, nor a voucher that the contract would refuse', async () => {
  const { seller, served, watcher, feed, metrics } = await openPair()
  const leaver = await newLeaver(world, 'payment', seller.address)
  await leaver.pay(`${served.url}/x`, 5n)
  await served.process.stop('SIGTERM')
  const id = leaver.channel
  const forged = { channel: id, cumulativeAmount: '900', signature: `0x${'11'.repeat(64)}1b`, charged: '900' }
  const post = (body: string, secret: string, seconds = Math.floor(Date.now() / 1_000)) => {
    const name = randomUUID()
    const digest = createHmac('sha256', secret).update(`${name}.${seconds}.${body}`).digest('base64')
    const headers = { 'webhook-id': name, 'webhook-timestamp': `${seconds}`, 'webhook-signature': `v1,${digest}` }
    return fetch(`http://${feed}/`, { method: 'POST', body, headers })
  }
  const body = JSON.stringify({ type: 'vouchers', vouchers: [forged] })
  expect((await post(body, 'another secret, as long as that')).status).toBe(401)
  expect((await post(body, SECRET, Math.floor(Date.now() / 1_000) - 301)).status).toBe(401)
  expect((await post('{"vouchers":[{"channel":"x"}]}', SECRET)).status).toBe(400)
  expect((await post(`{"vouchers":["${'x'.repeat(1_100_000)}"]}`, SECRET)).status).toBe(413)
  expect((await fetch(`http://${feed}/`)).status).toBe(405)
  expect((await post(body, SECRET)).status).toBe(204)
  const numbers = await (await fetch(`http://${metrics}/metrics`)).text()
  expect(numbers).toContain('farthing_alarms_standing{alarm="voucher-refused"} 1')
  await leaver.requestClose()
  await rpc(world, 'evm_increaseTime', 240)
  await rpc(world, 'evm_mine')
  await until(async () => (await tokensOf(world, seller.address)) === 5n)
  expect(await watcher.stop()).toBe(0)
}, 120_000)
