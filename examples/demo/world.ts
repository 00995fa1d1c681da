/** What the demo is played with: a chain, a receiver that sells, a sender's client. All of it real, all of it here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from 'viem'
import type { AnvilAccount } from '../../src/chain/anvil.ts'
import { getAnvil } from '../../src/cli/dev/get-anvil.ts'
import { startLocalChain, type LocalChain } from '../../src/cli/local-chain.ts'
import { holdingOf } from '../../src/cli/tokens.ts'
import { createProxy } from '../../src/proxy/proxy.ts'
import { payment, session } from '../../src/rails.ts'
import { createReceiver, rail } from '../../src/receiver/index.ts'
import { createClient } from '../../src/sender/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { say } from './say.ts'

export const PRICE = 5n
/** Enough for twenty visits, so that it runs low soon. */
export const DEPOSIT = 20n * PRICE

export type World = Awaited<ReturnType<typeof startWorld>>

export async function startWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-demo-'))
  const local = await startLocalChain({ bin: await getAnvil(say), pollMs: 20 })
  const { chain, escrow, token, accounts } = local
  const [, paid, buyer] = accounts
  if (!paid || !buyer) throw new Error('anvil has too few accounts')
  const selling = await startSelling(local, paid, join(folder, 'receiver.db'))
  const buying = await startBuying(local, buyer, join(folder, 'sender.db'), selling.url)
  return {
    ...selling,
    ...buying,
    escrow,
    tokensOf: (account: Address) => holdingOf(chain, token, account),
    /** Transactions that sender and receiver have sent, together. */
    transactions: async () => (await chain.nonce(buyer.address, 'mined')) + (await chain.nonce(paid.address, 'mined')),
    async stop() {
      await selling.stop()
      await buying.stop()
      await local.anvil.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

async function startSelling(local: LocalChain, paid: AnvilAccount, path: string) {
  const { chain, chainId, escrow, token } = local
  const store = sqlite(path)
  const only = rail({ dialect: payment({ realm: 'demo' }), escrow: session, chainId, address: escrow, token })
  const receiver = createReceiver({ wallet: local.wallet(paid), chain, store, rails: [only] })
  await receiver.start()
  const shop = createProxy({
    receiver,
    routes: { 'GET /echofix/:text': { price: PRICE, text: ({ params }) => params['text'] ?? '' } },
  })
  const url = await shop.listen(0)
  const stop = async () => {
    await shop.close()
    await receiver.stop()
    await store.close()
  }
  return { receiver, url, stop }
}

async function startBuying(
  { chain, escrow, token }: LocalChain,
  { privateKey }: AnvilAccount,
  path: string,
  url: string,
) {
  const store = sqlite(path)
  const { listening, lastPayment } = listenIn()
  const client = await createClient({
    account: privateKey,
    chain,
    store,
    budget: { perRequest: PRICE, deposit: 10n * DEPOSIT },
    deposit: () => DEPOSIT,
    escrows: [escrow],
    tokens: [token],
    fetch: listening,
  })
  const visitor = client.session()
  let served = 0
  const buy = async (text: string) => {
    const response = await visitor.get(`${url}/echofix/${text}`)
    if (response.ok) served += 1
    return response.text()
  }
  /** `served`: visits that were paid and answered. */
  return { client, lastPayment, buy, served: () => served, stop: () => store.close() }
}

/** Remembers the last payment that went over the wire, as an eavesdropper would. */
function listenIn() {
  let last: string | undefined
  const listening: typeof fetch = (input, init) => {
    last = new Headers(init?.headers).get('authorization') ?? last
    return fetch(input, init)
  }
  return { listening, lastPayment: () => last ?? '' }
}
