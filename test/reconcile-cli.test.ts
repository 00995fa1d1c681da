/** `farthing reconcile` beside a server that sells, and on a state file that somebody has changed. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LocalChain } from '../src/cli/local-chain.ts'
import { sqlite } from '../src/store/sqlite.ts'
import { newHome } from './cli/farthing.ts'
import { newSeller, placeOf, routesFile } from './cli/seller.ts'
import { newLeaver } from './faults/watch-leaver.ts'
import { startWorld } from './support/market.ts'

const home = newHome()
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

it('agrees beside a server that sells, and names what was changed in its file, with both numbers', async () => {
  const seller = await newSeller(world, home)
  const routes = routesFile(home, 'reconcile.json', { 'GET /x': { price: '5', text: 'sold' } })
  const served = await home.serve([routes, '--port', '0', ...placeOf(world, seller)])
  for (const rail of ['payment', 'rdn'] as const) {
    const leaver = await newLeaver(world, rail, seller.address)
    await leaver.pay(`${served.url}/x`, 5n)
  }
  const place = [...placeOf(world, seller), '--state-file', served.stateFile]
  const beside = await home.here(['reconcile', ...place])
  expect([beside.code, beside.stderr.includes('farthing:')]).toEqual([0, true]) // of a key without a password
  expect(beside.stdout).toBe(
    [
      'PROTOCOL  IN ESCROW  AUTHORIZED  CHARGED  SETTLED  LOST',
      'payment   1000       5           5        0        0',
      'rdn       1000       5           5        0        0',
      '2 channels compared. All agree with the chain.',
      '',
    ].join('\n'),
  )
  expect(await served.process.stop()).toBe(0)
  const store = sqlite(served.stateFile)
  const keys: string[] = []
  for await (const { key } of store.list()) {
    keys.push(key)
    await store.update(key, (now) => ({ ...now!, settled: 3n }))
  }
  await store.close()
  const { code, stdout } = await home.run(['reconcile', ...place, '--receiver', seller.address, '--json'])
  expect(code).toBe(5)
  const told = JSON.parse(stdout) as { ok: boolean; channels: number; disagreements: { subject: string }[] }
  expect(told).toMatchObject({ ok: false, channels: 2 })
  expect(told.disagreements).toEqual(keys.map((subject) => ({ subject, what: 'settled', ours: '3', theirs: '0' })))
}, 60_000)

it('says which file it wants', async () => {
  const seller = await newSeller(world, home)
  const { code, stderr } = await home.here(['reconcile', ...placeOf(world, seller)])
  expect(code).toBe(2)
  expect(stderr).toMatch(/farthing: --state-file: there is none at .*\. Name the one that the server has\.\n$/)
})
