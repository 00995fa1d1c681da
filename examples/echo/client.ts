/** Buys three echoes. The channel that they are paid from opens by itself. */
import console from 'node:console'
import { createChain } from 'farthing/chain'
import { payment } from 'farthing/rails'
import { createClient } from 'farthing/sender'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [url = 'http://127.0.0.1:4101'] = process.argv.slice(2)
const { node, escrow, token, account, file } = await readPlace()

const client = await createClient({
  account,
  chain: createChain(node),
  store: sqlite(file('echo-client')),
  budget: { perRequest: 100n, deposit: 1_000n },
  escrows: [escrow],
  tokens: [token],
  onProgress: (progress) => {
    if (progress.step === 'opening') console.log(`Opening a channel with a deposit of ${progress.deposit}.`)
  },
})

const visitor = client.session()
for (const path of ['/echofix/hello', '/echofix/again', '/echodyn/7']) {
  const response = await visitor.get(`${url}${path}`)
  const receipt = payment().readReceipt(response.headers)
  console.log(`${path} -> ${await response.text()}  (paid so far: ${receipt?.charged ?? 'nothing'})`)
}
