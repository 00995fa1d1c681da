/**
 * EIP-712 over bytes laid out by hand: on the paid path a digest is two hashes
 * of a few words, and the general way costs more than checking the signature.
 * Byte-equal to viem's `hashTypedData`, which the tests compare.
 */
import type { Deployment } from './escrow.ts'
import { hexToBytes } from '../base/encode.ts'
import { keccak256 } from '../base/secp256k1.ts'

export function typeHash(type: string): Uint8Array {
  return keccak256(new TextEncoder().encode(type))
}

const domainType = typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')

export function domainSeparator(name: string, version: string, at: Deployment): Uint8Array {
  return keccak256(
    concat(domainType, typeHash(name), typeHash(version), word(BigInt(at.chainId)), word(BigInt(at.address))),
  )
}

/** The digest that is signed: of a struct in a domain. */
export function typedDigest(domain: Uint8Array, struct: Uint8Array): Uint8Array {
  return typedDigester(domain)(struct)
}

/** The same for many structs of one domain. */
export function typedDigester(domain: Uint8Array): (struct: Uint8Array) => Uint8Array {
  // Hashing is synchronous, so one buffer serves every digest.
  const message = concat(prefix, domain, new Uint8Array(32))
  return (struct) => {
    message.set(keccak256(struct), message.length - 32)
    return keccak256(message)
  }
}

/** A 32-byte big-endian word. */
export function word(value: bigint): Uint8Array {
  return hexToBytes(`0x${value.toString(16).padStart(64, '0')}`)
}

/** Writes well-formed hex into bytes that were laid out before. */
export function putHex(bytes: Buffer, hex: `0x${string}`, start: number): void {
  bytes.write(hex.slice(2), start, 'hex')
}

/** Writes a number over `size` bytes, big-endian. The caller knows that it fits. */
export function putNumber(bytes: Buffer, value: bigint, start: number, size: number): void {
  bytes.write(value.toString(16).padStart(2 * size, '0'), start, 'hex')
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

const prefix = new Uint8Array([0x19, 0x01])
