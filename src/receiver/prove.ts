/** Whether somebody who asks outside of a payment is who signs for a channel. */
import type { Address } from 'viem'
import { InvalidSignatureError } from '../base/errors.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import type { Deployment } from '../escrow/escrow.ts'
import { MOST_PROOF_SECONDS, proofDigest, type Proof, type Question } from '../escrow/proof.ts'

/** Who has to have signed, for which contract, and what time it is. */
export type Proving = { readonly signer: Address; readonly at: Deployment; readonly nowMs: number }

/**
 * The proof is for exactly this question, by this key, and in time.
 *
 * Takes the signature of a key and never that of a contract: asking one would be a call to a node for anybody
 * who asks. A proof can be shown again until its time is over, and then says the same thing to the same question.
 *
 * @throws {InvalidSignatureError}
 */
export function verifyProof(question: Question, { validUntil, signature }: Proof, by: Proving): void {
  const now = BigInt(Math.floor(by.nowMs / 1000))
  if (validUntil <= now) throw new InvalidSignatureError(`The proof has expired. ${IN_TIME}`)
  if (validUntil > now + MOST_PROOF_SECONDS) {
    throw new InvalidSignatureError(`The proof would be valid for too long. ${IN_TIME}`)
  }
  if (recoverAddress(proofDigest(question, validUntil, by.at), signature) === by.signer) return
  throw new InvalidSignatureError(
    'The proof is not a signature of exactly this question by the key that signs for the channel. ' +
      'Sign this question, for this chain and this contract, with that key.',
  )
}

const IN_TIME = `Sign one that is valid until at most ${MOST_PROOF_SECONDS} seconds from now, by the right clock.`
