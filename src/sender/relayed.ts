/**
 * A deposit that the account signs and the receiver sends, so that it costs no coins here.
 *
 * What was handed over may take effect until its end, whatever the receiver says. So it is filed before, and as long as
 * it can take effect nothing else is put in for the same purpose but itself: handed over again, or sent by ourselves. An
 * open is the exception: any other way opens the same channel, which can be opened once. Whether it is in is read from
 * the chain, never from an answer.
 */
import type { Hash } from 'viem'
import { CallRevertedError, NoGasError } from '../base/faults.ts'
import { ownRecord } from '../base/read.ts'
import { DepositNotConfirmedError } from '../base/spending.ts'
import type { Mined } from '../chain/chain.ts'
import { channelKey } from '../channel/channel.ts'
import type { Payment, SignedDeposit } from '../channel/messages.ts'
import { PERMIT2 } from '../escrow/session-signed.ts'
import { authorizationState, isNonceUsed, nonceBitmap } from '../escrow/session-token.ts'
import { pause } from './announce.ts'
import type { Abilities, Context } from './context.ts'
import { signAuthorization, signForPermit2 } from './deposit-signed.ts'
import { readRefusal } from './refusal.ts'
import { idOf, send, signedCall, type Asking, type Deposit, type Handed } from './wanted.ts'

/** How often a receiver is asked, and how long the chain may take to show what it sent. */
const MOST_ASKED = 120
const MOST_UNCLEAR = 3
const MINING_MS = 120_000

/** undefined: it is not put in like this, and can be in another way. What is thrown is the end of it. */
export async function relayed(context: Context, deposit: Deposit, abilities: Abilities): Promise<Mined | undefined> {
  const { asking } = deposit
  const handed = deposit.handed ?? (asking && (await signAndFile(context, deposit, abilities, asking)))
  if (!handed) return undefined
  if (asking && (await handOver(context, deposit, handed.signed, asking))) return whenIn(context, deposit, handed)
  const call = signedCall(deposit, handed.signed)
  const mayBeSent = asking?.offer.funding?.includes('transaction') ?? true
  if (!call || !mayBeSent) return undefined
  try {
    return await send(context, deposit, call, 'deposit')
  } catch (error) {
    if (!(error instanceof CallRevertedError || error instanceof NoGasError)) throw error
    const mined = await findIn(context, deposit, handed, (await context.chain.head()).number)
    if (mined) return mined
    if (deposit.purpose.action === 'topUp') throw error
    return undefined
  }
}

/** What was handed over for these and may still take effect. */
export async function onItsWay(context: Context, of: Pair): Promise<OnItsWay | undefined> {
  const { chain, store } = context
  const record = await store.readRecord(nameOf(of))
  if (record === undefined) return undefined
  const { signed, block, about } = revived(record)
  const confirmed = await chain.block(await chain.confirmed())
  if (confirmed && confirmed.time <= endOf(signed)) return { signed, block, about }
  await forget(context, of)
  return undefined
}

/** It is in, or nothing of it can be any more. */
export function forget({ store }: Context, of: Pair): Promise<void> {
  return store.writeRecord(nameOf(of), () => undefined)
}

/** Whose deposits are meant. */
export type Pair = Pick<Deposit, 'token' | 'receiver'> & { readonly escrow: Deposit['at']['address'] }

/** What the deposit is for, as it is filed. */
export type About =
  | { readonly action: 'open'; readonly identity: (Deposit['purpose'] & { action: 'open' })['identity'] }
  | { readonly action: 'topUp'; readonly id: Hash }

async function signAndFile(
  context: Context,
  deposit: Deposit,
  abilities: Abilities,
  { offer }: Asking,
): Promise<Handed | undefined> {
  for (const by of offer.funding ?? []) {
    const sign = by === 'eip3009' ? signAuthorization : by === 'permit2' ? signForPermit2 : undefined
    const signed = await sign?.(context, deposit, abilities)
    if (!signed) continue
    const block = (await context.chain.head()).number
    const { purpose } = deposit
    const about: About =
      purpose.action === 'open'
        ? { action: 'open', identity: purpose.identity }
        : { action: 'topUp', id: purpose.channel.id }
    const { token, receiver, at } = deposit
    await context.store.writeRecord(nameOf({ token, receiver, escrow: at.address }), () => filed(signed, block, about))
    return { signed, block }
  }
  return undefined
}

