/**
 * A sender in a process of its own, to be killed. Each line that it prints is a fact, written before it goes on:
 * `ask NAME`, `got NAME STATUS`, `failed NAME CODE`, `closed SETTLED REFUNDED`.
 *
 * Names with `keyed` in them are asked for with that name as Idempotency-Key, so that they can be asked for again.
 */
import { writeSync } from 'node:fs'
import type { Address, Hex } from 'viem'
import { SpendingError } from '../../src/base/spending.ts'
import { createChain } from '../../src/chain/index.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import { createClient, type Ahead, type Session } from '../../src/sender/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'

export type SenderSettings = {
  readonly rpc: string
  readonly key: Hex
  readonly rail: 'payment' | 'rdn'
  readonly escrow: Address
  readonly token: Address
  readonly path: string
  readonly url: string
  readonly ahead?: Ahead
  /** Which start of this sender it is. */
  readonly boot: number
  /** Names that were asked for before, and not answered. */
  readonly again: readonly string[]
  /** Requests in flight; 0: only `again`, then one after the other until the budget is used up, and a close. */
  readonly lanes: number
  /** Base units. */
  readonly deposit: string
  readonly perOrigin: string
}

const settings = JSON.parse(process.argv[2] ?? '{}') as SenderSettings
const { rpc, key, rail, escrow, token, path, url, ahead, boot, again, lanes } = settings

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

const client = await createClient({
  account: key,
  chain: createChain({ rpc, confirmations: 1, pollMs: 10 }),
  store: sqlite(path),
  budget: { perRequest: 5n, deposit: 1_000_000_000n, perOrigin: BigInt(settings.perOrigin) },
  deposit: () => BigInt(settings.deposit),
  escrows: [escrow],
  tokens: [token],
  protocols: [rail === 'payment' ? { dialect: payment(), escrow: session } : { dialect: rdn(), escrow: raiden }],
  retryMs: 10,
  ...(ahead && { ahead }),
})

/** Whether there was an answer. */
async function buy(buyer: Session, name: string): Promise<boolean> {
  const method = name.includes('post') ? 'POST' : 'GET'
  const headers = { 'X-Purchase': name, ...(name.includes('keyed') && { 'Idempotency-Key': name }) }
  say(`ask ${name}`)
  try {
    const response = await buyer.request(method, `${url}/sold`, { headers })
    await response.text()
    say(`got ${name} ${response.status}`)
    return true
  } catch (error) {
    say(`failed ${name} ${error instanceof SpendingError ? error.code : String(error)}`)
    return false
  }
}

const kinds = ['get', 'get-keyed', 'post-keyed', 'post']

const buyer = client.session()
let count = 0
function nextName(): string {
  count += 1
  return `${kinds[count % kinds.length]}-${boot}-${count}`
}

async function buyAsFastAsItCan(): Promise<void> {
  const lane = async () => {
    while (await buy(buyer, nextName()));
  }
  await Promise.all([...again.map((name) => buy(buyer, name)), ...Array.from({ length: lanes }, lane)])
}

async function buyAllAndClose(): Promise<void> {
  await Promise.all(again.map((name) => buy(buyer, name)))
  while (await buy(buyer, nextName()));
  for await (const { key, status } of client.channels()) {
    if (status !== 'open') continue
    const { settled, refunded } = await (await client.channel(key)).close()
    say(`closed ${settled} ${refunded}`)
  }
}

await (lanes > 0 ? buyAsFastAsItCan() : buyAllAndClose())
// A connection that is kept alive would keep the process.
process.exit(0)
