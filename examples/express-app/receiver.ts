/** Who is paid, in which token, on which chain. */
import { createChain, createWallet } from 'farthing/chain'
import { payment, session } from 'farthing/rails'
import { createReceiver, rail } from 'farthing/receiver'
import { sqlite } from 'farthing/store/sqlite'
import { readPlace } from '../local.ts'

const { node, chainId, escrow, token, account, file } = await readPlace(9)

const chain = createChain(node)
const store = sqlite(file('notes-server'))
export const receiver = createReceiver({
  chain,
  wallet: createWallet({ chain, account, intents: store }),
  store,
  rails: [rail({ dialect: payment({ realm: 'notes' }), escrow: session, chainId, address: escrow, token })],
})
await receiver.start()
