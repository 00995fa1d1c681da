/**
 * The end of a channel: together with its sender, or in answer to a sender that leaves.
 *
 * Credit stops before anything is sent. The receiver takes what it charged, not
 * what was authorized, wherever the escrow lets it say so.
 */
import { ChannelNotOpenError, PaymentUnsupportedError, UnderpaidError } from '../base/errors.ts'
import { messageOf } from '../base/log.ts'
import type { Hex } from 'viem'
import type { Mined, Wallet } from '../chain/chain.ts'
import { authorized, type Channel, type ChannelKey, type Voucher } from '../channel/channel.ts'
import { agreeToClose, authorize } from '../channel/ledger.ts'
import type { Payment } from '../channel/messages.ts'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'
import { findRailOf, type Found } from './find.ts'
import type { AnyRail } from './rail.ts'
import { receiptOf } from './sale.ts'
import { lookAt } from './look.ts'

/**
 * Closes on chain at the sender's wish and answers with the transaction. The voucher was verified.
 *
 * @throws {UnderpaidError} if it is for less than was charged
 * @throws {ChannelNotOpenError} | {@link PaymentUnsupportedError}
 */
export async function closeTogether(
  receiver: Context,
  { rail, channel }: Found,
  voucher: Voucher,
  payment: Payment,
): Promise<Answer> {
  if (!receiver.wallet) throw new PaymentUnsupportedError('a close', 'Request the close on chain; nothing is lost.')
  const kept = await receiver.store.update(channel.key, (now) => accept(now ?? channel, voucher))
  const mined = await close(receiver, rail, kept)
  const receipt = rail.dialect.writeReceipt({ ...receiptOf(kept, payment, 0n), transaction: mined.hash })
  return { status: 200, headers: [...receipt, ['Cache-Control', 'private, no-store'], receiver.vary], body: '' }
}

/**
 * Closes a channel for what was charged. Afterwards it is finished, whoever paid what.
 *
 * @throws what the wallet throws; then the channel is open for credit again
 */
export async function close(receiver: Context, rail: AnyRail, channel: Channel): Promise<Mined> {
  const { live, wallet, store } = receiver
  if (!wallet) throw new Error('this receiver has no key, so it cannot close channels')
  if (channel.status === 'closed') throw new ChannelNotOpenError('closed')
  const left = live.leaving.has(channel.key)
  live.leaving.add(channel.key)
  try {
    // An update waits for those before it: charges that were under way when credit stopped are in this one.
    const final = await store.update(channel.key, (now) => now ?? channel)
    const amount = closeTakes(rail, final)
    const call = rail.escrow.calls.close(final, amount, await consentTo(wallet, rail, final, amount))
    // Asked again, also after a restart, it is the same deed. A sender that leaves is answered at any price of gas that is urgent's.
    const intent = `close:${final.key}:${amount}`
    return await wallet.send(call, {
      abi: rail.escrow.abi,
      confirmations: 1,
      intent,
      urgent: final.status === 'closing',
    })
  } catch (error) {
    if (!left) live.leaving.delete(channel.key)
    throw error
  }
}

/**
 * Consents to a close that the sender then sends to the chain itself, at `amount`, cumulative. From then on nothing is
 * charged, after a restart too. Whoever asks was proven to be the sender.
 *
 * @throws {UnderpaidError} | {@link OverpaidError} for an amount that was not agreed on
 * @throws {ChannelNotOpenError} | {@link PaymentUnsupportedError}
 */
export async function agreeTo(receiver: Context, { rail, channel }: Found, amount: bigint): Promise<Hex> {
  const { live, store, wallet } = receiver
  const digest = rail.escrow.consent(channel, amount)
  if (!wallet || !digest) throw new PaymentUnsupportedError('a close of this kind', 'Request the close on chain.')
  await store.update(channel.key, (now) => agreeToClose(now ?? channel, amount))
  live.leaving.add(channel.key)
  return wallet.sign(digest)
}

async function consentTo(
  wallet: Wallet,
  { escrow }: AnyRail,
  channel: Channel,
  amount: bigint,
): Promise<Hex | undefined> {
  const digest = escrow.consent(channel, amount)
  return digest && wallet.sign(digest)
}

/**
 * Answers every requested close that takes too little, and those that nobody ends. Where nothing is to be taken the
 * sender may simply go. What fails is tried again at a later call, and holds up no other.
 */
export async function answerCloses(receiver: Context): Promise<void> {
  if (!receiver.wallet) return
  await Promise.all([...receiver.live.closing].map((key) => answerClose(receiver, key)))
}

/** Answers one requested close, if there is something to take and nobody has answered it yet. */
export async function answerClose(receiver: Context, key: ChannelKey): Promise<void> {
  const { live, store, log, chain, alarms } = receiver
  const channel = await store.get(key)
  const rail = channel && findRailOf(receiver, channel)
  if (!rail || channel.status !== 'closing' || closeTakes(rail, channel) <= channel.settled) {
    live.closing.delete(key)
    alarms.clear('close-requested', key)
    return
  }
  if (isLeftToSender(receiver, channel) || !live.answers.begin(key)) return
  try {
    const now = await lookAt(chain, { rail, channel })
    if (now?.status === 'closing') {
      const mined = await close(receiver, rail, channel)
      log('info', 'close-answered', { channel: channel.id, transaction: mined.hash })
    }
    live.answers.end(key, 'sent')
  } catch (error) {
    live.answers.end(key, 'failed')
    log('error', 'close-answer-failed', { channel: channel.id, message: messageOf(error) })
  }
}

/** Cumulative: what the receiver has after a close by its own transaction. */
export function closeTakes({ escrow }: AnyRail, channel: Channel): bigint {
  return escrow.closesAtLess ? amountOf(channel) : authorized(channel)
}

/** Blocks that a sender which stated enough is given to end its channel, from the block of its request. */
const LEFT_TO_SENDER = 50_000n

/** Where the sender has stated all that it owes, ending the channel pays the receiver; it costs only the sender. */
export function isLeftToSender({ live }: Context, { closeStated, charged, block }: Channel): boolean {
  return closeStated !== undefined && closeStated >= charged && live.head < block + LEFT_TO_SENDER
}

function accept(now: Channel, voucher: Voucher): Channel {
  if (now.status !== 'open') throw new ChannelNotOpenError(now.status)
  if (voucher.cumulativeAmount < now.charged) {
    throw new UnderpaidError({ least: now.charged, got: voucher.cumulativeAmount, price: 0n, channel: now })
  }
  return voucher.cumulativeAmount <= now.deposit ? authorize(now, voucher) : now
}

/** What was charged, as far as it was authorized and not below what was settled. */
function amountOf(channel: Channel): bigint {
  const { charged, settled } = channel
  const most = authorized(channel)
  return charged > most ? most : charged < settled ? settled : charged
}
