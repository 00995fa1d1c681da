/** From curl's options to a request. */
import { readFileSync } from 'node:fs'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { createReachingFetch } from '../base/reach.ts'
import { printable } from './print.ts'
import { version } from './version.ts'

export type RequestOptions = {
  readonly request?: string
  readonly header?: readonly string[]
  readonly data?: readonly string[]
}

export type OutgoingRequest = {
  readonly url: URL
  readonly init: RequestInit & { readonly method: string; readonly headers: Headers }
}

/** @throws {ConfigError} for what cannot be sent */
export async function readRequest(address: string, options: RequestOptions): Promise<OutgoingRequest> {
  const { data } = options
  const method = options.request?.toUpperCase() ?? (data ? 'POST' : 'GET')
  if (!/^[A-Z]+$/.test(method)) throw new ConfigError('-X', `${method} is not a method`)
  const headers = readHeaders(options.header ?? [])
  if (data && !headers.has('content-type')) headers.set('Content-Type', 'application/x-www-form-urlencoded')
  const body = data && (await readBody(data))
  if (body && ['GET', 'HEAD'].includes(method))
    throw new ConfigError('-d', `${method} takes no data; use -X POST or leave -X out`)
  return { url: readUrl(address), init: { method, headers, redirect: 'manual', ...(body && { body }) } }
}

/** Without a scheme it is http, as with curl. */
function readUrl(address: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`
  if (!URL.canParse(text)) throw new ConfigError('URL', `${address} is not a URL`)
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ConfigError('URL', `${url.protocol} is not http: or https:`)
  if (url.username !== '')
    throw new ConfigError('URL', 'has a user name in it. Send it with -H "Authorization: Basic …"')
  return url
}

/** Bytes come as the server has them: nothing is asked for that would have to be unpacked. */
function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers({ 'User-Agent': `farthing/${version()}`, 'Accept-Encoding': 'identity' })
  const given = new Headers()
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new ConfigError('-H', `${printable(line)} is not a header. Write it as 'Name: value'`)
    given.append(name, value)
  }
  for (const [name, value] of given) headers.set(name, value)
  return headers
}

/** Several are joined by `&`; `@FILE` and `@-` (standard input) stand for bytes, which are sent as they are. */
async function readBody(parts: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = []
  for (const part of parts) {
    if (chunks.length > 0) chunks.push(Buffer.from('&'))
    chunks.push(part === '@-' ? await readInput() : part.startsWith('@') ? readFile(part.slice(1)) : Buffer.from(part))
  }
  return new Uint8Array(Buffer.concat(chunks))
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError('-d', `${path} cannot be read: ${messageOf(error)}`)
  }
}

/** @throws {NoAnswerError} if no answer comes */
export const reachingFetch = createReachingFetch()
