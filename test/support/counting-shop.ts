/** A shop that notes what reaches it on the wire, and clients that buy there, for each rail. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { Channel } from '../../src/channel/channel.ts'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { createProxy, type Routes, type Run } from '../../src/proxy/proxy.ts'
import { payment, raiden, rdn, session } from '../../src/rails.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import { createClient, type Client, type ClientConfig } from '../../src/sender/index.ts'
import { memory } from '../../src/store/memory.ts'
import { listen, newAccount, newReceiver } from './market.ts'
import type { RailKit } from './rail-kits.ts'

export type CountingShop = {
  readonly url: string
  readonly receiver: Receiver
  /** Requests as they arrived, before anything else saw them. */
  readonly arrived: readonly IncomingMessage[]
  /** Different vouchers that arrived. */
  vouchers(): number
  close(): Promise<void>
}

/** Sells `routes`, or everything at 5 by `handler`. With the REST interface, where a rail closes by it. */
export async function openCountingShop(
  world: LocalChain,
  { name, rail }: RailKit,
  routes: Routes | Run = (_request, response) => response.end('foo'),
): Promise<CountingShop> {
  const receiver = await newReceiver(world, { rails: [rail(world)] })
  const sold = typeof routes === 'function' ? { 'GET|POST /*': { price: 5n, run: routes } } : routes
  const { listener } = createProxy({ receiver, routes: sold, mounts: name === 'rdn' ? [createGateway(receiver)] : [] })
  const arrived: IncomingMessage[] = []
  const server = createServer((request, response) => {
    arrived.push(request)
    listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    receiver,
    arrived,
    vouchers: () => new Set(arrived.map(signatureIn).filter((signature) => signature !== undefined)).size,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await receiver.stop()
    },
  }
}

/** A client of one rail, with tokens. */
export async function newClientOn(
  world: LocalChain,
  { name }: RailKit,
  config: Partial<ClientConfig> = {},
): Promise<Client> {
  const spoken =
    name === 'payment'
      ? { protocols: [{ dialect: payment(), escrow: session }], escrows: [world.escrow] }
      : { protocols: [{ dialect: rdn(), escrow: raiden }], escrows: [world.raiden] }
  return createClient({
    account: (await newAccount(world)).privateKey,
    chain: world.chain,
    store: memory(),
    budget: { perRequest: 10n, deposit: 1_000n },
    tokens: [world.token],
    retryMs: 10,
    ...spoken,
    ...config,
  })
}

/** The only channel of a client. */
export async function onlyChannel(client: Client): Promise<Channel> {
  const channels: Channel[] = []
  for await (const channel of client.channels()) channels.push(channel)
  expect(channels).toHaveLength(1)
  return channels[0]!
}

/** The signature of the voucher in a payment; undefined for a request without one. */
export function signatureIn({ headers }: IncomingMessage): string | undefined {
  const header = headers['rdn-balance-signature']
  if (typeof header === 'string') return header
  const [, encoded] = /^Payment (.+)$/.exec(headers.authorization ?? '') ?? []
  if (encoded === undefined) return undefined
  const { payload } = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as { payload: { signature?: string } }
  return payload.signature
}

/** Passes everything on, and lets `change` touch the answers. */
export async function openRelay(
  to: string,
  change: (answer: Response, request: IncomingMessage) => void,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  return listen((incoming, outgoing) => {
    void (async () => {
      const headers = new Headers(incoming.headers as Record<string, string>)
      const passed = await fetch(`${to}${incoming.url}`, { method: incoming.method!, headers })
      const answer = new Response(passed.body, { status: passed.status, headers: passed.headers })
      change(answer, incoming)
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
      outgoing.end(Buffer.from(await answer.arrayBuffer()))
    })()
  })
}
