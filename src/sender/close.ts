/** How a sender ends a channel: together with its receiver, or alone. */
import type { Hash } from 'viem'
import { CallRevertedError } from '../base/faults.ts'
import { NotWithdrawableError, PaymentRefusedError } from '../base/spending.ts'
import type { Channel, WithdrawableAt } from '../channel/channel.ts'
import type { Payment } from '../channel/messages.ts'
import type { Mined } from '../chain/chain.ts'
import { choose } from './choose.ts'
import { chargedOf, closeByConsent, file, pairs, requireAgreed } from './consent.ts'
import { readAbout, type AnyProtocol, type Context } from './context.ts'
import { refresh } from './heal.ts'
import { signVoucher } from './spend.ts'

/** The transaction, where the receiver named it, and what came back to the sender, in base units. */
export type Closed = {
  readonly transaction: `0x${string}` | undefined
  readonly settled: bigint
  readonly refunded: bigint
}

/**
 * Asks the receiver to close, for what it charged. The rest of the deposit comes back at once.
 *
 * @param url any paid URL of the receiver; default: the one that was paid last
 * @throws {PaymentRefusedError} if the receiver does not close; the sender can still request the close alone
 */
export async function closeTogether(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  url?: string | URL,
): Promise<Closed> {
  const about = { ...(await readAbout(context.store, channel.key)), ...context.live.paidAt.get(channel.key) }
  const target = url ?? about.url
  if (target === undefined) throw new PaymentRefusedError(0, 'no URL of the receiver is known; name one', {})
  const { closing } = protocol.dialect
  const transaction =
    closing === 'by payment'
      ? await closeByPayment(context, protocol, channel, {
          target,
          method: url === undefined ? about.method : undefined,
        })
      : await closeByConsent(context, protocol, channel, { target, closing, echo: about.echo })
  const closed = await refresh(context, protocol, channel)
  return { transaction, settled: closed.settled, refunded: closed.deposit - closed.settled }
}

/** The receiver sends the transaction, and names it. */
async function closeByPayment(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  // The method that bought there: a route may have no other.
  { target, method = 'GET' }: { readonly target: string | URL; readonly method: string | undefined },
): Promise<Hash | undefined> {
  const unpaid = await context.fetch(target, { method: method === 'GET' ? 'HEAD' : method, redirect: 'manual' })
  await unpaid.body?.cancel()
  const { offer } = choose(context, unpaid, false)
  const headers = protocol.dialect.writePayment(offer, await closingPayment(context, channel))
  const response = await context.fetch(target, { method, headers: pairs(headers), redirect: 'manual' })
  await requireAgreed(response, protocol)
  const receipt = protocol.dialect.readReceipt(response.headers)
  await response.body?.cancel()
  if (receipt?.transaction) await context.chain.waitMined(receipt.transaction, { confirmations: 1 })
  return receipt?.transaction
}

/**
 * Starts the challenge period alone, and pays what is owed in the same transaction: by default all that the
 * receiver may have charged, or nothing where the token does not let it be paid. Works with nothing but the key and a
 * node.
 *
 * @param owed cumulative, in base units
 */
export async function requestClose(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  owed?: bigint,
): Promise<Mined> {
  const { escrow } = protocol
  const { charged, settled } = channel
  const honest = owed ?? (charged > settled ? charged : settled)
  const send = (amount: bigint) => context.wallet.send(escrow.calls.requestClose(channel, amount), { abi: escrow.abi })
  const mined = await send(honest).catch((error: unknown) => {
    // A receiver that its token blocks cannot be paid now, and must not keep its sender. It may still answer.
    if (owed !== undefined || honest === settled || !(error instanceof CallRevertedError)) throw error
    return send(settled)
  })
  await file(context, escrow, channel, mined)
  const filed = await context.store.get(channel.key)
  // Some contracts say when the rest can be taken only when they are asked.
  if (filed?.status === 'closing' && !filed.withdrawableAt) await refresh(context, protocol, filed)
  return mined
}

/** Takes the rest after the challenge period. @throws {NotWithdrawableError} before its end */
export async function withdraw(context: Context, { escrow }: AnyProtocol, channel: Channel): Promise<Mined> {
  const { withdrawableAt, status } = channel
  if (status !== 'closing') throw new NotWithdrawableError(status)
  try {
    const mined = await context.wallet.send(escrow.calls.withdraw(channel), { abi: escrow.abi })
    await file(context, escrow, channel, mined)
    return mined
  } catch (error) {
    // Only the chain's own clock counts, so it was asked.
    if (!(error instanceof CallRevertedError) || !error.reason.includes(escrow.tooEarly)) throw error
    throw new NotWithdrawableError(status, endOf(withdrawableAt))
  }
}

function endOf(at: WithdrawableAt | undefined): string {
  if (!at) return 'the challenge period'
  return 'time' in at ? new Date(Number(at.time) * 1000).toISOString() : `block ${at.block}`
}

async function closingPayment(context: Context, channel: Channel): Promise<Payment> {
  const known = (await context.store.get(channel.key)) ?? channel
  const voucher = await signVoucher(context, known, chargedOf(known))
  return { channelId: known.id, sender: known.sender, terms: known.terms, voucher, close: true }
}
