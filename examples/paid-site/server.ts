/** Stands before a web site and sells the pages under /wiki/. The others are free. */
import console from 'node:console'
import { createChain, createWallet } from 'farthing/chain'
import { createProxy } from 'farthing/proxy'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const [site = 'http://127.0.0.1:4113'] = process.argv.slice(2)
const { node, chainId, escrow, token, account, file } = await readPlace(5)

const chain = createChain(node)
const store = sqlite(file('site-server'))
const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'site' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()

const server = createProxy({
  receiver,
  routes: {
    // A page that is not there costs nothing, like what is asked for a second time and has not changed.
    'GET /wiki/*': { price: 10n, upstream: { url: site, freeStatuses: [304, 404, 412, 416] } },
    'GET /*': { price: { free: true }, upstream: site },
  },
})
console.log(`Selling ${site} at ${await server.listen(Number(process.env.PORT ?? 4103))}`)
