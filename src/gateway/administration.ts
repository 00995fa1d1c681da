/** What an administrator orders. Who asks has been seen to. */
import { getAddress } from 'viem'
import { ChannelNotFoundError, PaymentUnsupportedError } from '../base/errors.ts'
import { messageOf } from '../base/log.ts'
import { closeAll, closeOne, getByOpening, listChannels, settleAll, type ClosedOrFailed } from '../receiver/admin.ts'
import type { Receiver } from '../receiver/receiver.ts'
import type { Settlement } from '../receiver/settle.ts'
import { list, ok, RefusedError, type Answer } from './answer.ts'
import { openingIn } from './channels.ts'
import type { Deed, Gateway } from './context.ts'
import { faultOf } from './fault.ts'
import type { Value } from './json.ts'
import { ordered } from './ordered.ts'
import type { Visit } from './route.ts'
import { openBlockOf, recordOf } from './view.ts'

/** Every channel of every rail, those that have ended too. */
export function listRecords({ receiver }: Gateway): Answer {
  return list(records(receiver))
}

/** Closes one channel on chain now. @throws {ChannelNotFoundError} | {@link RefusedError}, and what the wallet throws */
export async function closeChannel(gateway: Gateway, visit: Visit): Promise<Answer> {
  const { receiver, rail } = gateway
  requireKey(gateway)
  const { channel } = await getByOpening(receiver, rail, openingIn(visit))
  if (!channel) throw new ChannelNotFoundError()
  const closed = await alone(gateway, channel.key, () => closeOne(receiver, { rail, channel }))
  if (closed.outcome === 'no-voucher') throw new RefusedError(409, NO_VOUCHER)
  const { transaction, block, settled } = closed
  return ok({ transaction, block, balance: settled })
}

/** Closes every channel on chain now, also when nobody waits for the answer, and says of each what became of it. */
export function closeChannels(gateway: Gateway): Answer {
  const { receiver, underWay } = gateway
  requireKey(gateway)
  if (underWay.has('close all')) throw busy()
  underWay.add('close all')
  return list(
    ordered(closings(receiver), (error) => {
      underWay.delete('close all')
      if (error !== undefined) receiver.log('error', 'close-failed', { message: messageOf(error) })
    }),
  )
}

/** Settles every channel, and says of each what became of it. @throws {RefusedError} | {@link PaymentUnsupportedError} */
export async function settleChannels(gateway: Gateway): Promise<Answer> {
  requireKey(gateway)
  return ok((await alone(gateway, 'settle', () => settleAll(gateway.receiver))).map(settlementOf))
}

const NO_VOUCHER =
  'Nothing was ever paid on this channel, so there is nothing to close it with. Only its sender can end it; the deposit is its own.'

const FAILED = 'It failed. The log of the receiver has the reason.'

async function* records(receiver: Receiver): AsyncGenerator<Value> {
  for await (const found of listChannels(receiver)) yield recordOf(found)
}

async function* closings(receiver: Receiver): AsyncGenerator<Value> {
  for await (const one of closeAll(receiver)) yield closingOf(receiver, one)
}

function closingOf(receiver: Receiver, { channel, closed }: ClosedOrFailed): Value {
  const which = {
    channel: channel.key,
    sender_address: getAddress(channel.sender),
    open_block: openBlockOf(channel),
    outcome: closed.outcome,
  }
  if (closed.outcome === 'no-voucher') return { ...which, detail: NO_VOUCHER }
  if (closed.outcome === 'closed') {
    const { transaction, block, settled } = closed
    return { ...which, transaction, block, balance: settled }
  }
  receiver.log('error', 'close-failed', { channel: channel.id, message: messageOf(closed.error) })
  return { ...which, detail: faultOf(closed.error)?.message ?? FAILED }
}

function settlementOf({ channel, amount, transaction, ok: isSettled, reason, error }: Settlement): Value {
  const named = { channel, amount, transaction: transaction ?? null, ok: isSettled }
  if (isSettled) return named
  return { ...named, detail: (error === undefined ? reason : faultOf(error)?.message) ?? FAILED }
}

/** The same thing twice at once would be two transactions, one of which is paid for and reverts. */
async function alone<T>({ underWay }: Gateway, what: Deed, work: () => Promise<T>): Promise<T> {
  if (underWay.has(what) || underWay.has('close all')) throw busy()
  underWay.add(what)
  try {
    return await work()
  } finally {
    underWay.delete(what)
  }
}

function busy(): RefusedError {
  return new RefusedError(409, 'This is under way already. Wait for its answer.')
}

/** @throws {PaymentUnsupportedError} */
function requireKey({ receiver }: Gateway): void {
  if (receiver.wallet) return
  throw new PaymentUnsupportedError('transactions to send', 'It has no key. Give it a wallet.')
}
