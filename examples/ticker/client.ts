/** Buys a quote every second and shows it, until Ctrl-C. Then it closes its channel and has the rest back. */
import console from 'node:console'
import { setTimeout as pause } from 'node:timers/promises'
import { createChain } from 'farthing/chain'
import { createClient } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'
import { show } from './show.ts'

const [url = 'http://127.0.0.1:4104/quotes/ETH-USD', everyMs = '1000'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const client = await createClient({
  account,
  chain: createChain(node),
  store: sqlite(file('ticker-client')),
  budget: { perRequest: 100n, deposit: 100_000n },
  escrows: [escrow],
  tokens: [token],
})
const before = await client.balance(token)
const watching = client.session({ closeOnExit: true })

const leaving = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => leaving.abort())

let bought = 0
try {
  while (!leaving.signal.aborted) {
    const response = await watching.get(url)
    const body = await response.text()
    if (!response.ok) throw new Error(`${response.status}: ${body}`)
    bought += 1
    show(body)
    // Ctrl-C ends the wait, and never a purchase that is under way.
    await pause(Number(everyMs), undefined, { signal: leaving.signal }).catch(() => undefined)
  }
} finally {
  await watching.end()
}
console.log(`\n${bought} quotes for ${before - (await client.balance(token))}. The channel is closed.`)
