/** What a channel of the draft's escrow is named by, beside its parties. */
import { zeroAddress, type Address, type Hash } from 'viem'
import { MalformedPaymentError } from '../base/errors.ts'
import type { Identity } from './escrow.ts'
import type { SessionTerms } from './session-state.ts'

/** How the contract writes the signer: zero where the sender itself signs. */
export function wireSigner({ signer, sender, terms }: Identity<SessionTerms>): Address {
  return terms.authorizedSigner ?? (signer === sender ? zeroAddress : signer)
}

/** @throws {MalformedPaymentError} if it is not known */
export function saltOf({ salt }: SessionTerms): Hash {
  if (!salt) throw new MalformedPaymentError('salt', 'is missing')
  return salt
}
