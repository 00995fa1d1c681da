/** How a sender ends a channel: together with its receiver, or alone. */
import { CallRevertedError } from '../base/faults.ts'
import { NotWithdrawableError, PaymentRefusedError } from '../base/spending.ts'
import { authorized, type Channel, type WithdrawableAt } from '../channel/channel.ts'
import { apply } from '../channel/events.ts'
import type { Payment } from '../channel/messages.ts'
import type { Mined } from '../chain/chain.ts'
import { deploymentOf, readAbout, type AnyProtocol, type Context } from './context.ts'
import { choose } from './fetch.ts'
import { refresh } from './heal.ts'
import { readRefusal } from './refusal.ts'

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
  const about = await readAbout(context.store, channel.key)
  const target = url ?? about.url
  if (target === undefined) throw new PaymentRefusedError(0, 'no URL of the receiver is known; name one', {})
  // The method that bought there: a route may have no other.
  const method = url === undefined ? (about.method ?? 'GET') : 'GET'
  const unpaid = await context.fetch(target, { method: method === 'GET' ? 'HEAD' : method, redirect: 'manual' })
  const { offer } = await choose(context, unpaid, false)
  const headers = protocol.dialect.writePayment(offer, await closing(context, protocol, channel))
  const lines = headers.map(([name, value]): [string, string] => [name, value])
  const response = await context.fetch(target, { method, headers: lines, redirect: 'manual' })
  const said = await readRefusal(response, protocol.dialect)
  await response.body?.cancel()
  if (said || !response.ok)
    throw new PaymentRefusedError(response.status, said?.detail ?? response.statusText, said?.details ?? {})
  const receipt = protocol.dialect.readReceipt(response.headers)
  if (receipt?.transaction) await context.chain.waitMined(receipt.transaction, { confirmations: 1 })
  const closed = await refresh(context, protocol, channel)
  return { transaction: receipt?.transaction, settled: closed.settled, refunded: closed.deposit - closed.settled }
}

/**
 * Starts the challenge period alone, and pays what is owed in the same transaction: by default all that the
 * receiver may have charged. Works with nothing but the key and a node.
 *
 * @param owed cumulative, in base units
 */
export async function requestClose(
  context: Context,
  { escrow }: AnyProtocol,
  channel: Channel,
  owed?: bigint,
): Promise<Mined> {
  const { charged, settled } = channel
  const honest = owed ?? (charged > settled ? charged : settled)
  const mined = await context.wallet.send(escrow.calls.requestClose(channel, honest), { abi: escrow.abi })
  await file(context, escrow, channel, mined)
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
    if (!(error instanceof CallRevertedError) || !error.reason.includes('CloseNotReady')) throw error
    throw new NotWithdrawableError(status, endOf(withdrawableAt))
  }
}

function endOf(at: WithdrawableAt | undefined): string {
  if (!at) return 'the challenge period'
  return 'time' in at ? new Date(Number(at.time) * 1000).toISOString() : `block ${at.block}`
}

async function closing({ store, signer }: Context, { escrow }: AnyProtocol, channel: Channel): Promise<Payment> {
  const known = (await store.get(channel.key)) ?? channel
  const amount = known.charged > authorized(known) ? authorized(known) : known.charged
  const digest = escrow.digester(deploymentOf(known))(known.id, amount)
  const voucher = { cumulativeAmount: amount, signature: await signer.sign(digest) }
  return { channelId: known.id, sender: known.sender, voucher, close: true }
}

async function file({ store }: Context, escrow: AnyProtocol['escrow'], channel: Channel, mined: Mined): Promise<void> {
  for (const log of mined.logs) {
    const event = escrow.event(log, deploymentOf(channel))
    if (event?.key === channel.key) await store.update(channel.key, (now) => apply(now ?? channel, event) ?? channel)
  }
}
