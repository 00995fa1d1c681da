/**
 * A deposit that was signed, inside a `Payment` credential: `authorization` (ERC-3009) and `permit2`.
 *
 * What such a payload says twice must be the same both times: what was signed counts, and a payment that says something
 * else beside it is refused.
 *
 * @see draft-evm-session-00, "Credential Payloads"
 */
import { zeroAddress, type Address, type Hash } from 'viem'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import type { Payment, SignedDeposit } from '../channel/messages.ts'
import type { SessionTerms } from '../escrow/session-state.ts'

/** What a payment says by its signed deposit. `escrow`: where an authorization sends the tokens. */
export type ByDeposit = Pick<Payment<SessionTerms>, 'sender' | 'receiver' | 'signer' | 'terms' | 'escrow'> & {
  readonly funding: SignedDeposit
}

/** The wire names of what is signed. */
export const typeOf = { eip3009: 'authorization', permit2: 'permit2' } as const

/** What a payload of an open says beside its deposit. */
export type Opening = { readonly salt: Hash; readonly authorizedSigner: Address | undefined }

/** An open. @throws {MalformedPaymentError} */
export function readOpening(payload: read.JsonObject, by: SignedDeposit['by'], opening: Opening): ByDeposit {
  const { salt, authorizedSigner } = opening
  const signed = signedIn(payload)
  const { deposit, escrow } = by === 'eip3009' ? authorizationIn(signed, 'open') : permitIn(signed, 'open')
  const witness = by === 'permit2' ? witnessIn(signed, opening) : undefined
  return {
    sender: deposit.from,
    signer: authorizedSigner ?? deposit.from,
    terms: { salt, ...(authorizedSigner && { authorizedSigner }) },
    ...(witness && { receiver: witness }),
    ...(escrow && { escrow }),
    funding: { ...deposit, signature: signatureIn(payload) },
  }
}

/** A top up, whoever pays for it. @throws {MalformedPaymentError} */
export function readTopUp(payload: read.JsonObject, by: SignedDeposit['by'], channelId: Hash): ByDeposit {
  const signed = signedIn(payload)
  const { deposit, escrow } = by === 'eip3009' ? authorizationIn(signed, 'topUp') : permitIn(signed, 'topUp')
  if (by === 'permit2') {
    const witness = read.object(read.member(signed, 'witness'), `${FIELD}.witness`)
    same(read.hash(read.member(witness, 'channelId'), `${FIELD}.witness.channelId`), channelId, 'witness.channelId')
  }
  const stated = read.uint(read.member(payload, 'additionalDeposit'), 'payload.additionalDeposit')
  same(stated, deposit.amount, by === 'eip3009' ? 'value' : 'permitted.amount')
  const salt = deposit.by === 'eip3009' ? { salt: read.hash(read.member(payload, 'salt'), 'payload.salt') } : {}
  return { ...(escrow && { escrow }), funding: { ...deposit, ...salt, signature: signatureIn(payload) } }
}

/** The `authorization` member. `payment` says what the witness repeats. */
export function writeSigned(funding: SignedDeposit, payment: Payment<SessionTerms>, escrow: Address) {
  const { from, amount } = funding
  if (funding.by === 'eip3009') {
    const { validAfter, validBefore, nonce } = funding
    return { from, to: escrow, value: `${amount}`, validAfter: `${validAfter}`, validBefore: `${validBefore}`, nonce }
  }
  const { token, nonce, deadline } = funding
  const { receiver, terms, channelId } = payment
  const opening = { payee: receiver, salt: terms?.salt, authorizedSigner: terms?.authorizedSigner ?? zeroAddress }
  return {
    from,
    permitted: { token, amount: `${amount}` },
    nonce: `${nonce}`,
    deadline: `${deadline}`,
    witness: funding.action === 'open' ? opening : { channelId },
  }
}

const FIELD = 'payload.authorization'

function signedIn(payload: read.JsonObject): read.JsonObject {
  return read.object(read.member(payload, 'authorization'), FIELD)
}

function signatureIn(payload: read.JsonObject) {
  return read.signature(read.member(payload, 'signature'), 'payload.signature')
}

function authorizationIn(signed: read.JsonObject, action: SignedDeposit['action']) {
  const field = <T>(name: string, as: (value: unknown, field: string) => T) =>
    as(read.member(signed, name), `${FIELD}.${name}`)
  const deposit = {
    by: 'eip3009' as const,
    action,
    from: field('from', read.address),
    amount: field('value', read.uint),
    validAfter: field('validAfter', number),
    validBefore: field('validBefore', number),
    nonce: field('nonce', read.hash),
  }
  return { deposit, escrow: field('to', read.address) }
}

function permitIn(signed: read.JsonObject, action: SignedDeposit['action']) {
  const permitted = read.object(read.member(signed, 'permitted'), `${FIELD}.permitted`)
  const deposit = {
    by: 'permit2' as const,
    action,
    from: read.address(read.member(signed, 'from'), `${FIELD}.from`),
    amount: read.uint(read.member(permitted, 'amount'), `${FIELD}.permitted.amount`),
    token: read.address(read.member(permitted, 'token'), `${FIELD}.permitted.token`),
    nonce: number(read.member(signed, 'nonce'), `${FIELD}.nonce`),
    deadline: number(read.member(signed, 'deadline'), `${FIELD}.deadline`),
  }
  // Permit2 does not say who may spend: it is always who asks, and only our escrow does.
  return { deposit, escrow: undefined }
}

/** The receiver in the witness. What else it says is in the payload too. */
function witnessIn(signed: read.JsonObject, { salt, authorizedSigner = zeroAddress }: Opening): Address {
  const witness = read.object(read.member(signed, 'witness'), `${FIELD}.witness`)
  const field = (name: string) => `${FIELD}.witness.${name}`
  same(read.hash(read.member(witness, 'salt'), field('salt')), salt, 'witness.salt')
  const signer = read.address(read.member(witness, 'authorizedSigner'), field('authorizedSigner'))
  same(signer, authorizedSigner, 'witness.authorizedSigner')
  return read.address(read.member(witness, 'payee'), field('payee'))
}

/** Times and nonces are words of the contract. */
function number(value: unknown, field: string): bigint {
  return read.uint(value, field, 256)
}

function same(signed: unknown, said: unknown, name: string): void {
  if (signed !== said) throw new MalformedPaymentError(`${FIELD}.${name}`, 'is not what the payload says beside it')
}
