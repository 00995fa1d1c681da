/** Sells a recording in parts of three seconds. What somebody wants to see, somebody pays for, part by part. */
import console from 'node:console'
import { readFileSync } from 'node:fs'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'
import { partsOf } from './recording.ts'

const { node, chainId, escrow, token, account, file } = await readPlace(7)

const chain = createChain(node)
const store = sqlite(file('streaming-server'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'streaming' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()

const parts = partsOf(readFileSync(new URL('farthing.cast', import.meta.url), 'utf8'), 3)
const server = createProxy({
  receiver,
  routes: [
    ['GET /recording', { price: { free: true }, json: { parts: parts.length } }],
    // A part that is not there is no route, so it costs nothing.
    ...parts.map((part, number) => [`GET /recording/${number + 1}`, { price: 20n, json: part }] as const),
  ],
})
console.log(`Selling ${parts.length} parts at ${await server.listen(Number(process.env.PORT ?? 4105))}/recording`)
