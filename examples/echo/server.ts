/** Sells an echo: a text for 5 base units, and a number for what it is worth. */
import console from 'node:console'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const { node, chainId, escrow, token, account, file } = await readPlace(3)

const chain = createChain(node)
const store = sqlite(file('echo-server'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'echo' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()

const server = createProxy({
  receiver,
  routes: {
    'GET /echofix/:text': { price: 5n, text: ({ params }) => params.text ?? '' },
    // Whole numbers from 1 up. What is no route is a 404 and costs nothing.
    'GET /echodyn/:n(^[1-9]\\d{0,11}$)': {
      price: ({ params }) => BigInt(params.n ?? 0),
      text: ({ params }) => params.n ?? '',
    },
  },
})
console.log(`Selling at ${await server.listen(Number(process.env.PORT ?? 4101))}`)
