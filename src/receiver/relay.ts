/**
 * Sends deposits that senders have signed, and pays the gas for them.
 *
 * Everything is checked first (relay-check.ts), counted (relay-state.ts) and simulated. Whether a deposit is in is read
 * from the chain and nowhere else: somebody else may have sent it, or this receiver before a restart. So whoever shows
 * the same deposit again waits for the first transaction, and never causes a second.
 *
 * @see draft-evm-session-00, "Open Verification" and "Top-Up Verification"
 */
import {
  ChannelNotFoundError,
  ChannelNotOpenError,
  DepositExceededError,
  InvalidSignatureError,
  PaymentUnsupportedError,
  TransactionRevertedPaymentError,
  WrongChannelError,
} from '../base/errors.ts'
import { CallRevertedError, NoGasError, TransactionRevertedError, TransactionUnknownError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import type { Wallet } from '../chain/chain.ts'
import { FeeTooHighError, TransactionRefusedError } from '../chain/errors.ts'
import type { Channel, Voucher } from '../channel/channel.ts'
import { merge } from '../channel/events.ts'
import type { Payment, SignedDeposit } from '../channel/messages.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Named } from '../escrow/escrow.ts'
import type { Context } from './context.ts'
import { agree, findChannel, identify, notDeepEnough, railsFor, type Found } from './find.ts'
import { lookAt } from './look.ts'
import { once, requireLikelySigner } from './lookup.ts'
import { keyOf, type AnyRail, type Rail } from './rail.ts'
import { checkFunds, checkSigned, checkTerms, isUsed, type Asked } from './relay-check.ts'
import { BY_ITSELF, count, uncount, type RelayLimits } from './relay-state.ts'
import { findWays } from './relay-ways.ts'

/**
 * The channel with the deposit in it.
 *
 * @throws {PaymentUnsupportedError} for a deposit that this receiver does not send; the sender still can
 * @throws {InvalidSignatureError} | {@link WrongChannelError} | {@link ChannelNotFoundError} | {@link ChannelNotOpenError}
 * @throws {ChannelPendingError} until the transaction is deep enough
 */
export async function relay<terms>(
  receiver: Context,
  dialect: Dialect<terms>,
  payment: Payment<terms>,
  deposit: SignedDeposit,
): Promise<Found> {
  return deposit.action === 'open'
    ? open(receiver, dialect, payment, deposit)
    : topUp(receiver, await findChannel(receiver, dialect, payment), deposit)
}

async function open<terms>(
  receiver: Context,
  dialect: Dialect<terms>,
  payment: Payment<terms>,
  deposit: SignedDeposit,
): Promise<Found> {
  const [rail] = railsFor(receiver, dialect, payment)
  if (!rail) throw new WrongChannelError('escrow')
  const id = identify(receiver, rail, payment)
  const known = await receiver.store.get(keyOf(rail, id))
  if (known) {
    agree(known, payment)
    return { rail, channel: known }
  }
  const { terms, voucher, receiver: paid = receiver.address } = payment
  if (paid !== receiver.address) throw new WrongChannelError('receiver')
  if (!terms || !voucher) throw new ChannelNotFoundError()
  const { from: sender } = deposit
  const identity = { sender, receiver: receiver.address, token: rail.token, signer: payment.signer ?? sender, terms }
  const named = { id, sender, receiver: receiver.address, terms }
  const asked = await readAsked(receiver, rail, { action: 'open', identity }, deposit, payment.offer?.price)
  await requireLikelySigner(receiver, rail, named, payment)
  await requireContractSigner(receiver, rail, named, { signer: identity.signer, voucher })
  if (voucher.cumulativeAmount > deposit.amount) {
    throw new DepositExceededError(voucher.cumulativeAmount, { sender, charged: 0n, deposit: deposit.amount })
  }
  const channel = await once(receiver, `relay:${id}`, () => put(receiver, asked, named))
  agree(channel, payment)
  return { rail, channel }
}

async function topUp(receiver: Context, { rail, channel }: Found, deposit: SignedDeposit): Promise<Found> {
  // Only its sender's own money makes a channel that is leaving stay.
  const stays = channel.status === 'open' && !receiver.live.leaving.has(channel.key)
  if (channel.status === 'closed' || (!stays && deposit.from !== channel.sender)) {
    throw new ChannelNotOpenError(channel.status === 'closed' ? 'closed' : 'closing')
  }
  const asked = await readAsked(receiver, rail, { action: 'topUp', channel }, deposit, 0n)
  const name = `relay:${channel.id}:${deposit.nonce}`
  return { rail, channel: await once(receiver, name, () => put(receiver, asked, channel)) }
}

/** @throws {PaymentUnsupportedError} where no deposits are sent for others, or not this one */
async function readAsked<terms>(
  receiver: Context,
  rail: Rail<terms>,
  purpose: Asked['purpose'],
  deposit: SignedDeposit,
  price = 0n,
): Promise<Asked> {
  const { signed } = rail.escrow
  const { limits, wallet } = receiver
  if (!limits.relay || !wallet || !signed) throw new PaymentUnsupportedError('a deposit of this kind', BY_ITSELF)
  const asked = { rail, signed, ways: await findWays(receiver, rail), purpose, deposit, price }
  checkTerms(receiver, limits.relay, asked)
  return asked
}

/** A contract is asked before, so that its channel is not paid for in vain. @throws {InvalidSignatureError} */
async function requireContractSigner(
  { chain }: Context,
  rail: AnyRail,
  named: Named<unknown>,
  { signer, voucher }: { readonly signer: Channel['signer']; readonly voucher: Voucher },
): Promise<void> {
  const digest = rail.digest(named, voucher.cumulativeAmount)
  if (recoverAddress(digest, voucher.signature) === signer) return
  const question = { signer, digest, signature: voucher.signature, escrow: rail.address }
  if (!(await chain.acceptsSignature(question))) throw new InvalidSignatureError()
}

async function put(receiver: Context, asked: Asked, named: Named<unknown>): Promise<Channel> {
  const { limits, wallet, chain } = receiver
  if (!limits.relay || !wallet) throw new PaymentUnsupportedError('a deposit of this kind', BY_ITSELF)
  const head = (await chain.head()).number
  if (!(await isIn(receiver, asked, named, head))) {
    await checkSigned(receiver, asked)
    if (await isUsed(receiver, asked, head)) {
      throw new InvalidSignatureError('The nonce of the deposit was used before. Sign with another one.')
    }
    await checkFunds(receiver, asked)
    await send(receiver, asked, named, { limits: limits.relay, wallet })
  }
  return whenDeep(receiver, asked, named)
}

/** Whether the deposit is in, whoever sent it. An open that finds its channel there is done: nobody else could have made it. */
async function isIn(receiver: Context, asked: Asked, named: Named<unknown>, block: bigint): Promise<boolean> {
  return asked.purpose.action === 'open'
    ? (await lookAt(receiver.chain, { rail: asked.rail, channel: named }, block)) !== undefined
    : isUsed(receiver, asked, block)
}

/** Resolves when it was mined; or when it turned out that there is nothing to send any more. */
async function send(
  receiver: Context,
  asked: Asked,
  named: Named<unknown>,
  { limits, wallet }: { readonly limits: RelayLimits; readonly wallet: Wallet },
): Promise<void> {
  const { rail, signed, purpose, deposit } = asked
  const { chain, live } = receiver
  const { abi } = rail.escrow
  const call = signed.call(purpose, deposit, rail)
  const intent = `relay:${named.id}:${deposit.nonce}`
  count(live.relays, limits, intent, deposit.from)
  let confirmations = 0
  try {
    const most = limits.gas ?? MOST_GAS
    // What is on its way is only waited for: a node that counts it as done would say that it cannot be done again.
    const isOnItsWay = (await wallet.pending()).some((pending) => pending.intent === intent)
    // With a bound, because a contract whose tokens they are may run for as long as it likes.
    const needed = isOnItsWay ? most : ((await chain.gas(call, { from: wallet.address, gas: most, abi })) * 6n) / 5n
    const onProgress = (depth: number) => (confirmations = depth)
    const wait = { timeoutMs: receiver.limits.fundingWaitMs, onProgress }
    await wallet.send(call, { abi, gas: needed < most ? needed : most, intent, ...wait })
  } catch (error) {
    if (error instanceof TransactionUnknownError) throw notDeepEnough(receiver, confirmations)
    if (await isIn(receiver, asked, named, (await chain.head()).number)) return
    // Somebody else's is on its way.
    if (error instanceof CallRevertedError && error.reason === signed.done) throw notDeepEnough(receiver, 0)
    if (!(error instanceof TransactionRevertedError)) uncount(live.relays, intent)
    throw refusalOf(receiver, error)
  }
}

const MOST_GAS = 1_000_000n

/** What a sender hears of a deposit that could not be sent. */
function refusalOf({ log }: Context, error: unknown): unknown {
  if (error instanceof TransactionRevertedError) return new TransactionRevertedPaymentError(error.hash)
  if (error instanceof CallRevertedError) {
    const why = /^\w{1,64}$/.test(error.reason) ? ` (${error.reason})` : ''
    return new PaymentUnsupportedError(
      `a deposit that the chain would refuse${why}`,
      'Nothing was sent. Sign another one.',
    )
  }
  const cannotPay = [NoGasError, FeeTooHighError, TransactionRefusedError].some((kind) => error instanceof kind)
  if (!cannotPay) return error
  log('error', 'relay-failed', { message: messageOf(error) })
  return new PaymentUnsupportedError('a deposit that it would have to send now', BY_ITSELF)
}

/** The channel, once the deposit in it is deep enough. @throws {ChannelPendingError} */
async function whenDeep(receiver: Context, asked: Asked, named: Named<unknown>): Promise<Channel> {
  const { chain, limits, store } = receiver
  const until = Date.now() + limits.fundingWaitMs
  for (;;) {
    const block = await chain.confirmed()
    const seen =
      (await isIn(receiver, asked, named, block)) && (await lookAt(chain, { rail: asked.rail, channel: named }, block))
    if (seen) return store.update(seen.key, (now) => (now ? merge(now, seen) : fits(receiver, asked.rail, seen)))
    if (Date.now() >= until) throw notDeepEnough(receiver, 0)
    await new Promise((resolve) => setTimeout(resolve, Math.min(chain.pollMs, limits.fundingWaitMs)))
  }
}

function fits(receiver: Context, rail: AnyRail, seen: Channel): Channel {
  if (seen.receiver !== receiver.address) throw new WrongChannelError('receiver')
  if (seen.token !== rail.token) throw new WrongChannelError('token')
  if (seen.status !== 'open') throw new ChannelNotOpenError(seen.status)
  return seen
}
