/** What is known before anything is asked of the person: account, token, channel, and where its total stands. */
import type { Hex } from 'viem'
import { challengeBlocks, channelAt, findChannel, tokenOf, tokensOf } from './escrow.ts'
import type { ChannelFacts, Desk, Token } from './escrow.ts'
import { removePayment, type Told } from './facts.ts'
import { forget, getRemembered, remember, type Remembered } from './records.ts'
import { isOwn } from './sign.ts'
import { quantity } from './wallet.ts'

/** Base units. */
export type View = {
  readonly desk: Desk
  readonly token: Token
  /** Tokens of the account. */
  readonly held: bigint
  /** Blocks of the challenge period. */
  readonly period: bigint
  readonly head: bigint
  readonly account: ChannelAccount | undefined
}

/** A channel, and what was signed on it. `credit` is signed and not charged yet. */
export type ChannelAccount = {
  readonly channel: ChannelFacts
  readonly total: bigint
  readonly signature: Hex | undefined
  readonly credit: bigint
  /** Nothing more was signed than is known here. */
  readonly complete: boolean
}

/** What came of the words of the server, which are read once for each page. */
export type Heard = { readonly total: bigint; readonly credit: bigint; readonly notice?: string }

/** undefined: the contract of the offer is not one that this page can pay with. */
export async function look(desk: Desk, hear: (desk: Desk, known: Remembered) => Heard): Promise<View | undefined> {
  const period = await challengeBlocks(desk)
  if (period === undefined) return undefined
  const [token, held, head] = await Promise.all([
    tokenOf(desk),
    tokensOf(desk),
    quantity(desk.wallet, 'eth_blockNumber'),
  ])
  return { desk, token, held, period, head, account: await accountOf(desk, hear) }
}

/** What the next payment signs in all, and what is then left. */
export function nextTotal({ total, credit }: ChannelAccount, price: bigint): bigint {
  return credit >= price ? total : total + price - credit
}

/** What was charged, as far as anybody here knows: a close is for this. */
export function owed({ channel, total, credit }: ChannelAccount): bigint {
  return total - credit > channel.settled ? total - credit : channel.settled
}

/**
 * Believes a total of the server if the account has signed it: one that is larger than ours, and the one that it
 * says is right. Anything else leaves our own records as they are.
 */
export function adopt(desk: Desk, known: Remembered, told: Told): Heard {
  const { voucher, refusal } = told
  if (!voucher || !isOwn(desk, known.openBlock, voucher)) {
    removePayment()
    const notice =
      'The server counts another total, but shows no signature of yours for it. The records of this browser stand.'
    return { total: known.total, credit: 0n, ...(refusal === 'underpaid' && { notice }) }
  }
  const { cumulativeAmount, signature } = voucher
  const differs = cumulativeAmount !== known.total
  if (differs && cumulativeAmount < known.total && refusal !== 'underpaid') return { total: known.total, credit: 0n }
  if (differs || !known.signature)
    remember(desk, { openBlock: known.openBlock, total: cumulativeAmount, signature, complete: true })
  const credit = told.credit < cumulativeAmount ? told.credit : cumulativeAmount
  const notice =
    'The server showed the last total that you have signed. It is counted from there. Nothing was paid yet.'
  return { total: cumulativeAmount, credit, ...(differs && refusal === 'underpaid' && { notice }) }
}

export const SHOWN =
  'The server showed the last total that you have signed. It is counted from there. Nothing was paid yet.'

async function accountOf(
  desk: Desk,
  hear: (desk: Desk, known: Remembered) => Heard,
): Promise<ChannelAccount | undefined> {
  const remembered = getRemembered(desk)
  const kept = remembered && (await channelAt(desk, remembered.openBlock))
  if (remembered && !kept) forget(desk)
  const channel = kept ?? (await findChannel(desk))
  if (!channel) return undefined
  const { openBlock, settled } = channel
  const fresh = { openBlock, total: settled, complete: false }
  if (!kept) remember(desk, fresh)
  const heard = hear(desk, getRemembered(desk) ?? fresh)
  const known = getRemembered(desk) ?? { ...fresh, total: heard.total }
  const credit = heard.total === known.total ? heard.credit : 0n
  // What the receiver took was signed, whatever else is known here.
  if (known.total < settled) return { channel, total: settled, signature: undefined, credit: 0n, complete: false }
  return { channel, total: known.total, signature: known.signature, credit, complete: known.complete }
}
