/**
 * The key that signs the vouchers of one escrow, made from the account alone.
 *
 * It is the hash of a signature that the account makes the same each time (RFC 6979), over a message of its own type
 * and domain. So it is in memory only, and can be made again wherever the account is. Whoever has it can promise the
 * deposits of these channels to their receivers, and nothing else: it holds no money, and no transaction is signed by it.
 */
import { keccak256, type Address, type Hex, type LocalAccount } from 'viem'
import { addressOfKey } from '../base/secp256k1.ts'
import type { Deployment } from '../escrow/escrow.ts'
import type { Store } from '../store/store.ts'

/** undefined: this account signs differently each time, so its key could not be made again. */
export async function sessionKey(account: LocalAccount, at: Deployment): Promise<Hex | undefined> {
  const sign = () => account.signTypedData(messageFor(at))
  const [first, second] = [await sign(), await sign()]
  return first === second ? keccak256(first) : undefined
}

/** Files who signs, for those who look without the account. */
export async function fileSessionSigner(store: Store, at: Deployment, key: Hex): Promise<void> {
  const signer = addressOfKey(key)
  if ((await sessionSigner(store, at)) !== signer) await store.writeRecord(nameOf(at), () => signer)
}

/** Who signed vouchers for this account when it was last here, beside the account itself. */
export async function sessionSigner(
  store: Store,
  at: Pick<Deployment, 'chainId' | 'address'>,
): Promise<string | undefined> {
  return store.readRecord(nameOf(at))
}

function messageFor({ chainId, address }: Deployment) {
  return {
    domain: { name: 'Farthing Session Key', version: '1', chainId, verifyingContract: address },
    types: { SessionKey: [{ name: 'purpose', type: 'string' }] },
    primaryType: 'SessionKey',
    message: { purpose: 'Makes the key that signs vouchers for this escrow. Sign this in no other program.' },
  } as const
}

function nameOf({ chainId, address }: { readonly chainId: number; readonly address: Address }): string {
  return `session-signer:${chainId}:${address}`
}
