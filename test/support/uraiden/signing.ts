/**
 * What µRaiden 0.2 signs, written from its own description with viem's keccak
 * and packing alone. Nothing of `src/` is used, so that a mistake in our codec
 * cannot cancel itself out. The vectors are those of test/vectors/uraiden-conversations.json.
 *
 * Typed data as it was before EIP-712: the hash of what the values are called,
 * then the hash of the values, both packed. There is no domain and no chain id,
 * and the digest is signed as it is, without Ethereum's prefix for messages.
 */
import { concatHex, encodePacked, keccak256, recoverAddress, slice, stringToHex, toHex } from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** What a sender promises: `balance` is all that it ever paid on the channel, in base units. */
export type Balance = {
  readonly receiver: Address
  readonly block: number
  readonly balance: bigint
  readonly contract: Address
}

/** What a receiver agrees to end with. */
export type Closing = Omit<Balance, 'receiver'> & { readonly sender: Address }

export const BALANCE_SCHEMA = schema('address receiver')
export const CLOSING_SCHEMA = schema('address sender')

export function balanceDigest({ receiver, block, balance, contract }: Balance): Hash {
  return keccak256(
    concatHex([BALANCE_SCHEMA, valuesHash('Sender balance proof signature', receiver, { block, balance, contract })]),
  )
}

export function closingDigest({ sender, block, balance, contract }: Closing): Hash {
  return keccak256(
    concatHex([CLOSING_SCHEMA, valuesHash('Receiver closing signature', sender, { block, balance, contract })]),
  )
}

/** The contract's name of a channel. `block` is the one in which it was opened. */
export function channelKey(sender: Address, receiver: Address, block: number): Hash {
  return keccak256(encodePacked(['address', 'address', 'uint32'], [sender, receiver, block]))
}

/** 65 bytes, r, s and v, which is 27 or 28. */
export function signBalance(key: Hex, terms: Balance): Promise<Hex> {
  return privateKeyToAccount(key).sign({ hash: balanceDigest(terms) })
}

export function signClosing(key: Hex, terms: Closing): Promise<Hex> {
  return privateKeyToAccount(key).sign({ hash: closingDigest(terms) })
}

/** Who signed, by the contract's rules plus Python's. @throws if nobody can have signed this */
export function balanceSigner(terms: Balance, signature: Hex): Promise<Address> {
  return signerOf(balanceDigest(terms), signature)
}

/** Who signed. @throws if nobody can have signed this */
export function closingSigner(terms: Closing, signature: Hex): Promise<Address> {
  return signerOf(closingDigest(terms), signature)
}

/** The hash of the values alone: the text that is shown to the person, who it is about, and the sums. */
export function valuesHash(
  message: string,
  party: Address,
  { block, balance, contract }: Omit<Balance, 'receiver'>,
): Hash {
  return keccak256(
    encodePacked(['string', 'address', 'uint32', 'uint192', 'address'], [message, party, block, balance, contract]),
  )
}

/** Types and names, one after the other with nothing between them. */
function schema(party: string): Hash {
  return keccak256(
    stringToHex(['string message_id', party, 'uint32 block_created', 'uint192 balance', 'address contract'].join('')),
  )
}

/** The recovery byte is 0, 1, 27 or 28; the Python server takes 35 and more too, as if they named a chain. */
function signerOf(hash: Hash, signature: Hex): Promise<Address> {
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) throw new Error('a signature has 65 bytes')
  const v = Number(slice(signature, 64))
  const parity = v >= 35 ? (v - 35) % 2 : v
  return recoverAddress({ hash, signature: concatHex([slice(signature, 0, 64), toHex(parity, { size: 1 })]) })
}
