/** Sells fortunes in two languages at two prices, and the right to add one at a third. */
import console from 'node:console'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy, type Visit } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail, type Paid } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const english = ['A small coin opens a large door.', 'You will be asked to sign, and it will be worth it.']
const latin = ['Gutta cavat lapidem.', 'Parva sed apta mihi.']

const { node, chainId, escrow, token, account, file } = await readPlace(4)

const chain = createChain(node)
const store = sqlite(file('fortune-server'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'fortune' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()

const server = createProxy({
  receiver,
  routes: {
    'GET /': {
      price: { free: true },
      text: 'GET /fortunes/la for 3, GET /fortunes/en for 2, POST one there for 20.\n',
    },
    'GET /fortunes/la': { price: 3n, text: () => pick(latin) },
    // One address, a price for each method.
    '/fortunes/en': { price: { GET: 2n, POST: 20n }, run: readOrAdd },
  },
})
console.log(`Selling at ${await server.listen(Number(process.env.PORT ?? 4102))}`)

async function readOrAdd(request: IncomingMessage, response: ServerResponse, { paid }: Visit & { paid?: Paid }) {
  if (request.method !== 'POST') {
    response.end(pick(english))
    return
  }
  const fortune = await text(request)
  if (fortune.length > 80) {
    paid?.spend(0n) // an answer is charged, also one like this, unless the handler says otherwise
    response.writeHead(413).end('At most 80 letters.')
  } else {
    english.push(fortune)
    response.writeHead(201).end(`There are ${english.length} fortunes now.`)
  }
}

function pick(fortunes: readonly string[]): string {
  return fortunes[Math.floor(Math.random() * fortunes.length)] ?? ''
}
