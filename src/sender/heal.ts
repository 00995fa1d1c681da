/**
 * What a sender does when its payment was refused: at most one correction each, then an error that says what happened.
 *
 * A receiver's statements about money are believed only where our own
 * signature is on them. Whatever it claims, a correction never signs more than
 * the price of the one request, and the budget is asked again.
 */
import * as read from '../base/read.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import { PaymentDisputedError, PaymentRefusedError } from '../base/spending.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { authorize } from '../channel/ledger.ts'
import { merge } from '../channel/events.ts'
import { deploymentOf, writeAbout, type AnyProtocol, type Context } from './context.ts'
import type { Said } from './refusal.ts'
import { takeBack, type Spending } from './spend.ts'

/** What to do next: pay again, or give up on this answer and return it. */
export type Verdict = 'again' | 'return'

/** Corrects our records after a refusal. @throws {PaymentRefusedError} | {@link PaymentDisputedError} if nothing helps */
export async function heal(context: Context, protocol: AnyProtocol, spending: Spending, said: Said): Promise<Verdict> {
  const { key } = spending.channel
  if (said.code === 'underpaid') return adopt(context, protocol, spending, said)
  await takeBack(context, spending)
  switch (said.code) {
    case 'payment-required':
    case 'offer-not-found':
      return 'again'
    case 'channel-not-found':
      await refresh(context, protocol, spending.channel)
      await writeAbout(context.store, key, (about) => ({ ...about, acknowledged: false }))
      return 'again'
    case 'channel-not-open':
      await refresh(context, protocol, spending.channel)
      // The receiver may be ahead of the chain. A later sync finds out if it lied.
      await context.store.update(key, (now = spending.channel) =>
        now.status === 'open' ? { ...now, status: 'closing' } : now,
      )
      return 'again'
    case 'deposit-exceeded':
      await refresh(context, protocol, spending.channel)
      return 'again'
    case 'receiver-unavailable':
    case 'too-many-failures':
    case 'request-conflict':
    case 'request-interrupted':
    case 'answer-gone':
    case 'body-too-large':
      return 'return'
    default:
      throw new PaymentRefusedError(said.status, said.detail, said.details)
  }
}

/** Reads a channel from the chain and merges it into the store; a channel that is not there any more is closed. */
export async function refresh({ chain, store }: Context, { escrow }: AnyProtocol, channel: Channel): Promise<Channel> {
  const at = deploymentOf(channel)
  const block = (await chain.head()).number
  const answer = await chain.call(escrow.queries.channel(channel.id, at), { block })
  const seen = escrow.channel(channel.id, answer, block, at)
  return store.update(channel.key, (now = channel) => (seen ? merge(now, seen) : { ...now, status: 'closed' }))
}

/**
 * The receiver says that what we signed does not cover the price, and shows what it holds.
 *
 * Our own signature on more than we know: our records were lost, and are mended. On what we know, with a claim
 * that this very request is charged already: the receiver keeps the payment without the service, and we stop.
 */
async function adopt(context: Context, { escrow }: AnyProtocol, spending: Spending, said: Said): Promise<Verdict> {
  const { store, signer } = context
  const { channel, price } = spending
  const claimed = amount(said.details.charged)
  const shown = amount(said.details.authorized)
  const signature = read.optional(said.details.signature, 'signature', read.signature)
  await takeBack(context, spending)
  if (claimed === undefined || shown === undefined)
    throw new PaymentRefusedError(said.status, said.detail, said.details)
  if (shown > authorized(channel)) {
    const digest = escrow.digester(deploymentOf(channel))(channel.id, shown)
    const genuine = signature !== undefined && recoverAddress(digest, signature) === signer.address
    if (!genuine || claimed > shown) throw new PaymentDisputedError(claimed, channel.charged)
    const voucher = { cumulativeAmount: shown, signature }
    await store.update(channel.key, (now = channel) => raised(authorize(now, voucher), claimed))
    return 'again'
  }
  if (claimed >= channel.charged) throw new PaymentDisputedError(claimed, channel.charged - price)
  await store.update(channel.key, (now = channel) => raised(now, claimed))
  return 'again'
}

function raised(channel: Channel, charged: bigint): Channel {
  return charged > channel.charged ? { ...channel, charged } : channel
}

function amount(digits: string | undefined): bigint | undefined {
  return digits !== undefined && /^(0|[1-9][0-9]{0,38})$/.test(digits) ? BigInt(digits) : undefined
}
