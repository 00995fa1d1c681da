/** Text forms that do not lose anything: canonical JSON, base64url, amounts as decimal strings. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }

/**
 * Canonical JSON: keys sorted by UTF-16 code units, no white space, members that are undefined left out.
 *
 * Numbers are written as ECMAScript does, which is what the RFC asks for.
 * @see RFC 8785
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .filter((entry): entry is [string, Json] => entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
  return `{${members.join(',')}}`
}

/** Without padding. @see RFC 4648, section 5 */
export function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

export function bytesToHex(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}

/** The caller knows that `hex` is well-formed. */
export function hexToBytes(hex: `0x${string}`): Uint8Array {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}
