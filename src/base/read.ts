/**
 * Readers for what strangers send: each returns a value of its type or throws
 * a {@link MalformedPaymentError} that names the field. Nothing here trims,
 * rounds, guesses or falls back.
 */
import type { Address, Hash, Hex } from 'viem'
import { MalformedPaymentError } from './errors.ts'

/** What the paid path needs of a request's headers. Node's, Fetch's and a plain object can all be read so. */
export type HeaderReader = { get(name: string): string | null | undefined }

export type JsonObject = { readonly [key: string]: unknown }

/** Longest header value that is looked at. Protocols ask for at least 4 KB. */
const MAX_HEADER = 16_384

export function text(value: unknown, field: string, most = MAX_HEADER): string {
  if (typeof value !== 'string')
    throw new MalformedPaymentError(field, value === undefined ? 'is missing' : 'is not a string')
  if (value.length > most) throw new MalformedPaymentError(field, `is longer than ${most} characters`)
  return value
}

/** A base unit amount: decimal digits, no sign, no leading zero, below 2^128 unless `bits` says otherwise. */
export function uint(value: unknown, field: string, bits = 128): bigint {
  const digits = text(value, field, 78)
  if (!/^(0|[1-9][0-9]{0,77})$/.test(digits)) {
    throw new MalformedPaymentError(field, 'is not a whole number in decimal digits without leading zeros')
  }
  const amount = BigInt(digits)
  if (amount >> BigInt(bits) !== 0n) throw new MalformedPaymentError(field, `is not below 2^${bits}`)
  return amount
}

/** A JSON number that is a whole number from 0 to 2^53 - 1. */
export function count(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new MalformedPaymentError(field, 'is not a whole number')
  return value as number
}

/**
 * Lower case, whatever case came: addresses are compared by their 20 bytes, and the checksum of mixed case is
 * for people. The draft's own example has a wrong one.
 */
export function address(value: unknown, field: string): Address {
  return lower(hexOf(value, field, /^0x[0-9a-fA-F]{40}$/, 'is not an address of 0x and 40 hex digits'))
}

/** 32 bytes, lower case. */
export function hash(value: unknown, field: string): Hash {
  return hexOf(value, field, /^0x[0-9a-fA-F]{64}$/, 'is not 0x and 64 hex digits')
}

/** A signature in hex, of a key or of a contract; which bytes are good is for the verifier to say. */
export function signature(value: unknown, field: string): Hex {
  const problem = 'is not 0x and an even number of hex digits'
  const hex = hexOf(value, field, /^0x[0-9a-fA-F]+$/, problem)
  if (hex.length % 2 !== 0) throw new MalformedPaymentError(field, problem)
  return hex
}

/** base64url without padding, UTF-8 inside. @see RFC 4648, section 5 */
export function base64urlText(value: unknown, field: string): string {
  const encoded = text(value, field)
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) throw new MalformedPaymentError(field, 'is not base64url without padding')
  const bytes = Buffer.from(encoded, 'base64url')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new MalformedPaymentError(field, 'does not hold UTF-8 text')
  }
}

/** A JSON object in which no key stands twice: otherwise two readers could see two payments. */
export function jsonObject(source: string, field: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch {
    throw new MalformedPaymentError(field, 'does not hold JSON')
  }
  const keys = countKeys(value, field)
  // Written without spaces it comes out as it went in, unless a key is lost; else the keys have to be counted.
  const isSame = JSON.stringify(value) === source
  if (!isSame && keys !== (source.match(strings)?.filter((match) => match.endsWith(':')).length ?? 0)) {
    throw new MalformedPaymentError(field, 'has a key twice')
  }
  return object(value, field)
}

/** A JSON object. Own members only are ever read from it, see {@link member}. */
export function object(value: unknown, field: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedPaymentError(field, value === undefined ? 'is missing' : 'is not a JSON object')
  }
  return value as JsonObject
}

/** An own member, so that `__proto__` or `constructor` in a payment never reads ours. */
export function member(from: JsonObject, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : undefined
}

/** `read(value)` unless the value is absent. */
export function optional<T>(value: unknown, field: string, read: (value: unknown, field: string) => T): T | undefined {
  return value === undefined ? undefined : read(value, field)
}

/** A record that this program wrote itself, as it wrote it. Never for what came from outside. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what it wrote
export function ownRecord<T>(json: string): T {
  return JSON.parse(json) as T
}

/** Hex in the one case in which equal values are equal strings. */
export function lower<T extends string>(hex: T): T {
  return hex.toLowerCase() as T
}

function hexOf(value: unknown, field: string, grammar: RegExp, problem: string): Hex {
  const hex = text(value, field, 8194)
  if (!grammar.test(hex)) throw new MalformedPaymentError(field, problem)
  return hex.toLowerCase() as Hex
}

/** Deeper than any payment, and far from the end of the stack. */
const LEVELS = 16

/** Every string of a JSON text; those that are keys end with a colon. */
const strings = /"(?:[^"\\]|\\.)*"\s*:?/g

function countKeys(value: unknown, field: string, level = 0): number {
  if (typeof value !== 'object' || value === null) return 0
  if (level === LEVELS) throw new MalformedPaymentError(field, 'has too many levels')
  const members = Object.values(value)
  const own = Array.isArray(value) ? 0 : members.length
  return members.reduce((sum: number, member) => sum + countKeys(member, field, level + 1), own)
}
