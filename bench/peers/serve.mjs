/** What a peer's server needs to be measured: the same questions as `process/answer.ts`, and the same buyers. */
import { createHash } from 'node:crypto'
import { privateKeyToAccount } from 'viem/accounts'

/** What every handler answers, and what it costs in base units. */
export const BODY = '{"sky":"clear"}'
export const PRICE = 100n
export const DEPOSIT = 10n ** 18n
export const PATH = '/paid'

/** The address of buyer number `index`, as in `world.ts`. */
export function buyerNumber(index) {
  const key = createHash('sha256').update(`buyer ${index}`).digest('hex')
  return privateKeyToAccount(`0x${key}`).address
}

export function numbers(count) {
  return Array.from({ length: count }, (_, index) => index)
}

/** `begin` takes the settings, and returns a server and what its buyers need to know. */
export async function serveParent(begin) {
  process.once('disconnect', () => process.exit())
  const settings = await new Promise((resolve) => process.once('message', resolve))
  const { server, facts } = await begin(settings)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.on('message', ({ id }) => process.send({ id, answer: process.cpuUsage() }))
  process.send({ ready: { port: server.address().port, ...facts } })
}
