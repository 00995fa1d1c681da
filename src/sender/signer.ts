/** The key that signs vouchers. */
import type { Address, Hex, LocalAccount } from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { lower } from '../base/read.ts'
import { addressOfKey, sign } from '../base/secp256k1.ts'

export type Signer = {
  /** Lower case. */
  readonly address: Address
  sign(digest: Uint8Array): Hex | Promise<Hex>
  /** Where the key itself is at hand: by the fastest engine, without waiting. */
  readonly signNow?: (digest: Uint8Array) => Hex
}

/** From a private key, signed here; or from a viem account that signs by itself, and keeps its key to itself. */
export function createSigner(key: Hex | LocalAccount): Signer {
  if (typeof key === 'string') {
    const signNow = (digest: Uint8Array) => sign(digest, key)
    return { address: addressOfKey(key), sign: signNow, signNow }
  }
  const { sign: signHash } = key
  if (!signHash) throw new TypeError('this account cannot sign a hash; give a private key or a local account')
  return {
    address: lower(key.address),
    sign: (digest) => signHash({ hash: bytesToHex(digest) }),
  }
}
