/** Plays a recording and pays for it part by part. Whoever stops watching, with Ctrl-C, stops paying. */
import console from 'node:console'
import { setTimeout as pause } from 'node:timers/promises'
import { createChain } from 'farthing/chain'
import { createClient } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'
import type { Output } from './recording.ts'

const [url = 'http://127.0.0.1:4105/recording', speed = '1'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const client = await createClient({
  account,
  chain: createChain(node),
  store: sqlite(file('streaming-client')),
  budget: { perRequest: 20n, deposit: 1_000n },
  escrows: [escrow],
  tokens: [token],
})
const watching = client.session()

const leaving = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort())

const { parts } = JSON.parse(await buy(url)) as { parts: number }
let bought = 0
while (bought < parts && !leaving.signal.aborted) {
  const part = JSON.parse(await buy(`${url}/${bought + 1}`)) as Output[]
  bought += 1
  await play(part)
}
console.log(`\nWatched ${bought} of ${parts} parts and paid ${bought * 20}.`)

async function buy(address: string): Promise<string> {
  const response = await watching.get(address)
  const body = await response.text()
  if (!response.ok) throw new Error(`${response.status}: ${body}`)
  return body
}

async function play(part: readonly Output[]): Promise<void> {
  let now = part[0]?.atSeconds ?? 0
  for (const { atSeconds, text } of part) {
    const ms = ((atSeconds - now) * 1_000) / Number(speed)
    await pause(ms, undefined, { signal: leaving.signal }).catch(() => undefined)
    if (leaving.signal.aborted) return
    process.stdout.write(text)
    now = atSeconds
  }
}
