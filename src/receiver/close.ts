/**
 * The end of a channel: together with its sender, or in answer to a sender that leaves.
 *
 * Credit stops before anything is sent. The receiver takes what it charged, not
 * what was authorized, wherever the escrow lets it say so.
 */
import { ChannelNotOpenError, PaymentUnsupportedError, UnderpaidError } from '../base/errors.ts'
import { messageOf } from '../base/log.ts'
import type { Mined } from '../chain/chain.ts'
import { authorized, type Channel, type Voucher } from '../channel/channel.ts'
import { authorize } from '../channel/ledger.ts'
import type { Payment } from '../channel/messages.ts'
import type { Answer } from './answer.ts'
import type { Context } from './context.ts'
import { findRailOf, type Found } from './find.ts'
import type { AnyRail } from './rail.ts'
import { vary } from './refuse.ts'
import { receiptOf } from './sale.ts'

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
  return { status: 200, headers: [...receipt, ['Cache-Control', 'private, no-store'], vary(receiver)], body: '' }
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
    const call = rail.escrow.calls.close(final, amountOf(final))
    return await wallet.send(call, { abi: rail.escrow.abi, confirmations: 1 })
  } catch (error) {
    if (!left) live.leaving.delete(channel.key)
    throw error
  }
}

/**
 * Answers every requested close while its challenge period runs; what fails is tried again at the next call.
 * Where nothing is to be taken the sender may simply go.
 */
export async function answerCloses(receiver: Context): Promise<void> {
  const { live, store, log, wallet } = receiver
  if (!wallet) return
  for (const key of live.closing) {
    live.closing.delete(key) // no second answer while this one is under way
    const channel = await store.get(key)
    const rail = channel && findRailOf(receiver, channel)
    if (!rail || channel.status !== 'closing' || amountOf(channel) <= channel.settled) continue
    try {
      const mined = await close(receiver, rail, channel)
      log('info', 'close-answered', { channel: channel.id, transaction: mined.hash })
    } catch (error) {
      live.closing.add(key)
      log('error', 'close-answer-failed', { channel: channel.id, message: messageOf(error) })
      return
    }
  }
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
