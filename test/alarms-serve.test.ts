/** `farthing serve` with a place to tell of alarms and a place for numbers: a real process, told and asked over HTTP. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LocalChain } from '../src/cli/local-chain.ts'
import { newHome } from './cli/farthing.ts'
import { newSeller, placeOf } from './cli/seller.ts'
import { listen, startWorld, until } from './support/market.ts'

const home = newHome()
const secretFile = join(home.folder, 'alarm-secret')
writeFileSync(secretFile, 'a secret of the operator, long\n', { mode: 0o600 })
let world: LocalChain
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.anvil.stop())

const thing = ['--upstream', 'http://127.0.0.1:9', '--price', '5', '--port', '0']

it('tells the webhook when the nodes are gone and when the alarm is over, and shows it as a number', async () => {
  const told: string[] = []
  const place = await listen((request, response) => {
    request.on('data', (chunk: Buffer) => told.push(chunk.toString()))
    request.on('end', () => response.end())
  })
  const free = await listen(() => undefined)
  const metrics = free.url.slice('http://'.length)
  await free.close()
  const alarms = ['--alarm-webhook', `${place.url}/told`, '--alarm-secret-file', secretFile, '--metrics', metrics]
  const served = await home.serve([...placeOf(world, await newSeller(world, home)), ...thing, ...alarms])
  const numbers = async () => (await fetch(`http://${metrics}/metrics`)).text()
  expect(await numbers()).toContain('farthing_alarms_standing{alarm="node-unreachable"} 0')
  expect(await numbers()).toContain('farthing_ready 1')
  process.kill(world.anvil.pid, 'SIGSTOP')
  await until(() => told.some((body) => body.includes('"type":"alarm.raised"') && body.includes('node-unreachable')))
  expect(await numbers()).toContain('farthing_alarms_standing{alarm="node-unreachable"} 1')
  process.kill(world.anvil.pid, 'SIGCONT')
  await until(() => told.some((body) => body.includes('"type":"alarm.cleared"') && body.includes('node-unreachable')))
  expect(served.process.said()).toContain('"page":"docs/reference/alarms.md#node-unreachable"')
  expect(await served.process.stop()).toBe(0)
  await place.close()
}, 60_000)

it.each([
  [['--alarm-webhook', 'https://alarms.example/'], '--alarm-secret-file: is needed with --alarm-webhook: what signs.'],
  [['--alarm-secret-file', secretFile], '--alarm-webhook: is needed with --alarm-secret-file.'],
  [
    ['--alarm-webhook', 'http://alarms.example/', '--alarm-secret-file', secretFile],
    '--alarm-webhook: use an https URL; http only on this machine.',
  ],
  [['--metrics', '9464'], '--metrics: needs an address and a port, such as 127.0.0.1:9464.'],
])('does not start with %j, and says why', async (args, message) => {
  const { code, stderr } = await home.here([
    'serve',
    ...placeOf(world, await newSeller(world, home)),
    ...thing,
    ...args,
  ])
  expect([code, stderr.split('\n').find((line) => line.startsWith('farthing: --'))]).toEqual([
    2,
    `farthing: ${message}`,
  ])
})
