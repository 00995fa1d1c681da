/**
 * The payload of a `Payment` credential for `evm`/`session`: open, topUp, voucher or close.
 *
 * @see draft-evm-session-00, "Credential Payloads"
 */
import type { Address, Hash } from 'viem'
import { MalformedPaymentError, PaymentUnsupportedError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import type { Funding, Payment, SignedDeposit } from '../channel/messages.ts'
import type { SessionTerms } from '../escrow/session-state.ts'
import { readOpening, readTopUp, typeOf, writeSigned } from './payment-deposit.ts'

/** @throws {MalformedPaymentError} | {@link PaymentUnsupportedError} */
export function readPayload(payload: read.JsonObject, source: Address | undefined): Payment<SessionTerms> {
  const action = read.text(read.member(payload, 'action'), 'payload.action', 16)
  const channelId = read.hash(read.member(payload, 'channelId'), 'payload.channelId')
  switch (action) {
    case 'voucher':
      if (read.member(payload, 'deposit') !== undefined) throw unsupported('a deposit inside a voucher')
      return { channelId, voucher: voucherOf(payload, 'signature') }
    case 'close':
      return { channelId, voucher: voucherOf(payload, 'signature'), close: true }
    case 'open':
      return { channelId, ...openOf(payload, source) }
    case 'topUp':
      return { channelId, ...topUpOf(payload, channelId) }
    default:
      throw new MalformedPaymentError('payload.action', 'is not open, topUp, voucher or close')
  }
}

export function writePayload(payment: Payment<SessionTerms>, escrow: Address) {
  const { channelId, voucher, funding, close } = payment
  if (funding) return writeFunding(funding, payment, escrow)
  return { action: close ? 'close' : 'voucher', channelId, ...(voucher && written(voucher, 'signature')) }
}

function writeFunding(funding: Funding, payment: Payment<SessionTerms>, escrow: Address) {
  const { channelId, voucher, terms, signer, sender } = payment
  const { action } = funding
  const deposit = depositOf(funding, payment, escrow)
  if (action === 'topUp') return { action, ...deposit, channelId, additionalDeposit: `${funding.amount ?? 0n}` }
  const authorizedSigner = terms?.authorizedSigner ?? (signer === sender ? undefined : signer)
  const signed = voucher && written(voucher, funding.by === 'transaction' ? 'signature' : 'voucherSignature')
  const open = { action, ...deposit, channelId, ...signed, salt: terms?.salt }
  return authorizedSigner ? { ...open, authorizedSigner } : open
}

function depositOf(funding: Funding, payment: Payment<SessionTerms>, escrow: Address) {
  if (funding.by === 'transaction') return { type: 'hash', hash: funding.hash }
  const salt = funding.by === 'eip3009' && funding.salt ? { salt: funding.salt } : {}
  const { signature } = funding
  return { type: typeOf[funding.by], authorization: writeSigned(funding, payment, escrow), signature, ...salt }
}

/** With a deposit that was signed there are two signatures, and `signature` is not the voucher's. */
type SignatureName = 'signature' | 'voucherSignature'

function written({ cumulativeAmount, signature }: NonNullable<Payment['voucher']>, name: SignatureName) {
  return { cumulativeAmount: `${cumulativeAmount}`, [name]: signature }
}

function voucherOf(payload: read.JsonObject, name: SignatureName) {
  return {
    cumulativeAmount: read.uint(read.member(payload, 'cumulativeAmount'), 'payload.cumulativeAmount'),
    signature: read.signature(read.member(payload, name), `payload.${name}`),
  }
}

function openOf(payload: read.JsonObject, source: Address | undefined): Payment<SessionTerms> {
  const by = byIn(payload)
  const named = read.optional(read.member(payload, 'authorizedSigner'), 'payload.authorizedSigner', read.address)
  const salt = read.hash(read.member(payload, 'salt'), 'payload.salt')
  const authorizedSigner = named === undefined || /^0x0{40}$/.test(named) ? undefined : named
  if (by !== 'transaction') {
    const opening = readOpening(payload, by, { salt, authorizedSigner })
    if (source && source !== opening.sender) throw new MalformedPaymentError('source', 'is not who signed the deposit')
    return { voucher: voucherOf(payload, 'voucherSignature'), ...opening }
  }
  if (!source) throw new MalformedPaymentError('source', 'is missing; an open of type hash needs it')
  return {
    voucher: voucherOf(payload, 'signature'),
    funding: { by, action: 'open', hash: read.hash(read.member(payload, 'hash'), 'payload.hash') },
    signer: authorizedSigner ?? source,
    terms: { salt, ...(authorizedSigner && { authorizedSigner }) },
  }
}

function topUpOf(payload: read.JsonObject, channelId: Hash): Payment<SessionTerms> {
  const by = byIn(payload)
  if (by !== 'transaction') return readTopUp(payload, by, channelId)
  return {
    funding: {
      by,
      action: 'topUp',
      hash: read.hash(read.member(payload, 'hash'), 'payload.hash'),
      amount: read.uint(read.member(payload, 'additionalDeposit'), 'payload.additionalDeposit'),
    },
  }
}

function byIn(payload: read.JsonObject): 'transaction' | SignedDeposit['by'] {
  const type = read.text(read.member(payload, 'type'), 'payload.type', 32)
  if (type === 'hash') return 'transaction'
  if (type === typeOf.eip3009) return 'eip3009'
  if (type === typeOf.permit2) return 'permit2'
  throw new MalformedPaymentError('payload.type', 'is not hash, authorization or permit2')
}

function unsupported(what: string): PaymentUnsupportedError {
  return new PaymentUnsupportedError(what, 'Send the deposit by a transaction of your own and name it with type hash.')
}
