/** What `node:http` and Express share: reading a request, and seeing an answer go by. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import onHeaders from 'on-headers'
import { BodyTooLargeError } from '../base/errors.ts'
import type { Answer } from '../receiver/answer.ts'
import type { Ask } from '../receiver/ask.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Ended, Sale } from '../receiver/sale.ts'

/** How long a handler may still finish after its client has gone, before a retry may run. */
const ABANDONED_MS = 30_000

export function askOf(request: IncomingMessage, target: string, repeatable = false): Ask {
  return {
    method: request.method ?? 'GET',
    target,
    headers: { get: (name) => lineOf(request.headers[name.toLowerCase()]) },
    connection: request.socket,
    body: (most) => peek(request, most),
    repeatable,
  }
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const content = body.length === 0 ? undefined : body
  if (content !== undefined && response.getHeaderNames().length === 0) {
    // Nobody has said anything yet: all lines at once cost half of one by one.
    response.writeHead(status, [...headers.flat(), 'Content-Length', `${Buffer.byteLength(content)}`]).end(content)
    return
  }
  response.statusCode = status
  for (const [name, value] of headers) response.appendHeader(name, value)
  response.end(content)
}

/** An answer on its way. */
export type Delivery = {
  /** Call when the handler has returned or thrown, where that can be known. */
  returned(): void
}

/**
 * Adds the receipt when the handler sends its headers, and keeps a copy of what it writes. Nothing is held back.
 */
export function deliver({ limits }: Pick<Receiver, 'limits'>, response: ServerResponse, sale: Sale): Delivery {
  let isTold = false
  const tell = () => {
    if (isTold) return
    isTold = true
    const { statusCode } = response
    for (const [name, value] of sale.headers(statusCode)) {
      if (name === 'Vary') response.appendHeader(name, value)
      else if (name !== 'Cache-Control' || !response.hasHeader(name)) response.setHeader(name, value)
    }
    void sale.conclude(statusCode)
  }
  onHeaders(response, tell)
  const done = (ended: Ended) => {
    if (!isTold) void sale.conclude(500) // gone before it said anything
    void sale.keep(ended)
  }
  if (!sale.keeps) return watch(response, tell, done, () => 'too long')
  return collect(response, limits.answerBytes, tell, done)
}

/**
 * Reads the body and puts it back for the handler. A body parser that ran before has taken it: then what it
 * made of it stands for the body.
 */
async function peek(request: IncomingMessage & { body?: unknown }, most: number): Promise<Uint8Array> {
  if (request.readableEnded || request.body !== undefined) return Buffer.from(JSON.stringify(request.body ?? ''))
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    const stop = () => request.off('readable', read).off('error', fail).off('close', fail)
    function fail() {
      stop()
      reject(new Error('the request broke off'))
    }
    function read() {
      for (let chunk: Buffer | null = take(); chunk; chunk = take()) {
        chunks.push(chunk)
        size += chunk.length
      }
      if (size > most) {
        stop()
        reject(new BodyTooLargeError(most))
      } else if (request.complete) {
        stop()
        const body = Buffer.concat(chunks)
        // In the same turn as the last read: later the stream would have ended.
        if (body.length > 0) request.unshift(body)
        resolve(body)
      }
    }
    const take = () => request.read() as Buffer | null
    request.on('readable', read).on('error', fail).on('close', fail)
    read()
  })
}

/** Keeps a copy of what is written. Calls `done` once, when the whole answer was written, or when it will not be. */
function collect(response: ServerResponse, most: number, tell: () => void, done: (ended: Ended) => void): Delivery {
  const chunks: Buffer[] = []
  let size = 0
  const copy = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk, isEncoding(encoding) ? encoding : 'utf8') : Buffer.from(chunk)
    size += bytes.length
    if (size <= most) chunks.push(bytes)
  }
  const write = response.write.bind(response)
  Object.assign(response, {
    write: (...args: Parameters<typeof write>) => {
      copy(args[0], args[1])
      return write(...args)
    },
  })
  return watch(response, tell, done, (chunk, encoding) => {
    copy(chunk, encoding)
    const { statusCode: status } = response
    return size > most ? 'too long' : { status, headers: linesOf(response), body: Buffer.concat(chunks) }
  })
}

/**
 * Calls `tell` when the handler has ended its answer, and `done` once: with what `whole` makes of the last chunk, or when
 * the answer has broken off. That is at once where the handler has destroyed it and has returned: nothing can follow. A
 * handler whose client has gone may still be at work.
 */
function watch(
  response: ServerResponse,
  tell: () => void,
  done: (ended: Ended) => void,
  whole: (chunk: unknown, encoding: unknown) => Ended,
): Delivery {
  const over = { isFinished: false, isDestroyed: false, isReturned: false }
  const finish = (ended: Ended) => {
    if (!over.isFinished) done(ended)
    over.isFinished = true
  }
  const note = (what: Partial<typeof over>) => {
    Object.assign(over, what)
    if (over.isDestroyed && over.isReturned) finish('broken off')
  }
  const end = response.end.bind(response)
  const destroy = response.destroy.bind(response)
  Object.assign(response, {
    end: (...args: Parameters<typeof end>) => {
      const ended = end(...args)
      tell() // to a client that has gone Node sends no headers, yet the handler has answered
      if (!over.isFinished) finish(whole(args[0], args[1]))
      return ended
    },
    destroy: (...args: Parameters<typeof destroy>) => {
      const destroyed = destroy(...args)
      note({ isDestroyed: true })
      return destroyed
    },
  })
  response.once('close', () => {
    if (!over.isFinished) setTimeout(() => finish('broken off'), ABANDONED_MS).unref()
  })
  return { returned: () => note({ isReturned: true }) }
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding)
}

function linesOf(response: ServerResponse): [string, string][] {
  return Object.entries(response.getHeaders()).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((line): [string, string] => [name, line]) : [[name, String(value)]],
  )
}

function lineOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