/** Shows it to the receiver until it has sent it. false: it does not. */
async function handOver(
  context: Context,
  deposit: Deposit,
  signed: SignedDeposit,
  { offer, dialect, url, method }: Asking,
): Promise<boolean> {
  const payment = await paymentOf(context, deposit, signed)
  const headers = dialect.writePayment(offer, payment).map(([name, value]): [string, string] => [name, value])
  let unclear = 0
  for (let asked = 0; asked < MOST_ASKED; asked += 1) {
    const response = await context.fetch(url, { method, headers, redirect: 'manual' })
    const said = await readRefusal(response, dialect)
    await response.body?.cancel()
    // A voucher over nothing buys nothing; who says that has seen the channel.
    if (response.ok || said?.code === 'underpaid') return true
    if (said?.code !== 'channel-pending' && (said || (unclear += 1) > MOST_UNCLEAR)) return false
    await pause(context, said ?? { retryAfterSeconds: undefined, detail: `It answers ${response.status}.` }, undefined)
  }
  return true
}

async function paymentOf(context: Context, deposit: Deposit, funding: SignedDeposit): Promise<Payment> {
  const channelId = idOf(deposit)
  if (deposit.purpose.action === 'topUp') return { channelId, funding }
  const { sender, signer, terms, receiver } = deposit.purpose.identity
  const place = context.places.find(({ at }) => at.address === deposit.at.address)
  const digest = place?.digest({ id: channelId, sender, receiver, terms }, 0n)
  const signature = digest && (await context.signers.find(({ address }) => address === signer)?.sign(digest))
  if (!signature) throw new Error(`the key of the signer ${signer} is not here`)
  return { channelId, sender, signer, terms, receiver, voucher: { cumulativeAmount: 0n, signature }, funding }
}

async function whenIn(context: Context, deposit: Deposit, handed: Handed): Promise<Mined> {
  const { chain } = context
  const until = Date.now() + MINING_MS
  for (;;) {
    const mined = await findIn(context, deposit, handed, await chain.confirmed())
    if (mined) return mined
    if (Date.now() > until) throw new DepositNotConfirmedError(`the deposit into channel ${idOf(deposit)}`)
    const wait = { retryAfterSeconds: chain.pollMs / 1000, detail: 'The receiver has sent the deposit.' }
    await pause(context, wait, undefined)
  }
}

/** The transaction that put it in, as of `block`. undefined: none did. */
async function findIn(
  { chain, address }: Context,
  deposit: Deposit,
  { signed, block: fromBlock }: Handed,
  block: bigint,
): Promise<Mined | undefined> {
  const { token, at, escrow, purpose } = deposit
  if (block < fromBlock) return undefined
  const { nonce } = signed
  const isUsed =
    typeof nonce === 'bigint'
      ? isNonceUsed(await chain.call(nonceBitmap(PERMIT2, address, nonce), { block }), nonce)
      : BigInt(await chain.call(authorizationState(token, address, nonce), { block })) === 1n
  if (!isUsed) return undefined
  const key = channelKey(at.chainId, at.address, idOf(deposit))
  const type = purpose.action === 'open' ? 'opened' : 'toppedUp'
  const topics = escrow.topics({ sender: address })
  const logs = await chain.logs({ address: at.address, topics, fromBlock, toBlock: block })
  const hash = logs.findLast((log) => {
    const event = escrow.event(log, at)
    return event?.key === key && event.type === type
  })?.transactionHash
  return hash ? chain.mined(hash) : undefined
}

function endOf(signed: SignedDeposit): bigint {
  return signed.by === 'eip3009' ? signed.validBefore : signed.deadline
}

function nameOf({ escrow, receiver, token }: Pair): string {
  return `signed:${escrow}:${receiver}:${token}`
}

type OnItsWay = Handed & { readonly about: About }

/** With its numbers as text. */
type InText<T> = T extends unknown ? { readonly [name in keyof T]: T[name] extends bigint ? string : T[name] } : never

type Filed = { readonly signed: InText<SignedDeposit>; readonly block: string; readonly about: About }

function filed(signed: SignedDeposit, block: bigint, about: About): string {
  return JSON.stringify({ signed, block, about }, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
}

function revived(record: string): OnItsWay {
  const { signed, block, about } = ownRecord<Filed>(record)
  const amount = BigInt(signed.amount)
  const deposit: SignedDeposit =
    signed.by === 'eip3009'
      ? { ...signed, amount, validAfter: BigInt(signed.validAfter), validBefore: BigInt(signed.validBefore) }
      : { ...signed, amount, nonce: BigInt(signed.nonce), deadline: BigInt(signed.deadline) }
  return { signed: deposit, block: BigInt(block), about }
}
