/**
 * A receiver in a process of its own, to be killed and starved. Prints its URL when it sells.
 *
 * Every run of the handler is a line of the file `runs`, written before anything is answered, so that it outlives a kill.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Address, Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { paid } from '../../src/adapter/node.ts'
import { createChain, createWallet } from '../../src/chain/index.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import { createReceiver, rail } from '../../src/receiver/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'

export type Settings = {
  readonly rpc: string
  readonly key: Hex
  /** Of `key`. */
  readonly address: Address
  readonly escrow: Address
  readonly raiden: Address
  readonly token: Address
  readonly chainId: number
  readonly path: string
  readonly secret: string
  /** Which start of this receiver it is. */
  readonly boot: number
  readonly runs?: string
  /** How long a handler takes at most, in milliseconds. */
  readonly slowMs?: number
  /** How long a store that is shared waits for the others; undefined: it is not shared. */
  readonly busyTimeoutMs?: number
  readonly hotChannels?: number
}

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings
const { rpc, key, chainId, token, path, secret, boot, runs, slowMs = 0, busyTimeoutMs, hotChannels = 10_000 } = settings
const chain = createChain({ rpc, confirmations: 1, pollMs: 20 })
const shared = busyTimeoutMs !== undefined
const store = sqlite(path, { shared, hotChannels, ...(shared && { busyTimeoutMs }) })
const receiver = createReceiver({
  wallet: createWallet({ chain, account: privateKeyToAccount(key) }),
  chain,
  store,
  // Handlers fail here as often as they are told to.
  limits: { failures: Number.MAX_SAFE_INTEGER },
  rails: [
    rail({ dialect: payment({ secrets: [secret] }), escrow: session, chainId, address: settings.escrow, token }),
    rail({ dialect: rdn(), escrow: raiden, chainId, address: settings.raiden, token }),
  ],
})
await receiver.start()

let count = 0
async function sell({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
  count += 1
  const body = `sold ${boot}-${count}`
  if (runs !== undefined) appendFileSync(runs, `${boot} ${url.split('?')[1] ?? '-'}\n`)
  if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * slowMs))
  response.statusCode = url.startsWith('/fails') ? 500 : 200
  response.end(body)
}
const once = paid(receiver, 5n, sell)
const again = paid(receiver, 5n, sell, { repeatable: true })
const server = createServer((request, response) => {
  const listener = request.url?.startsWith('/again') ? again : once
  listener(request, response)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})

process.once('SIGTERM', () => void stop())
async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
  await receiver.stop()
  await store.close()
}
