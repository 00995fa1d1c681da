/**
 * How the signer of a channel proves itself to a receiver outside of a payment.
 *
 * Each question has a message type of its own, in a domain of its own, so that
 * no signature over one thing can be shown for another: neither a proof for a
 * voucher, nor a proof that reads for one that closes. It holds for one escrow
 * on one chain, and until the moment that it names.
 *
 * @see EIP-712
 */
import type { Address, Hash, Hex } from 'viem'
import { hexToBytes } from '../base/encode.ts'
import { concat, domainSeparator, typedDigest, typeHash, word } from './eip712.ts'
import type { Deployment } from './escrow.ts'

/** What the signer asks for. `amount` is cumulative, in base units. */
export type Question =
  | { readonly ask: 'read'; readonly channelId: Hash }
  | { readonly ask: 'close'; readonly channelId: Hash; readonly amount: bigint }
  | { readonly ask: 'list'; readonly sender: Address; readonly receiver: Address }

/** `validUntil` is in seconds since 1970. */
export type Proof = { readonly validUntil: bigint; readonly signature: Hex }

/** How long a proof may be valid at most, and how long a sender makes it: clocks differ. */
export const MOST_PROOF_SECONDS = 600n
export const PROOF_SECONDS = 300n

/** The 32 bytes to sign. */
export function proofDigest(question: Question, validUntil: bigint, at: Deployment): Uint8Array {
  const domain = domainSeparator('Farthing Proof', '1', at)
  return typedDigest(domain, concat(...structOf(question), word(validUntil)))
}

const types = {
  read: typeHash('ReadChannel(bytes32 channelId,uint64 validUntil)'),
  close: typeHash('CloseChannel(bytes32 channelId,uint256 cumulativeAmount,uint64 validUntil)'),
  list: typeHash('ListChannels(address sender,address receiver,uint64 validUntil)'),
}

function structOf(question: Question): Uint8Array[] {
  const type = types[question.ask]
  switch (question.ask) {
    case 'read':
      return [type, hexToBytes(question.channelId)]
    case 'close':
      return [type, hexToBytes(question.channelId), word(question.amount)]
    case 'list':
      return [type, word(BigInt(question.sender)), word(BigInt(question.receiver))]
  }
}
