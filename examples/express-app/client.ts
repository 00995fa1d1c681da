/** Uses the application: two routes that are free, two that cost something. */
import console from 'node:console'
import { createChain } from 'farthing/chain'
import { createClient } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [url = 'http://127.0.0.1:4107'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const client = await createClient({
  account,
  chain: createChain(node),
  store: sqlite(file('notes-client')),
  budget: { perRequest: 25n, deposit: 1_000n },
  escrows: [escrow],
  tokens: [token],
  onProgress: (progress) => {
    if (progress.step === 'paying') console.log(`(paying ${progress.price})`)
  },
})

const visitor = client.session()
const headers = { 'Content-Type': 'text/plain' }
await show(await visitor.get(`${url}/`))
await show(await visitor.get(`${url}/notes`))
await show(await visitor.get(`${url}/notes/2`))
await show(await visitor.post(`${url}/search`, { headers, body: 'farthing' }))

async function show(response: Response): Promise<void> {
  console.log((await response.text()).trim())
}
