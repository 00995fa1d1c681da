/** Buys fortunes, and adds one. A call for each purchase, as in a script; what they share is in the store. */
import console from 'node:console'
import { get, post, type RequestOptions } from 'farthing/requests'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [url = 'http://127.0.0.1:4102'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const options: RequestOptions = {
  ...node,
  account,
  store: sqlite(file('fortune-client')),
  budget: { perRequest: 20n, deposit: 500n },
  escrows: [escrow],
  tokens: [token],
  initialDeposit: () => 200n,
}

await show('3 for', await get(`${url}/fortunes/la`, options))
await show('2 for', await get(`${url}/fortunes/en`, options))
await show(
  '20 for',
  await post(`${url}/fortunes/en`, { ...options, init: { body: 'Two channels meet in one receiver.' } }),
)
await show('nothing for', await post(`${url}/fortunes/en`, { ...options, init: { body: 'too long '.repeat(10) } }))

async function show(price: string, response: Response): Promise<void> {
  console.log(`${price}: ${response.status} ${await response.text()}`)
}
