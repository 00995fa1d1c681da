/** The key that signs vouchers. */
import type { Address, Hex, LocalAccount } from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { lower } from '../base/read.ts'
import { addressOfKey, sign } from '../base/secp256k1.ts'

export type Signer = {
  /** Lower case. */
  readonly address: Address
  sign(digest: Uint8Array): Hex | Promise<Hex>
}

/** From a private key, signed here; or from a viem account that signs by itself. */
export function createSigner(key: Hex | LocalAccount): Signer {
  if (typeof key === 'string') return { address: addressOfKey(key), sign: (digest) => sign(digest, key) }
  const { sign: signHash } = key
  if (!signHash) throw new TypeError('this account cannot sign a hash; give a private key or a local account')
  return {
    address: lower(key.address),
    sign: (digest) => signHash({ hash: bytesToHex(digest) }),
  }
}
