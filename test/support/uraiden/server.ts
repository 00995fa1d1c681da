/**
 * A stranger: the Python server of µRaiden 0.2 as it behaved, faults included,
 * over a real socket. It can be told to lie. Signatures are those of
 * test/vectors/uraiden-conversations.json.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getAddress, type Address, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { linesOf } from './exchange.ts'
import { access } from './server-access.ts'
import { followChain, type Following, type ServerChainOptions } from './server-chain.ts'
import { rest } from './server-rest.ts'
import { idOf, jsonReply, STATES, type Lie, type Reply, type Seen, type ServerChannel } from './server-state.ts'
import type { ServerOptions, ServerState } from './server-state.ts'

/** A channel that a test tells the server of. `balance` and `signature`: what was paid on it before. */
export type Known = {
  readonly sender: Address
  readonly block: number
  readonly deposit: bigint
  readonly balance?: bigint
  readonly signature?: Hex
  readonly confirmed?: boolean
}

export type UraidenServer = {
  /** `http://127.0.0.1:` and a port. */
  readonly url: string
  readonly receiver: Address
  /** Everything that was asked, and what it was answered. */
  readonly requests: readonly Seen[]
  /** Undefined for a channel that it does not know. */
  channel(sender: Address, block: number): Readonly<ServerChannel> | undefined
  /** Replaces what it knows of a channel. Not together with `chain`, which knows better. */
  know(channel: Known): void
  /** Lies from now on; without an argument it is honest again. */
  lie(lie?: Lie): void
  /** Looks at the chain once, in between. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** Listens. With `chain`, resolves when it has looked at it once. */
export async function startUraidenServer(
  options: ServerOptions & { readonly chain?: ServerChainOptions },
): Promise<UraidenServer> {
  const receiver = privateKeyToAccount(options.key).address
  const channels = new Map<string, ServerChannel>()
  const liquid = () => Promise.resolve(0n)
  const state: ServerState = { options, receiver, channels, requests: [], lie: undefined, liquid }
  const following: Following | undefined = options.chain && (await followChain(state, options.chain))
  const server = createServer((request, response) => void answer(state, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receiver,
    requests: state.requests,
    channel: (sender, block) => channels.get(idOf(sender, block)),
    know: (known) => know(state, known),
    lie(lie) {
      state.lie = lie
    },
    sync: () => following?.sync() ?? Promise.resolve(),
    async close() {
      await following?.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function know({ channels }: ServerState, { sender, block, deposit, balance = 0n, signature, confirmed = true }: Known) {
  const now = Date.now() / 1_000
  const fresh = { state: STATES.OPEN, settleTimeout: -1, unconfirmedTopUps: new Map(), ctime: now, mtime: now }
  channels.set(idOf(sender, block), {
    ...fresh,
    sender: getAddress(sender),
    ...{ block, deposit, balance, signature, confirmed },
  })
}

async function answer(state: ServerState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url: target = '', rawHeaders } = request
  const seen: Seen = { method, target, lines: linesOf(rawHeaders), body: Buffer.concat(chunks).toString() }
  state.requests.push(seen)
  seen.answer = await replyTo(state, seen).catch(() => jsonReply(500, { message: 'Internal Server Error' }))
  const { status, lines, body } = seen.answer
  response.writeHead(status, [...lines.flat(), 'Content-Length', `${Buffer.byteLength(body)}`])
  response.end(method === 'HEAD' ? undefined : body)
}

async function replyTo(state: ServerState, request: Seen): Promise<Reply> {
  if (request.method === 'OPTIONS') {
    return { status: 200, lines: [['Allow', 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE']], body: '' }
  }
  return (await rest(state, request)) ?? access(state, request)
}
