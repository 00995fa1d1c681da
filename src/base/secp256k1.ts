/**
 * Signatures of keys, exactly as the escrow contract takes them: 65 bytes
 * r ‖ s ‖ v, v 27 or 28, s in the lower half. A receiver that took more than
 * the contract does would serve what it can never settle.
 */
import type { Address, Hex } from 'viem'
import { bytesToHex, hexToBytes } from './encode.ts'
import { engines } from './engine.ts'

const [fastest] = await engines()
if (!fastest) throw new Error('no secp256k1 engine loads on this platform')
const engine = fastest

/** native, wasm or javascript: which engine checks signatures here. */
export const engineName = engine.name

export const keccak256 = engine.keccak256

/** Half of the curve's order, rounded down: the largest s that is taken. @see EIP-2 */
const MOST_S = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'

/**
 * The address whose key signed `digest`.
 *
 * Returns undefined for everything that `ecrecover` behind the contract's checks would refuse: another
 * length, v other than 27 or 28, high s, r or s out of range, no key.
 */
export function recoverAddress(digest: Uint8Array, signature: Hex, by = engine): Address | undefined {
  if (!isCanonical(signature)) return undefined
  const bytes = hexToBytes(signature)
  try {
    return addressOf(by.recover(digest, bytes.subarray(0, 64), (bytes[64] ?? 0) - 27))
  } catch {
    return undefined
  }
}

/** 65 bytes, v 27 or 28, low s. Deterministic. */
export function sign(digest: Uint8Array, privateKey: Hex, by = engine): Hex {
  const { rs, recovery } = by.sign(digest, hexToBytes(privateKey))
  return `${bytesToHex(rs)}${(27 + recovery).toString(16)}`
}

/** Lower case. */
export function addressOfKey(privateKey: Hex, by = engine): Address {
  return addressOf(by.publicKey(hexToBytes(privateKey)))
}

function isCanonical(signature: Hex): boolean {
  if (signature.length !== 132) return false
  const v = signature.slice(130)
  return (v === '1b' || v === '1c') && signature.slice(66, 130).toLowerCase() <= MOST_S
}

function addressOf(publicKey: Uint8Array): Address {
  return bytesToHex(engine.keccak256(publicKey.subarray(1)).subarray(12))
}
