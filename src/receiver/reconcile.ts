/**
 * Compares the books with the chain, channel by channel.
 *
 * Everything here was seen by the follower already; this asks the contract itself, so that what was missed, written
 * wrongly, or put back from a backup is found by a machine and not by a sender. It changes nothing.
 *
 * The chain is asked at the block up to which the store has followed it. A channel that changes meanwhile is looked
 * at again.
 */
import { InvalidSignatureError } from '../base/errors.ts'
import type { Chain } from '../chain/chain.ts'
import { pause } from '../chain/pause.ts'
import { authorized, type Channel, type ChannelKey } from '../channel/channel.ts'
import { readCursor } from '../store/cursor.ts'
import type { Context } from './context.ts'
import { findRailOf, type Found } from './find.ts'
import { verifyVoucher } from './verify.ts'
import { lookAt } from './look.ts'

export type Disagreement = {
  /** A channel, or the contract that holds all of them. */
  readonly subject: string
  readonly what: string
  /** What the store says, and what the chain says, or what the store says elsewhere. */
  readonly ours: string
  readonly theirs: string
}

export type Compared = { readonly key: ChannelKey; readonly disagreements: readonly Disagreement[] }

/** Every channel that has not ended, in the order of the store; after `from`, where it is said and still there. */
export async function* reconcileChannels(books: Context, from?: ChannelKey): AsyncGenerator<Compared> {
  let skipping = from !== undefined && (await books.store.get(from)) !== undefined
  for await (const { key, status } of books.store.list()) {
    const isFrom = key === from
    if (!skipping && status !== 'closed') yield { key, disagreements: await compare(books, key) }
    if (isFrom) skipping = false
  }
}

/** Looks at a channel until store and chain were of one moment. */
const MOST_LOOKS = 5

async function compare(books: Context, key: ChannelKey): Promise<Disagreement[]> {
  let found: Disagreement[] = []
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    if (look > 0) await pause(books.chain.pollMs)
    const channel = await books.store.get(key)
    const rail = channel && findRailOf(books, channel)
    if (!rail || channel.status === 'closed') return []
    found = [...inItself(channel), ...(await withChain(books, { rail, channel }))]
    if (found.length === 0) return []
  }
  return found
}

/** @see Channel: `settled <= authorized <= deposit` and `charged <= authorized` */
function inItself(channel: Channel): Disagreement[] {
  const { key: subject, charged, deposit, settled, voucher } = channel
  const most = authorized(channel)
  const wrong: Disagreement[] = []
  if (charged > most) wrong.push({ subject, what: 'charged, beyond authorized', ours: `${charged}`, theirs: `${most}` })
  if (most > deposit) wrong.push({ subject, what: 'authorized, beyond deposit', ours: `${most}`, theirs: `${deposit}` })
  if (voucher && voucher.cumulativeAmount < settled)
    wrong.push({ subject, what: 'voucher, below settled', ours: `${voucher.cumulativeAmount}`, theirs: `${settled}` })
  return wrong
}

async function withChain(books: Context, { rail, channel }: Found): Promise<Disagreement[]> {
  const { chain, store } = books
  const cursor = await readCursor(store, rail)
  if (!cursor) return []
  const { key: subject } = channel
  const theirs = await lookAt(chain, { rail, channel }, await readableBlock(chain, cursor.block))
  if (!theirs) return [{ subject, what: 'status', ours: channel.status, theirs: 'no such channel' }]
  const facts = (['status', 'deposit', 'settled', 'receiver', 'token', 'signer'] as const).filter(
    (fact) => channel[fact] !== theirs[fact],
  )
  const wrong = facts.map((what) => ({ subject, what, ours: `${channel[what]}`, theirs: `${theirs[what]}` }))
  if (wrong.length > 0 || authorized(channel) <= channel.settled) return wrong
  return voucherIn(books, { rail, channel })
}

/** It was honoured when it came. A contract that signs may have changed its mind since. */
async function voucherIn(books: Context, { rail, channel }: Found): Promise<Disagreement[]> {
  const { voucher, ...bare } = channel
  if (!voucher) return []
  try {
    await verifyVoucher(books, { rail, channel: bare }, voucher)
    return []
  } catch (error) {
    if (!(error instanceof InvalidSignatureError)) throw error
    const theirs = 'its signature is not that of the signer'
    return [{ subject: channel.key, what: 'voucher', ours: `${voucher.cumulativeAmount}`, theirs }]
  }
}

/** Nodes forget what the state was some hundred blocks ago. Where nothing has happened since, now is as good. */
const FORGOTTEN = 64n

async function readableBlock(chain: Chain, block: bigint): Promise<bigint> {
  const confirmed = await chain.confirmed()
  return confirmed - block > FORGOTTEN ? confirmed : block
}
