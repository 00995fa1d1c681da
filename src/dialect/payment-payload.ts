/**
 * The payload of a `Payment` credential for `evm`/`session`: open, topUp, voucher or close.
 *
 * @see draft-evm-session-00, "Credential Payloads"
 */
import type { Address } from 'viem'
import { MalformedPaymentError, PaymentUnsupportedError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import type { Payment } from '../channel/messages.ts'
import type { SessionTerms } from '../escrow/session-state.ts'

/** @throws {MalformedPaymentError} | {@link PaymentUnsupportedError} */
export function readPayload(payload: read.JsonObject, source: Address | undefined): Payment<SessionTerms> {
  const action = read.text(read.member(payload, 'action'), 'payload.action', 16)
  const channelId = read.hash(read.member(payload, 'channelId'), 'payload.channelId')
  switch (action) {
    case 'voucher':
      if (read.member(payload, 'deposit') !== undefined) throw unsupported('a deposit inside a voucher')
      return { channelId, voucher: voucherOf(payload) }
    case 'close':
      return { channelId, voucher: voucherOf(payload), close: true }
    case 'open':
      return { channelId, voucher: voucherOf(payload), ...openOf(payload, source) }
    case 'topUp':
      return { channelId, funding: topUpOf(payload) }
    default:
      throw new MalformedPaymentError('payload.action', 'is not open, topUp, voucher or close')
  }
}

export function writePayload({ channelId, voucher, funding, terms, signer, sender, close }: Payment<SessionTerms>) {
  const signed = voucher && { cumulativeAmount: `${voucher.cumulativeAmount}`, signature: voucher.signature }
  if (funding?.action === 'topUp') {
    return {
      action: 'topUp',
      type: 'hash',
      channelId,
      hash: funding.hash,
      additionalDeposit: `${funding.amount ?? 0n}`,
    }
  }
  if (funding) {
    const authorizedSigner = terms?.authorizedSigner ?? (signer === sender ? undefined : signer)
    const open = { action: 'open', type: 'hash', channelId, hash: funding.hash, ...signed, salt: terms?.salt }
    return authorizedSigner ? { ...open, authorizedSigner } : open
  }
  return { action: close ? 'close' : 'voucher', channelId, ...signed }
}

function voucherOf(payload: read.JsonObject) {
  return {
    cumulativeAmount: read.uint(read.member(payload, 'cumulativeAmount'), 'payload.cumulativeAmount'),
    signature: read.signature(read.member(payload, 'signature'), 'payload.signature'),
  }
}

function openOf(payload: read.JsonObject, source: Address | undefined): Payment<SessionTerms> {
  requireHash(payload)
  if (!source) throw new MalformedPaymentError('source', 'is missing; an open of type hash needs it')
  const authorizedSigner = read.optional(
    read.member(payload, 'authorizedSigner'),
    'payload.authorizedSigner',
    read.address,
  )
  const salt = read.hash(read.member(payload, 'salt'), 'payload.salt')
  const delegated = authorizedSigner !== undefined && !/^0x0{40}$/.test(authorizedSigner)
  return {
    funding: { by: 'transaction', action: 'open', hash: read.hash(read.member(payload, 'hash'), 'payload.hash') },
    signer: delegated ? authorizedSigner : source,
    terms: { salt, ...(delegated && { authorizedSigner }) },
  }
}

function topUpOf(payload: read.JsonObject) {
  requireHash(payload)
  return {
    by: 'transaction' as const,
    action: 'topUp' as const,
    hash: read.hash(read.member(payload, 'hash'), 'payload.hash'),
    amount: read.uint(read.member(payload, 'additionalDeposit'), 'payload.additionalDeposit'),
  }
}

function requireHash(payload: read.JsonObject): void {
  const type = read.text(read.member(payload, 'type'), 'payload.type', 32)
  if (type === 'hash') return
  if (type === 'authorization' || type === 'permit2') throw unsupported(`a deposit of type ${type}`)
  throw new MalformedPaymentError('payload.type', 'is not hash, authorization or permit2')
}

function unsupported(what: string): PaymentUnsupportedError {
  return new PaymentUnsupportedError(what, 'Send the deposit by a transaction of your own and name it with type hash.')
}
