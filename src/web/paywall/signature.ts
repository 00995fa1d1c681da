/**
 * Who signed what, computed in the page: a signature is believed because it is
 * checked, not because a server or a node says so.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Address, Hash, Hex } from 'viem'
import type { TypedMember } from '../../escrow/raiden-messages.ts'

/** The 32 bytes that a wallet signs for typed data of the first version. */
export function digestOf(message: readonly TypedMember[]): Uint8Array {
  const types = concatBytes(...message.map(({ type, name }) => utf8ToBytes(`${type} ${name}`)))
  const values = concatBytes(...message.map(packed))
  return keccak_256(concatBytes(keccak_256(types), keccak_256(values)))
}

/** Lower case. undefined: nobody, or in a form that the contract does not take. */
export function signerOf(digest: Uint8Array, signature: Hex): Address | undefined {
  const v = signature.slice(130)
  if (v !== '1b' && v !== '1c') return undefined
  try {
    const parsed = secp256k1.Signature.fromBytes(hexToBytes(signature.slice(2, 130)), 'compact')
    if (parsed.hasHighS()) return undefined
    const key = parsed.addRecoveryBit(v === '1b' ? 0 : 1).recoverPublicKey(digest)
    return `0x${bytesToHex(keccak_256(key.toBytes(false).subarray(1)).subarray(12))}`
  } catch {
    return undefined
  }
}

/** What the contract calls a channel. */
export function channelIdOf(sender: Address, receiver: Address, openBlock: bigint): Hash {
  const bytes = hexToBytes(`${sender.slice(2)}${receiver.slice(2)}${wide(openBlock, 8)}`)
  return `0x${bytesToHex(keccak_256(bytes))}`
}

function packed({ type, value }: TypedMember): Uint8Array {
  if (type === 'string') return utf8ToBytes(value)
  if (type === 'address') return hexToBytes(value.slice(2))
  return hexToBytes(wide(BigInt(value), Number(type.slice('uint'.length)) / 4))
}

function wide(value: bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
