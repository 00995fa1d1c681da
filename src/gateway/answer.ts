/** What the gateway answers, and how that is sent. */
import { STATUS_CODES, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { HeaderLines } from '../dialect/dialect.ts'
import { writeJson, type Value } from './json.ts'

export type Answer = {
  readonly status: number
  readonly headers: HeaderLines
  /** A list that may be long, or take long, comes in pieces. */
  readonly body: string | AsyncIterable<string>
}

export function ok(value: Value): Answer {
  return { status: 200, headers: JSON_TYPE, body: `${writeJson(value)}\n` }
}

/** A JSON list, item by item as they come. */
export function list(items: AsyncIterable<Value>): Answer {
  return { status: 200, headers: JSON_TYPE, body: piecesOf(items) }
}

/** A problem that is not about a payment. `detail`: what is wrong, then the fix. @see RFC 9457 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly answer: Answer
  constructor(status: number, detail: string, { headers = [], more = {} }: Beside = {}) {
    super(detail)
    const problem = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...more }
    this.answer = { status, headers: [...PROBLEM_TYPE, ...headers], body: `${JSON.stringify(problem, null, 2)}\n` }
  }
}

type Beside = { readonly headers?: HeaderLines; readonly more?: object }

/** Never rejects. What breaks off in the middle is cut off, so that nobody takes half of it for all. */
export async function send(response: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  response.statusCode = status
  for (const [name, value] of [...ALWAYS, ...headers]) response.setHeader(name, value)
  if (typeof body === 'string') {
    if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(body))
    response.end(body)
    return
  }
  if (response.req.method === 'HEAD') response.end()
  else await pipeline(Readable.from(body), response)
}

const JSON_TYPE: HeaderLines = [['Content-Type', 'application/json']]
const PROBLEM_TYPE: HeaderLines = [['Content-Type', 'application/problem+json']]

/** Nothing here is for a cache, for a frame, or for the scripts of another site: there is no CORS header at all. */
const ALWAYS: HeaderLines = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
]

async function* piecesOf(items: AsyncIterable<Value>): AsyncGenerator<string> {
  let separator = '['
  for await (const item of items) {
    yield `${separator}${writeJson(item)}`
    separator = ',\n'
  }
  yield separator === '[' ? '[]\n' : ']\n'
}
