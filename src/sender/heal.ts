/**
 * What a sender does when its payment was refused: at most one correction each, then an error that says what happened.
 *
 * A receiver's statements about money are believed only where our own
 * signature is on them. Whatever it claims, a correction never signs more than
 * the price of the one request, and the budget is asked again.
 */
import { isHex } from 'viem'
import { CallRevertedError } from '../base/faults.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import { PaymentDisputedError, PaymentRefusedError } from '../base/spending.ts'
import { authorized, type Channel, type Voucher } from '../channel/channel.ts'
import { authorize } from '../channel/ledger.ts'
import { merge } from '../channel/events.ts'
import type { Offer } from '../channel/messages.ts'
import { deploymentOf, readAbout, writeAbout, type AnyProtocol, type Context } from './context.ts'
import { reservedOn } from './lane.ts'
import type { Said } from './refusal.ts'
import { believeLess, takeBack, type Spending } from './spend.ts'

/** What to do next: pay again, or give up on this answer and return it. */
export type Verdict = 'again' | 'return'

/** Corrects our records after a refusal. @throws {PaymentRefusedError} | {@link PaymentDisputedError} if nothing helps */
export async function heal(
  context: Context,
  protocol: AnyProtocol,
  offer: Offer,
  spending: Spending,
  said: Said,
): Promise<Verdict> {
  const { key } = spending.channel
  if (said.code === 'underpaid' || claimsThisPayment(spending, said)) {
    return adopt(context, protocol, offer, spending, said)
  }
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
      await retire(context, protocol, spending.channel)
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

/** The receiver may be ahead of the chain. A later sync finds out if it lied. */
async function retire(context: Context, protocol: AnyProtocol, channel: Channel): Promise<void> {
  await refresh(context, protocol, channel)
  await context.store.update(channel.key, (now = channel) =>
    now.status === 'open' ? { ...now, status: 'closing' } : now,
  )
}

/** Reads a channel from the chain and merges it into the store; a channel that is not there any more is closed. */
export async function refresh({ chain, store }: Context, { escrow }: AnyProtocol, channel: Channel): Promise<Channel> {
  const at = deploymentOf(channel)
  const block = (await chain.head()).number
  const answer = await unlessReverted(chain.call(escrow.queries.channel(channel, at), { block }))
  const seen = answer && escrow.channel(channel, answer, block, at)
  return store.update(channel.key, (now = channel) => (seen ? merge(now, seen) : { ...now, status: 'closed' }))
}

/** Some escrows revert when they are asked for a channel that they do not have. */
async function unlessReverted<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof CallRevertedError) return undefined
    throw error
  }
}

/** The receiver holds the very voucher that it refuses. */
function claimsThisPayment({ voucher }: Spending, { code, details }: Said): boolean {
  return code === 'deposit-exceeded' && details.authorized === `${voucher.cumulativeAmount}`
}

/**
 * The receiver says that what we signed does not cover the price, and shows what it holds.
 *
 * Our own signature on more than we know: our records were lost, and are mended. On what we know, with a claim
 * that this very request is charged already: the receiver keeps the payment without the service, and we stop.
 * Where we have no records of our own, only the channel on chain, it is believed once. When records are mended, other
 * requests on their way go on being reckoned with, whether the receiver has seen them already or not.
 * Our own signature on less: a receiver that takes exact vouchers only is followed. Without it, our records stand.
 */
async function adopt(
  context: Context,
  { escrow }: AnyProtocol,
  offer: Offer,
  spending: Spending,
  said: Said,
): Promise<Verdict> {
  const { store } = context
  const { channel, price } = spending
  const claimed = amount(said.details.charged)
  const shown = amount(said.details.authorized)
  const known = await takeBack(context, spending)
  if (claimed === undefined || shown === undefined)
    throw new PaymentRefusedError(said.status, said.detail, said.details)
  const voucher = ownVoucher(escrow, channel, { amount: shown, signature: said.details.signature })
  const mend = () =>
    store.update(channel.key, (now = channel) =>
      raised(voucher ? authorize(now, voucher) : now, claimed + reservedOn(context, channel.key)),
    )
  if (shown > authorized(known)) {
    if (!voucher || claimed > shown) throw new PaymentDisputedError(claimed, known.charged)
    await mend()
    return 'again'
  }
  if (claimed >= known.charged + price) {
    const isNews = voucher !== undefined && claimed <= shown && (await rememberAnew(context, channel))
    if (!isNews) throw new PaymentDisputedError(claimed, known.charged)
    await mend()
    return 'again'
  }
  if (offer.exact && voucher) await believeLess(context, spending, claimed)
  await store.update(channel.key, (now = channel) => raised(now, claimed))
  return 'again'
}

/** Whether nothing was known of the past of this channel. From now on something is. */
async function rememberAnew({ store }: Context, { key }: Channel): Promise<boolean> {
  const { opened, acknowledged } = await readAbout(store, key)
  if (opened !== undefined || acknowledged !== undefined) return false
  await writeAbout(store, key, (about) => ({ ...about, acknowledged: true }))
  return true
}

/** What the receiver shows, if our own signature is on it; undefined if not. */
function ownVoucher(
  escrow: AnyProtocol['escrow'],
  channel: Channel,
  { amount, signature }: { readonly amount: bigint; readonly signature: string | undefined },
): Voucher | undefined {
  if (!isHex(signature)) return undefined
  const digest = escrow.digester(deploymentOf(channel))(channel, amount)
  return recoverAddress(digest, signature) === channel.signer ? { cumulativeAmount: amount, signature } : undefined
}

function raised(channel: Channel, charged: bigint): Channel {
  return charged > channel.charged ? { ...channel, charged } : channel
}

function amount(digits: string | undefined): bigint | undefined {
  return digits !== undefined && /^(0|[1-9][0-9]{0,57})$/.test(digits) ? BigInt(digits) : undefined
}
