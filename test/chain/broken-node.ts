/** A node that misbehaves on demand: a real HTTP server in front of a real node. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export type Asked = { readonly method: string; readonly params: readonly unknown[] }

export type Misbehaviour =
  | { readonly status: number; readonly text?: string; readonly retryAfter?: string }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } }
  | { readonly result: unknown }
  /** Never answers. */
  | 'hang'
  /** Closes the connection at once. */
  | 'reset'
  /** Does what was asked and closes the connection without an answer. */
  | 'swallow'
  /** Does what was asked and never answers. */
  | 'mute'
  /** Answers honestly, and refuses every connection after that. */
  | 'last'

/** May do something to the chain first. */
export type How = (asked: Asked) => Misbehaviour | undefined | Promise<Misbehaviour | undefined>

export type BrokenNode = {
  readonly url: string
  /** All that was asked, also while it misbehaved. */
  readonly asked: readonly Asked[]
  /** From now on; undefined is an honest answer. */
  misbehave(how: How): void
  behave(): void
  /** Empties `asked`. */
  forget(): void
  /** Connections are refused until `up`. */
  down(): Promise<void>
  up(): Promise<void>
}

export async function startBrokenNode(target: string): Promise<BrokenNode> {
  const asked: Asked[] = []
  let how: How = () => undefined
  const server = createServer((request, response) => {
    const reply = async () => {
      const body = await readBody(request)
      const question = JSON.parse(body) as Asked & { id: number }
      asked.push(question)
      const behaviour = await how(question)
      if (behaviour === 'last') server.close()
      await answer(response, target, body, question.id, behaviour)
    }
    // The node behind is gone, or who asked is.
    reply().catch(() => response.destroy())
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  afterAll(close)
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    misbehave: (next) => void (how = next),
    behave: () => void (how = () => undefined),
    forget: () => void asked.splice(0),
    down: close,
    up: () => listen(port),
  }
}

async function answer(
  response: ServerResponse,
  target: string,
  body: string,
  id: number,
  how?: Misbehaviour,
): Promise<void> {
  if (how === 'hang') return
  if (how === 'reset') return void response.destroy()
  if (how && typeof how === 'object') {
    if ('status' in how) {
      if (how.retryAfter !== undefined) response.setHeader('retry-after', how.retryAfter)
      return void response.writeHead(how.status).end(how.text ?? '')
    }
    return void response.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id, ...how }))
  }
  const honest = await fetch(target, { method: 'POST', headers: JSON_TYPE, body })
  const text = await honest.text()
  if (how === 'swallow') return void response.destroy()
  if (how === 'mute') return
  response.writeHead(honest.status, { ...JSON_TYPE, ...(how === 'last' && { connection: 'close' }) }).end(text)
}

const JSON_TYPE = { 'content-type': 'application/json' }

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
