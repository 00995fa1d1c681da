/** What the Python server of µRaiden 0.2 read of a request: headers, and cookies that take their place one by one. */
import { getAddress, isAddress, type Address, type Hex } from 'viem'
import { header, type Lines } from './exchange.ts'

export type PaymentData = {
  readonly sender: Address | undefined
  readonly block: number | undefined
  /** The new balance. As a cookie it has another name than as a header. */
  readonly balance: bigint | undefined
  readonly signature: string | undefined
}

/** Is answered with 409 and its message. */
export class ValueError extends Error {}

/**
 * What is malformed here was answered with 409: addresses and numbers. The signature is not looked at yet.
 *
 * @throws {ValueError}
 */
export function readPaymentData(request: { readonly lines: Lines }): PaymentData {
  const cookies = cookiesIn(request)
  const given = (name: string, cookie = name) => cookies.get(cookie) || header(request, name) || undefined
  addressIn('RDN-Contract-Address', header(request, 'RDN-Contract-Address'))
  addressIn('RDN-Receiver-Address', header(request, 'RDN-Receiver-Address'))
  // Any text is none of Python's integers, so this header could never be used.
  if (header(request, 'RDN-Payment')) throw new ValueError('Payment must be an integer')
  const price = integerIn('RDN-Price', header(request, 'RDN-Price'))
  if (price !== undefined && price < 0n) throw new ValueError('Price must be a positive integer')
  const block = integerIn('RDN-Open-Block', given('RDN-Open-Block'))
  return {
    sender: addressIn('RDN-Sender-Address', given('RDN-Sender-Address')),
    block: block === undefined ? undefined : Number(block),
    balance: integerIn('RDN-Balance', given('RDN-Balance', 'RDN-Sender-Balance')),
    signature: given('RDN-Balance-Signature'),
  }
}

/** Whether a person is asking: HTML is accepted, and what is asked for first is not "anything". */
export function wantsPage(request: { readonly lines: Lines }): boolean {
  const ranges = (header(request, 'Accept') ?? '')
    .split(',')
    .map((range) => range.trim().split(/\s*;\s*/))
    .map(([type = '', ...parameters]) => ({ type: type.toLowerCase(), quality: qualityIn(parameters) }))
    .filter(({ type }) => type !== '')
    .sort((a, b) => b.quality - a.quality)
  const accepted = ranges.some(({ type, quality }) => quality > 0 && ['text/html', 'text/*', '*/*'].includes(type))
  return accepted && ranges[0]?.type !== '*/*'
}

/** Decimal, as Python's `int` reads it. @throws {ValueError} */
export function integerIn(name: string, value: string | undefined): bigint | undefined {
  if (value === undefined || value === '') return undefined
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(value)) throw new ValueError(`${name} must be an integer`)
  return BigInt(value.trim().replaceAll('_', '').replace(/^\+/, ''))
}

/** As it is: whether anybody can have signed this is found out later, and then it is an error of the server. */
export function asHex(signature: string): Hex {
  return signature.startsWith('0x') ? (signature as Hex) : `0x${signature}`
}

function addressIn(name: string, value: string | undefined): Address | undefined {
  if (!value) return undefined
  if (!isAddress(value)) throw new ValueError(`${name} must be an address`)
  return getAddress(value)
}

function cookiesIn(request: { readonly lines: Lines }): ReadonlyMap<string, string> {
  const pairs = (header(request, 'Cookie') ?? '').split(';').map((pair) => pair.trim())
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

function qualityIn(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  return given === undefined ? 1 : Number(given.slice(2))
}
