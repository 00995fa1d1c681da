/** Sells the latest quote of a market. The market is a random walk: it stands in for an exchange. */
import console from 'node:console'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const { node, chainId, escrow, token, account, file } = await readPlace(6)

const chain = createChain(node)
const store = sqlite(file('ticker-server'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'ticker' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()

let quote = 2_000
setInterval(() => (quote *= 1 + (Math.random() - 0.5) / 200), 200)

const server = createProxy({
  receiver,
  routes: {
    'GET /quotes/ETH-USD': { price: 100n, json: () => ({ quote: quote.toFixed(2), at: new Date().toISOString() }) },
  },
})
console.log(`Selling at ${await server.listen(Number(process.env.PORT ?? 4104))}/quotes/ETH-USD`)
