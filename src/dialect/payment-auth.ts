/**
 * The `Payment` authentication scheme itself: challenges in `WWW-Authenticate`,
 * credentials in `Authorization`, and the binding of one to the other.
 *
 * A challenge id is an HMAC over what the challenge says, so that a receiver
 * keeps no state for those who never pay. Seven fields are joined with `|`;
 * that is unambiguous only because no field of ours, and no echoed field that
 * passes {@link readChallenge}, can hold a `|`.
 *
 * @see draft-httpauth-payment-00, "Challenge Parameters" and "Challenge Binding"
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'

/** A challenge as it stands on the wire: every value is the string that was sent. */
export type Challenge = {
  readonly id: string
  readonly realm: string
  readonly method: string
  readonly intent: string
  readonly request: string
  readonly expires?: string
  readonly digest?: string
  readonly opaque?: string
}

/** A challenge without its id, and the id that `secret` gives it. */
export function challengeId(challenge: Omit<Challenge, 'id'>, secret: string): string {
  return createHmac('sha256', secret).update(boundIn(challenge)).digest('base64url')
}

/** All that a challenge says, id and all, as one string: equal for equal challenges only. */
export function saidIn(challenge: Challenge): string {
  return `${challenge.id}|${boundIn(challenge)}`
}

function boundIn({
  realm,
  method,
  intent,
  request,
  expires = '',
  digest = '',
  opaque = '',
}: Omit<Challenge, 'id'>): string {
  return `${realm}|${method}|${intent}|${request}|${expires}|${digest}|${opaque}`
}

/** Whether one of our secrets made this challenge. Takes the same time whatever is wrong. */
export function isGenuine(challenge: Challenge, secrets: readonly string[]): boolean {
  const id = Buffer.from(challenge.id)
  return secrets.some((secret) => {
    const ours = Buffer.from(challengeId(challenge, secret))
    return ours.length === id.length && timingSafeEqual(ours, id)
  })
}

/** The challenge that a credential echoes. @throws {MalformedPaymentError} */
export function readChallenge(value: unknown): Challenge {
  const from = read.object(value, 'challenge')
  const field = (name: string, grammar: RegExp) => matching(read.member(from, name), `challenge.${name}`, grammar)
  const optional = (name: string, grammar: RegExp) =>
    read.member(from, name) === undefined ? undefined : { [name]: field(name, grammar) }
  return {
    id: field('id', /^[\w.~+/=-]{1,256}$/),
    realm: field('realm', /^[^|"\\\p{Cc}]{1,256}$/u),
    method: field('method', /^[a-z]{1,64}$/),
    intent: field('intent', /^[A-Za-z0-9-]{1,64}$/),
    request: field('request', /^[\w-]+$/),
    ...optional('expires', dateTime),
    ...optional('digest', /^[a-z0-9-]{1,32}=:?[A-Za-z0-9+/=]{1,200}:?$/),
    ...optional('opaque', /^[\w-]+$/),
  }
}

const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

/** One line of `WWW-Authenticate`. Our values hold neither quotes nor backslashes. */
export function writeChallenge(challenge: Challenge): string {
  const params = Object.entries(challenge).map(([name, value]) => `${name}="${value}"`)
  return `Payment ${params.join(', ')}`
}

/** The parameters of every `Payment` challenge in a `WWW-Authenticate`; other schemes and broken ones are left out. */
export function readChallenges(header: string): Challenge[] {
  return schemes(header)
    .filter(({ scheme }) => scheme.toLowerCase() === 'payment')
    .flatMap(({ params }) => {
      try {
        return [readChallenge(Object.fromEntries(params))]
      } catch (error) {
        if (error instanceof MalformedPaymentError) return []
        throw error
      }
    })
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"

/** @see RFC 9110, section 11.6.1: challenges and their parameters share one comma-separated list. */
function schemes(header: string): { scheme: string; params: Map<string, string> }[] {
  const item = new RegExp(
    `[\\s,]*(?:(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))|(${token})(?:[ ]+[\\w.~+/-]+=*(?=[\\s]*(?:,|$)))?)`,
    'y',
  )
  const found: { scheme: string; params: Map<string, string> }[] = []
  for (let match = item.exec(header); match; match = item.exec(header)) {
    const [, name, quoted, plain, scheme] = match
    if (scheme !== undefined) found.push({ scheme, params: new Map() })
    else if (name !== undefined)
      found.at(-1)?.params.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '')
  }
  return found
}

function matching(value: unknown, field: string, grammar: RegExp): string {
  const string = read.text(value, field)
  if (!grammar.test(string))
    throw new MalformedPaymentError(field, 'has characters or a form that the protocol does not allow')
  return string
}
