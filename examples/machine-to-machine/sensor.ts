/** A sensor that sells what it measures. It may be stopped at any time: what it has earned is in its file. */
import console from 'node:console'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const { node, chainId, escrow, token, account, file } = await readPlace(8)

const chain = createChain(node)
const store = sqlite(file('sensor'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'sensor' }), escrow: session, chainId, address: escrow, token })],
  settle: { amount: 200n }, // takes what it has earned by itself, as soon as it is this much
})
await receiver.start()

const server = createProxy({ receiver, routes: { 'GET /reading': { price: 40n, json: measure } } })
console.log(`Selling at ${await server.listen(Number(process.env.PORT ?? 4106))}/reading`)

/** Stands in for a thermometer: warm in the afternoon. */
function measure() {
  const at = new Date()
  const celsius = 15 - 5 * Math.cos(((at.getHours() - 3) / 12) * Math.PI) + Math.random() / 2
  return { celsius: celsius.toFixed(1), at: at.toISOString() }
}
