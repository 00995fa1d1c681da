/** Buys readings until the budget of the day is used up. It may be stopped at any time: what it has spent is in its file. */
import console from 'node:console'
import { setTimeout as pause } from 'node:timers/promises'
import { NoAnswerError, OverBudgetError } from 'farthing'
import { createChain } from 'farthing/chain'
import { createClient } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [url = 'http://127.0.0.1:4106/reading', everyMs = '1000'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const client = await createClient({
  account,
  chain: createChain(node),
  store: sqlite(file('buyer')),
  budget: { perRequest: 40n, deposit: 10_000n, perDay: 480n },
  deposit: () => 200n, // little at a time: what is used up is topped up
  escrows: [escrow],
  tokens: [token],
})
const buying = client.session()

for (;;) {
  try {
    const response = await buying.get(url)
    console.log(response.ok ? (await response.text()).trim() : `The sensor says ${response.status}. Asking again.`)
  } catch (error) {
    if (error instanceof OverBudgetError) {
      console.log(`Enough for today. ${error.message}`)
      break
    }
    if (!(error instanceof NoAnswerError)) throw error
    console.log('The sensor does not answer. Asking again.')
  }
  await pause(Number(everyMs))
}
