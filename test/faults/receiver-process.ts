/** A receiver in a process of its own, to be killed. Prints its URL when it sells. */
import { privateKeyToAccount } from 'viem/accounts'
import type { Address, Hex } from 'viem'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { paid } from '../../src/adapter/node.ts'
import { createChain, createWallet } from '../../src/chain/index.ts'
import { payment, session } from '../../src/rails.ts'
import { createReceiver, rail } from '../../src/receiver/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'

export type Settings = {
  rpc: string
  key: Hex
  escrow: Address
  token: Address
  chainId: number
  path: string
  secret: string
}

const { rpc, key, escrow, token, chainId, path, secret } = JSON.parse(process.argv[2] ?? '{}') as Settings
const chain = createChain({ rpc, confirmations: 1, pollMs: 20 })
const receiver = createReceiver({
  wallet: createWallet({ chain, account: privateKeyToAccount(key) }),
  chain,
  store: sqlite(path),
  rails: [rail({ dialect: payment({ secrets: [secret] }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()
const server = createServer(paid(receiver, 5n, (_request, response) => response.end('sold')))
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
