/**
 * What an offer of the `payment` protocol says: written into a challenge, and read from one.
 *
 * @see draft-evm-session-00, "Request Schema"
 */
import { getAddress } from 'viem'
import { base64url, canonicalJson } from '../base/encode.ts'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import type { Funding, Offer } from '../channel/messages.ts'
import { challengeId, isGenuine, saidIn, type Challenge } from './payment-auth.ts'
import { typeOf } from './payment-deposit.ts'

export function challengeOf(offer: Offer, realm: string, secret: string): Challenge {
  const unbound = {
    realm,
    method: 'evm',
    intent: 'session',
    request: base64url(canonicalJson(requestOf(offer))),
    ...(offer.expiresAtMs !== undefined && { expires: rfc3339(Math.floor(offer.expiresAtMs / 1000)) }),
    ...(offer.resource !== undefined && { opaque: base64url(canonicalJson({ resource: offer.resource })) }),
  }
  return { id: challengeId(unbound, secret), ...unbound }
}

function requestOf(offer: Offer) {
  return {
    amount: `${offer.price}`,
    unitType: 'request',
    currency: getAddress(offer.token),
    recipient: getAddress(offer.receiver),
    suggestedDeposit: offer.deposit === undefined ? undefined : `${offer.deposit}`,
    description: offer.description,
    methodDetails: {
      chainId: offer.chainId,
      escrowContract: getAddress(offer.escrow),
      minVoucherDelta: offer.step === undefined ? undefined : `${offer.step}`,
      credentialTypes: offer.funding?.map((by) => typesBy[by]),
      feePayer: offer.funding?.some((by) => by !== 'transaction') ? true : undefined,
    },
  }
}

export function offerIfReadable(challenge: Challenge): Offer[] {
  if (challenge.method !== 'evm' || challenge.intent !== 'session') return []
  try {
    return [offerOf(challenge)]
  } catch (error) {
    if (error instanceof MalformedPaymentError) return []
    throw error
  }
}

/** @see draft-evm-session-00, "Request Schema" */
function offerOf(challenge: Challenge): Offer {
  const request = read.jsonObject(read.base64urlText(challenge.request, 'request'), 'request')
  const details = read.object(read.member(request, 'methodDetails'), 'methodDetails')
  const deposit = read.optional(read.member(request, 'suggestedDeposit'), 'suggestedDeposit', read.uint)
  const step = read.optional(read.member(details, 'minVoucherDelta'), 'minVoucherDelta', read.uint)
  const description = read.optional(read.member(request, 'description'), 'description', read.text)
  const resource = challenge.opaque === undefined ? undefined : resourceOf(challenge.opaque)
  const types = read.member(details, 'credentialTypes')
  return {
    price: read.uint(read.member(request, 'amount'), 'amount'),
    token: read.address(read.member(request, 'currency'), 'currency'),
    receiver: read.address(read.member(request, 'recipient'), 'recipient'),
    chainId: read.count(read.member(details, 'chainId'), 'chainId'),
    escrow: read.address(read.member(details, 'escrowContract'), 'escrowContract'),
    ...(deposit !== undefined && { deposit }),
    ...(step !== undefined && { step }),
    ...(challenge.expires !== undefined && { expiresAtMs: Date.parse(challenge.expires) }),
    ...(resource !== undefined && { resource }),
    ...(description !== undefined && { description }),
    ...(Array.isArray(types) && { funding: types.flatMap(fundingOf) }),
    echo: challenge,
  }
}

/** How a deposit may come, and what the wire calls it. */
const typesBy: Record<Funding['by'], string> = { transaction: 'hash', ...typeOf }

function fundingOf(type: unknown): readonly Funding['by'][] {
  const ways: readonly Funding['by'][] = ['transaction', 'eip3009', 'permit2']
  return ways.filter((by) => typesBy[by] === type)
}

/** Another receiver's `opaque` is none of our business and stays in `echo`. */
function resourceOf(opaque: string): string | undefined {
  const value = read.member(read.jsonObject(read.base64urlText(opaque, 'opaque'), 'opaque'), 'resource')
  return typeof value === 'string' ? value : undefined
}

/** The offer in a challenge of ours; undefined: it is not ours. */
export type Recognize = (challenge: Challenge) => Offer | undefined

/** How many offers of ours are known again without checking and reading them: some 4 MB of them. */
const OFFERS = 4_096

/** Only what is genuine is remembered, so that nobody fills the memory with inventions. */
export function recognizer(realm: string, secrets: readonly string[]): Recognize {
  const known = new Map<string, Offer>()
  return (challenge) => {
    const said = saidIn(challenge)
    const before = known.get(said)
    if (before) return before
    if (challenge.realm !== realm || !isGenuine(challenge, secrets)) return undefined
    const offer = offerOf(challenge)
    if (known.size >= OFFERS) known.clear()
    known.set(said, offer)
    return offer
  }
}

/** Whole seconds since 1970, in UTC. @see RFC 3339 */
export function rfc3339(seconds: number): string {
  return `${new Date(1000 * seconds).toISOString().slice(0, 19)}Z`
}
