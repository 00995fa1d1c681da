/** How single values stand on the wire of µRaiden. */
import type { Hex } from 'viem'
import * as read from '../base/read.ts'

/** The cookies of this protocol, by name. A name that stands twice counts once, the first time. */
export function cookiesIn(header: string | null | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (!header?.includes('RDN-')) return found
  for (const pair of header.split(';')) {
    const [, name, value] = /^\s*(RDN-[A-Za-z-]+)="?([^"]*?)"?\s*$/.exec(pair) ?? []
    if (name !== undefined && value !== undefined && !found.has(name)) found.set(name, value)
  }
  return found
}

/** The wire allows v of 0 and 1 for 27 and 28; everything behind it knows one form only. @throws {MalformedPaymentError} */
export function readSignature(value: unknown, field: string): Hex {
  const signature = read.signature(value, field)
  if (signature.length !== 132) return signature
  const v = signature.slice(130)
  if (v !== '00' && v !== '01') return signature
  return read.signature(`${signature.slice(0, 130)}${v === '00' ? '1b' : '1c'}`, field)
}
