/**
 * The IETF `Payment` scheme with method `evm` and intent `session` (drafts of 2026).
 *
 * Specified by draft-httpauth-payment-00 and draft-evm-session-00. A deposit is
 * put in by a transaction of the sender (credential type `hash`), or by one of
 * the receiver with the sender's signature (`authorization`, `permit2`).
 */
import { randomBytes } from 'node:crypto'
import { getAddress, type Address } from 'viem'
import { base64url } from '../base/encode.ts'
import { ConfigError } from '../base/faults.ts'
import { MalformedPaymentError, PaymentUnsupportedError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import { remembered } from '../base/remembered.ts'
import { creditDue } from '../channel/ledger.ts'
import type { Offer, Payment, Receipt } from '../channel/messages.ts'
import type { SessionTerms } from '../escrow/session-state.ts'
import { commonRefusals, type Dialect, type HeaderLines, type KnownReceipt, type Refusal } from './dialect.ts'
import { readChallenge, readChallenges, writeChallenge } from './payment-auth.ts'
import { challengeOf, offerIfReadable, recognizer, rfc3339, type Recognize } from './payment-offer.ts'
import { readPayload, writePayload } from './payment-payload.ts'

type PaymentOptions = {
  /** Names the protected service to its clients, for example its host name. From the configuration, never from a request. */
  readonly realm?: string
  /**
   * Binds offers to this receiver. The first one makes new offers, the others are still taken: that is how a
   * secret is rotated. Without one, offers do not outlive the process; payments and idempotency keys do.
   */
  readonly secrets?: readonly string[]
}

const problem = (status: number, type: string): Refusal => ({
  status,
  word: `https://paymentauth.org/problems/${type}`,
})

const refusals = {
  ...commonRefusals,
  'payment-required': problem(402, 'payment-required'),
  'malformed-payment': problem(400, 'malformed-credential'),
  'payment-unsupported': problem(400, 'method-unsupported'),
  'offer-not-found': problem(402, 'session/challenge-not-found'),
  'channel-not-found': problem(410, 'session/channel-not-found'),
  'channel-pending': problem(402, 'verification-failed'),
  'channel-not-open': problem(410, 'session/channel-finalized'),
  'wrong-channel': problem(402, 'verification-failed'),
  'invalid-signature': problem(402, 'session/invalid-signature'),
  'deposit-exceeded': problem(402, 'session/amount-exceeds-deposit'),
  underpaid: problem(402, 'session/insufficient-balance'),
  overpaid: problem(402, 'payment-insufficient'),
  'transaction-reverted': problem(409, 'session/transaction-reverted'),
}

/** @throws {ConfigError} for a realm that cannot stand in a header, or a secret that is too short */
export function payment(options: PaymentOptions = {}): Dialect<SessionTerms> {
  const { realm, secrets } = readOptions(options)
  const recognize = recognizer(realm, secrets)
  const dateTime = remembered(1, rfc3339)
  return {
    name: 'payment',
    due: creditDue,
    refusals,
    requestHeaders: ['Authorization'],
    carriesFunding: true,
    usesCookies: false,
    closing: 'by payment',
    speaks: (headers) => /^payment( |$)/i.test(headers.get('authorization') ?? ''),
    updatesOnly: (method) => method === 'HEAD',
    writeOffer: (offer) => [['WWW-Authenticate', writeChallenge(challengeOf(offer, realm, secrets[0]))]],
    writeRefusal: () => [],
    readRefusal: () => undefined,
    readOffers: (headers) => readChallenges(headers.get('www-authenticate') ?? '').flatMap(offerIfReadable),
    writePayment,
    readPayment: (headers) => readPayment(headers.get('authorization') ?? '', recognize),
    writeReceipt: (receipt) => [['Payment-Receipt', base64url(JSON.stringify(receiptOf(receipt, dateTime)))]],
    readReceipt: (headers) => readReceipt(headers.get('payment-receipt')),
  }
}

function readOptions({ realm = 'farthing', secrets = [randomBytes(32).toString('hex')] }: PaymentOptions) {
  if (!/^[\x20-\x7e]{1,128}$/.test(realm) || /["\\|]/.test(realm)) {
    throw new ConfigError('realm', 'use 1 to 128 printable ASCII characters without ", \\ and |')
  }
  const [first, ...older] = secrets
  if (first === undefined || secrets.some((secret) => secret.length < 16)) {
    throw new ConfigError('secrets', 'give at least one secret, each of 16 characters or more')
  }
  return { realm, secrets: [first, ...older] as const }
}

function writePayment(offer: Offer, payment: Payment<SessionTerms>): HeaderLines {
  const source = payment.sender && `did:pkh:eip155:${offer.chainId}:${getAddress(payment.sender)}`
  const credential = { challenge: offer.echo, ...(source && { source }), payload: writePayload(payment, offer.escrow) }
  return [['Authorization', `Payment ${base64url(JSON.stringify(credential))}`]]
}

function readPayment(header: string, recognize: Recognize): Payment<SessionTerms> {
  const encoded = header.replace(/^payment +/i, '')
  const credential = read.jsonObject(read.base64urlText(encoded, 'Authorization'), 'Authorization')
  const challenge = readChallenge(read.member(credential, 'challenge'))
  if (challenge.method !== 'evm' || challenge.intent !== 'session') {
    throw new PaymentUnsupportedError(
      `method ${challenge.method}, intent ${challenge.intent}`,
      'Use method evm, intent session.',
    )
  }
  const offer = recognize(challenge)
  const source = read.optional(read.member(credential, 'source'), 'source', sourceOf)
  const payload = readPayload(read.object(read.member(credential, 'payload'), 'payload'), source?.sender)
  return {
    ...payload,
    ...source,
    genuine: offer !== undefined,
    ...(offer && { offer }),
  }
}

/** @see CAIP-10 in a did:pkh */
function sourceOf(value: unknown, field: string): { sender: Address; chainId: number } {
  const [, chainId, sender] =
    /^did:pkh:eip155:([1-9][0-9]{0,15}):(0x[0-9a-fA-F]{40})$/.exec(read.text(value, field)) ?? []
  if (chainId === undefined) throw new MalformedPaymentError(field, 'is not did:pkh:eip155:<chain id>:<address>')
  return { sender: read.address(sender, field), chainId: read.count(Number(chainId), field) }
}

function receiptOf(receipt: Receipt, dateTime: (seconds: number) => string) {
  return {
    method: 'evm',
    intent: 'session',
    status: 'success',
    timestamp: dateTime(Math.floor(receipt.atMs / 1000)),
    reference: receipt.channelId,
    challengeId: echoedId(receipt.offer?.echo),
    channelId: receipt.channelId,
    acceptedCumulative: `${receipt.authorized}`,
    spent: `${receipt.charged}`,
    chainId: receipt.chainId,
    ...(receipt.transaction && { txHash: receipt.transaction }),
  }
}

function echoedId(echo: unknown): string | undefined {
  return typeof echo === 'object' && echo !== null && 'id' in echo && typeof echo.id === 'string' ? echo.id : undefined
}

/** What a stranger's server says of the ledger; the sender decides what of it to believe. */
function readReceipt(header: string | null | undefined): KnownReceipt | undefined {
  if (typeof header !== 'string') return undefined
  try {
    const receipt = read.jsonObject(read.base64urlText(header, 'Payment-Receipt'), 'Payment-Receipt')
    const transaction = read.optional(read.member(receipt, 'txHash'), 'txHash', read.hash)
    return {
      channelId: read.hash(read.member(receipt, 'channelId'), 'channelId'),
      charged: read.uint(read.member(receipt, 'spent'), 'spent'),
      authorized: read.uint(read.member(receipt, 'acceptedCumulative'), 'acceptedCumulative'),
      ...(transaction && { transaction }),
    }
  } catch (error) {
    if (error instanceof MalformedPaymentError) return undefined
    throw error
  }
}
