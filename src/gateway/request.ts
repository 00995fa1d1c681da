/** What a request says: who sent it, its body, the amount in it, its proof. Anybody may have written it. */
import type { IncomingMessage } from 'node:http'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import { PROOF_HEADER, readProof } from '../dialect/rdn-closing.ts'
import type { Proof } from '../escrow/proof.ts'
import { RefusedError } from './answer.ts'
import { quoteNumbers } from './json.ts'

/** Longest body, in bytes. */
export const MOST_BODY = 16_384

/** @throws {MalformedPaymentError} */
export function proofIn(request: IncomingMessage): Proof | undefined {
  const line = headerIn(request, PROOF_HEADER)
  return line === undefined ? undefined : readProof(line)
}

/**
 * The cumulative amount that a request is about: `balance` of a JSON object, of a form, or of the query.
 *
 * @throws {MalformedPaymentError} | {@link RefusedError}
 */
export async function balanceIn(request: IncomingMessage, query: URLSearchParams): Promise<bigint> {
  const parsed = 'body' in request ? inParsed(request.body) : undefined
  const given = parsed ?? inText(await bodyOf(request), headerIn(request, 'Content-Type') ?? '')
  return read.uint(given ?? only(query), 'balance', 192)
}

export function clientOf({ socket }: IncomingMessage): string {
  return networkOf(socket.remoteAddress ?? '')
}

/** One name for what one customer of a network has: an IPv4 address, or the first half of an IPv6 address. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '')
  if (!plain.includes(':')) return plain
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0')
  return [...head, ...zeros, ...tail].slice(0, 4).join(':')
}

export function headerIn({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value.join(', ') : value
}

function inText(body: string, type: string): unknown {
  if (body === '') return undefined
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) return only(new URLSearchParams(body))
  read.jsonObject(body, 'body')
  return read.member(read.jsonObject(quoteNumbers(body), 'body'), 'balance')
}

/** What a body parser in front of us has made of it. It may have lost digits; then the number is not a whole one. */
function inParsed(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  const given = read.member(read.object(body, 'body'), 'balance')
  return typeof given === 'number' ? `${read.count(given, 'balance')}` : given
}

function only(form: URLSearchParams): string | undefined {
  const [first, second] = form.getAll('balance')
  if (second !== undefined) throw new MalformedPaymentError('balance', 'is there twice')
  return first
}

/** @throws {RefusedError} if it is too long */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const tooLong = () =>
    new RefusedError(413, `The body may have at most ${MOST_BODY} bytes. Send the balance alone.`, {
      headers: [['Connection', 'close']],
    })
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY) throw tooLong()
  const brokeOff = () => new RefusedError(400, 'The request broke off. Send it again.')
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    if (request.readableEnded) resolve('') // a body parser in front of us has read it
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MOST_BODY) chunks.push(chunk)
      else reject(tooLong())
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', () => reject(brokeOff()))
    request.once('close', () => reject(brokeOff()))
  })
}
