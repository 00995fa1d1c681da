/**
 * A payment that carries an open or a top up: the sender has sent the transaction and names it, or has signed it and
 * this receiver sends it (relay.ts).
 *
 * Whatever can be checked without the chain is checked first. A replayed open
 * never resets what was charged: everything merges into what is known.
 *
 * @see draft-evm-session-00, "Open Verification" and "Top-Up Verification"
 */
import type { Hash } from 'viem'
import {
  ChannelNotFoundError,
  ChannelNotOpenError,
  ChannelPendingError,
  TransactionRevertedPaymentError,
  WrongChannelError,
} from '../base/errors.ts'
import { TransactionUnknownError } from '../base/faults.ts'
import type { Channel } from '../channel/channel.ts'
import { merge } from '../channel/events.ts'
import type { Payment, SentDeposit } from '../channel/messages.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Named } from '../escrow/escrow.ts'
import type { Context } from './context.ts'
import { agree, checkOffer, findChannel, identify, notDeepEnough, railsFor, retryAfter, type Found } from './find.ts'
import { lookAt } from './look.ts'
import { once, requireLikelySigner } from './lookup.ts'
import { keyOf, type Rail } from './rail.ts'
import { relay } from './relay.ts'

/**
 * The channel with the deposit in it.
 *
 * @throws {ChannelPendingError} until the transaction is deep enough
 * @throws {TransactionRevertedPaymentError} | {@link WrongChannelError} | {@link ChannelNotFoundError}
 */
export async function fund<terms>(receiver: Context, dialect: Dialect<terms>, payment: Payment<terms>): Promise<Found> {
  checkOffer(payment)
  const { funding } = payment
  if (!funding) throw new ChannelNotFoundError()
  if (funding.by !== 'transaction') return relay(receiver, dialect, payment, funding)
  return funding.action === 'open'
    ? open(receiver, dialect, payment, funding)
    : topUp(receiver, dialect, payment, funding)
}

async function open<terms>(
  receiver: Context,
  dialect: Dialect<terms>,
  payment: Payment<terms>,
  funding: SentDeposit,
): Promise<Found> {
  const [rail] = railsFor(receiver, dialect, payment)
  if (!rail) throw new ChannelNotFoundError()
  const id = identify(receiver, rail, payment)
  const known = await receiver.store.get(keyOf(rail, id))
  if (known) {
    agree(known, payment)
    return { rail, channel: known }
  }
  const { sender, terms } = payment
  if (!sender || !terms) throw new ChannelNotFoundError()
  const named = { id, sender, receiver: receiver.address, terms }
  await requireLikelySigner(receiver, rail, named, payment)
  const channel = await lookUp(receiver, rail, named, funding)
  agree(channel, payment)
  return { rail, channel }
}

async function topUp<terms>(
  receiver: Context,
  dialect: Dialect<terms>,
  payment: Payment<terms>,
  funding: SentDeposit,
): Promise<Found> {
  const { rail, channel } = await findChannel(receiver, dialect, payment)
  return { rail, channel: await lookUp(receiver, rail, channel, funding) }
}

/**
 * Looks whether a top up that nobody told us of covers `amount`, for a voucher whose signature was found good.
 *
 * Otherwise a sender that has just topped up would hear that its deposit is too small, and top up again.
 *
 * @throws {ChannelPendingError} if it is on chain and not deep enough, or cannot be looked for now
 */
export async function lookForTopUp(receiver: Context, { rail, channel }: Found, amount: bigint): Promise<void> {
  const pending = receiver.live.pending.get(channel.key)
  if (pending && pending.deposit >= amount) throw notDeepEnough(receiver, pending.confirmations)
  await once(receiver, `deposit:${channel.key}:${amount}`, async () => {
    const { chain, store } = receiver
    const head = (await chain.head()).number
    const deep = head - BigInt(chain.confirmations - 1)
    const seen = await lookAt(chain, { rail, channel }, deep > channel.block ? deep : channel.block)
    if (seen && seen.deposit >= amount) return store.update(channel.key, (now) => (now ? merge(now, seen) : seen))
    const newest = await lookAt(chain, { rail, channel }, head)
    if (newest && newest.deposit >= amount) throw notDeepEnough(receiver, 0)
    return channel
  })
}

async function adopt(receiver: Context, rail: Rail, named: Named<unknown>, hash: Hash): Promise<Channel> {
  const seen = await lookAt(receiver.chain, { rail, channel: named }, await waitDeep(receiver, hash))
  if (!seen) throw new ChannelNotFoundError()
  if (seen.receiver !== receiver.address) throw new WrongChannelError('receiver')
  if (seen.token !== rail.token) throw new WrongChannelError('token')
  if (seen.status !== 'open') throw new ChannelNotOpenError(seen.status)
  return receiver.store.update(seen.key, (now) => (now ? merge(now, seen) : seen))
}

/** Reads the channel once its transaction is deep enough. */
function lookUp(receiver: Context, rail: Rail, named: Named<unknown>, { hash }: SentDeposit): Promise<Channel> {
  return once(receiver, `${named.id}:${hash}`, () => adopt(receiver, rail, named, hash))
}

/** Waits a little, so that most senders need no second request. Returns the confirmed block to read at. */
async function waitDeep(receiver: Context, hash: Hash): Promise<bigint> {
  const { chain, limits } = receiver
  let confirmations = 0
  try {
    const wait = { timeoutMs: limits.fundingWaitMs, onProgress: (depth: number) => (confirmations = depth) }
    const mined = await chain.waitMined(hash, wait)
    if (mined.status === 'reverted') throw new TransactionRevertedPaymentError(hash)
    return await chain.confirmed()
  } catch (error) {
    if (error instanceof TransactionUnknownError) {
      throw new ChannelPendingError(confirmations, chain.confirmations, retryAfter(receiver))
    }
    throw error
  }
}
