/** What the demo is played with: a chain, a receiver that sells, a sender's client. All of it real, all of it here. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from 'viem'
import type { AnvilAccount } from '../../src/chain/anvil.ts'
import { getAnvil } from '../../src/cli/dev/get-anvil.ts'
import { startLocalChain, type LocalChain } from '../../src/cli/local-chain.ts'
import { holdingOf } from '../../src/cli/tokens.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { createProxy } from '../../src/proxy/proxy.ts'
import { createReceiver, type AnyRail } from '../../src/receiver/index.ts'
import { createClient, type Client } from '../../src/sender/index.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { options } from './options.ts'
import { rails, type PaymentHeaders } from './rails.ts'
import { say } from './say.ts'

export const PRICE = 5n
/** Enough for twenty visits, so that it runs low soon. */
export const DEPOSIT = 20n * PRICE

export type World = Awaited<ReturnType<typeof startWorld>>

export async function startWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-demo-'))
  const local = await startLocalChain({ bin: await getAnvil(say), pollMs: 20 })
  const { chain, token, accounts } = local
  const way = rails[options.rail]
  const rail = way.on(local)
  const [, paid, buyer] = accounts
  if (!paid || !buyer) throw new Error('anvil has too few accounts')
  const selling = await startSelling(local, rail, { account: paid, path: join(folder, 'receiver.db') })
  const buying = await startBuying(local, rail, { account: buyer, path: join(folder, 'sender.db') })
  return {
    ...selling,
    ...buying,
    ...visiting(buying.client, selling.url),
    rail: way,
    escrow: rail.address,
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

/** Whose key, and where its channels are kept. */
type Party = { readonly account: AnvilAccount; readonly path: string }

async function startSelling(local: LocalChain, rail: AnyRail, { account, path }: Party) {
  const store = sqlite(path)
  const receiver = createReceiver({ wallet: local.wallet(account), chain: local.chain, store, rails: [rail] })
  await receiver.start()
  const shop = createProxy({
    receiver,
    routes: { 'GET /echofix/:text': { price: PRICE, text: ({ params }) => params['text'] ?? '' } },
    // Where a payment cannot ask for the close, a REST interface is asked.
    mounts: rail.dialect.closing === 'by payment' ? [] : [createGateway(receiver)],
  })
  const url = await shop.listen(0)
  const stop = async () => {
    await shop.close()
    await receiver.stop()
    await store.close()
  }
  return { receiver, url, stop }
}

async function startBuying({ chain, token }: LocalChain, { address }: AnyRail, { account, path }: Party) {
  const store = sqlite(path)
  const { listening, lastPayment } = listenIn()
  const client = await createClient({
    account: account.privateKey,
    chain,
    store,
    budget: { perRequest: PRICE, deposit: 10n * DEPOSIT },
    deposit: () => DEPOSIT,
    retryMs: 20, // as often as this chain is looked at
    escrows: [address],
    tokens: [token],
    fetch: listening,
  })
  return { client, lastPayment, stop: () => store.close() }
}

function visiting(client: Client, url: string) {
  const visitor = client.session()
  let served = 0
  const buy = async (text: string) => {
    const response = await visitor.get(`${url}/echofix/${text}`)
    if (response.ok) served += 1
    return response.text()
  }
  /** `served`: visits that were paid and answered. */
  return { buy, served: () => served }
}

/** Remembers the last payment that went over the wire, as an eavesdropper would. */
function listenIn() {
  const { header } = rails[options.rail]
  let last: PaymentHeaders = {}
  const listening: typeof fetch = (input, init) => {
    const sent = [...new Headers(init?.headers)].filter(([name]) => header.test(name))
    if (sent.length > 0) last = Object.fromEntries(sent)
    return fetch(input, init)
  }
  return { listening, lastPayment: () => last }
}
