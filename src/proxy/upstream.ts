/**
 * Sells what another server has: a paid request goes on to one origin, and its
 * answer comes back as it is, both as they arrive.
 *
 * Nothing is asked of the upstream before the request is paid. The connection
 * is to the configured origin whatever the request says, and redirects go back
 * to the client. An answer that breaks off breaks off here, too.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { Pool } from 'undici'
import { messageOf } from '../base/log.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Paid } from '../receiver/sale.ts'
import { toClient, toUpstream } from './upstream-headers.ts'
import { readUpstream, type Upstream, type UpstreamOptions } from './upstream-options.ts'
import { locationFrom, pathOn } from './upstream-path.ts'
import type { Source } from './visit.ts'
import { sendProblem } from './write.ts'

type Served = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly paid: Paid | undefined }

/** @throws {ConfigError} naming the option that is wrong */
export function serveUpstream(
  given: string | UpstreamOptions,
  path: string,
  field: string,
  receiver: Receiver,
): Source {
  const upstream = readUpstream(given, path, field, receiver.rails)
  const { base, timeoutMs } = upstream
  const pool = new Pool(base.origin, {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: Math.min(timeoutMs, CONNECT_MS) },
    maxHeaderSize: HEADER_BYTES,
  })
  return {
    find: ({ request: { url = '/' } }) => {
      const there = pathOn(base, url)
      if (there === undefined) return undefined
      return (request, response, paid) => pass(receiver, upstream, pool, there, { request, response, paid })
    },
    close: () => pool.close(),
  }
}

const CONNECT_MS = 10_000
const HEADER_BYTES = 65_536

/** Resolves when the answer is out or has broken off. Never throws. */
async function pass({ log }: Receiver, upstream: Upstream, pool: Pool, path: string, served: Served): Promise<void> {
  const { request, response, paid } = served
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  if (response.closed) gone.abort()
  try {
    const headers = toUpstream(upstream, request, paid)
    const { method = 'GET' } = request
    const body = bodyOf(request)
    await pool.stream({ path, method, headers, body, signal: gone.signal }, (answer) =>
      begin(upstream, path, served, answer),
    )
  } catch (error) {
    if (!gone.signal.aborted) log('error', 'upstream-failed', { upstream: upstream.base.origin, ...reasonOf(error) })
    // What the answer broke off in has been destroyed already.
    if (!response.headersSent) sendFailure(response, error)
  } finally {
    // What an early answer left unread would keep the next request from being read.
    request.resume()
  }
}

/** A copy of the stream, so that what fails on the way to the upstream does not close the client's connection. */
function bodyOf(request: IncomingMessage): PassThrough | null {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  return coding === undefined && (length === undefined || length === '0') ? null : request.pipe(new PassThrough())
}

type Answer = Parameters<Parameters<Pool['stream']>[1]>[0]

/** Says the status and the headers at once: what comes after them may take its time. */
function begin(upstream: Upstream, path: string, { response, paid }: Served, { statusCode, headers }: Answer) {
  // Our own words. An upstream that wants to be paid or to know the proxy means its operator.
  if (statusCode === 402 || statusCode === 407) throw new Error(`the upstream answered with ${statusCode}`)
  if (upstream.freeStatuses.has(statusCode)) paid?.spend(0n)
  response.statusCode = statusCode
  for (const [name, line] of toClient(upstream, headers, paid)) {
    response.appendHeader(name, name === 'location' ? locationFrom(upstream.base, line, path) : line)
  }
  // Not flushHeaders, which encodes a second time what is beyond ASCII.
  response.write(Buffer.alloc(0))
  return response
}

const late = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'])

function sendFailure(response: ServerResponse, error: unknown): void {
  if (late.has(codeOf(error)))
    sendProblem(response, 504, 'The server behind this one took too long. Nothing was charged.')
  else sendProblem(response, 502, 'The server behind this one cannot be asked. Nothing was charged.')
}

function reasonOf(error: unknown): Record<string, string> {
  return { code: codeOf(error), message: messageOf(error) }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
