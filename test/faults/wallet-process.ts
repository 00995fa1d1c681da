/**
 * A wallet in a process of its own, to be killed. Each line that it prints is a fact: `pending NONCE REPLACED` for what
 * it finds, `sent HASH`, `mined HASH`, `marking` before it files that an intent is done, `idle` when nothing is on its way.
 */
import { writeSync } from 'node:fs'
import type { Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createChain, createWallet } from '../../src/chain/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { emitCall } from '../chain/contracts.ts'

export type WalletSettings = {
  readonly rpc: string
  readonly key: Hex
  readonly path: string
  readonly stuckMs: number
  /** What the call emits; undefined: only goes on with what is on file. */
  readonly id?: number
  /** Stops for ever before it files that an intent is done. */
  readonly hold: boolean
}

const { rpc, key, path, stuckMs, id, hold } = JSON.parse(process.argv[2] ?? '{}') as WalletSettings
const POLL_MS = 10

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

const store = sqlite(path)
const intents: typeof store = {
  ...store,
  writeRecord(name, change) {
    if (!name.startsWith('intent:') || !hold) return store.writeRecord(name, change)
    say('marking')
    return new Promise(() => undefined)
  },
}
const chain = createChain({ rpc, confirmations: 1, pollMs: POLL_MS })
const wallet = createWallet({ chain, account: privateKeyToAccount(key), intents, stuckMs })

for (const { nonce, replaced } of await wallet.pending()) say(`pending ${nonce} ${replaced}`)
if (id !== undefined) {
  const options = { intent: `emit:${id}`, onSent: (hash: Hex) => say(`sent ${hash}`) }
  say(`mined ${(await wallet.send(emitCall(id), options)).hash}`)
}
while ((await wallet.pending()).length > 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
say('idle')
await store.close()
process.exit(0)
