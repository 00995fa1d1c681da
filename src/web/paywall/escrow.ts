/** The contract and the token of the offer, asked and told through the wallet. */
import type { Address, Hex } from 'viem'
import * as read from '../../base/read.ts'
import { addressAt, addressIn, callData, tail, textIn, uintAt, word } from './encoding.ts'
import type { Offer } from './facts.ts'
import { channelIdOf } from './signature.ts'
import { ask, call, quantity, WalletError, type Wallet } from './wallet.ts'

/** One account that looks at one offer through its wallet. */
export type Desk = { readonly wallet: Wallet; readonly account: Address; readonly offer: Offer }

export type Token = { readonly symbol: string; readonly decimals: number }

/** What the chain says of a channel. Base units; `settleBlock` 0: nobody has asked to close. */
export type ChannelFacts = {
  readonly openBlock: bigint
  readonly deposit: bigint
  readonly settled: bigint
  readonly settleBlock: bigint
}

type Asker = Pick<Desk, 'wallet' | 'offer'>

/** `ChannelCreated(address,address,uint192)` */
const OPENED = '0x986876e67d288f7b8bc5229976a1d5710be919feb66d2e1aec1bf3eadebba207'

/** Blocks to look back, when the wallet's node does not answer for all of them. */
const RANGES = [100_000n, 10_000n, 1_000n]

/** How many channels of one account are looked at, the newest first. */
const MOST_CHANNELS = 20

/** Blocks of the challenge period. undefined: at this address is no contract of this kind, or one for another token. */
export async function challengeBlocks({ wallet, offer }: Asker): Promise<bigint | undefined> {
  const token = await answerOf(wallet, offer.escrow, '0xfc0c546a')
  if (token.length < 66 || addressAt(token, 0) !== offer.token) return undefined
  const blocks = uintAt(await call(wallet, offer.escrow, '0x0a00840c'), 0)
  return blocks > 0n ? blocks : undefined
}

/** A token that does not name itself is counted in base units. */
export async function tokenOf({ wallet, offer }: Asker): Promise<Token> {
  const decimals = await answerOf(wallet, offer.token, '0x313ce567')
  if (decimals.length < 66 || uintAt(decimals, 0) > 77n) return { symbol: 'base units', decimals: 0 }
  const symbol = textIn(await answerOf(wallet, offer.token, '0x95d89b41')).slice(0, 12)
  return { symbol: symbol || 'tokens', decimals: Number(uintAt(decimals, 0)) }
}

export async function tokensOf({ wallet, account, offer }: Desk): Promise<bigint> {
  return uintAt(await call(wallet, offer.token, callData('0x70a08231', word(account))), 0)
}

/** undefined: there is none, or it has ended. */
export async function channelAt(desk: Desk, openBlock: bigint): Promise<ChannelFacts | undefined> {
  const { wallet, account, offer } = desk
  const id = channelIdOf(account, offer.receiver, openBlock).slice(2)
  const kept = await call(wallet, offer.escrow, callData('0x7a7ebd7b', id))
  if (uintAt(kept, 1) !== openBlock) return undefined
  const [closing, settled] = await Promise.all([
    call(wallet, offer.escrow, callData('0x77c13323', id)),
    call(wallet, offer.escrow, callData('0x22a3eab5', id)),
  ])
  return {
    openBlock,
    deposit: uintAt(kept, 0),
    settled: uintAt(settled, 0),
    settleBlock: uintAt(closing, 1),
  }
}

/** The newest channel that is open; else the newest that is closing. */
export async function findChannel(desk: Desk): Promise<ChannelFacts | undefined> {
  const blocks = await openings(desk)
  const newest = [...new Set(blocks)].sort((a, b) => (a < b ? 1 : -1)).slice(0, MOST_CHANNELS)
  let closing: ChannelFacts | undefined
  for (const openBlock of newest) {
    const channel = await channelAt(desk, openBlock)
    if (channel?.settleBlock === 0n && channel.deposit > 0n) return channel
    if (channel && channel.settleBlock > 0n) closing ??= channel
  }
  return closing
}

async function openings({ wallet, account, offer }: Desk): Promise<bigint[]> {
  const head = await quantity(wallet, 'eth_blockNumber')
  const topics = [OPENED, `0x${word(account)}`, `0x${word(offer.receiver)}`]
  for (const range of [head, ...RANGES]) {
    const fromBlock = `0x${(head > range ? head - range : 0n).toString(16)}`
    try {
      const logs = await ask(wallet, 'eth_getLogs', [{ address: offer.escrow, topics, fromBlock, toBlock: 'latest' }])
      return Array.isArray(logs) ? logs.map(blockOf) : []
    } catch (error) {
      if (!(error instanceof WalletError)) throw error
    }
  }
  return []
}

/** The block in which a mined transaction opened a channel of this desk. undefined: it did not. */
export function openBlockIn({ account, offer }: Desk, receipt: read.JsonObject): bigint | undefined {
  const logs = read.member(receipt, 'logs')
  const opened: unknown = (Array.isArray(logs) ? logs : []).find((log: unknown) => {
    const fields = read.object(log, 'log')
    const topics = read.member(fields, 'topics')
    if (!Array.isArray(topics) || read.address(read.member(fields, 'address'), 'log') !== offer.escrow) return false
    const [topic, sender, receiver] = topics.map((one: unknown) => read.hash(one, 'topic'))
    return topic === OPENED && isAddress(sender, account) && isAddress(receiver, offer.receiver)
  })
  return opened === undefined ? undefined : blockOf(opened)
}

/** Whether the token tells a contract of a transfer: then a deposit is one transaction. @see EIP-223 */
export async function tellsOfTransfers({ wallet, offer }: Desk): Promise<boolean> {
  return read.text(await ask(wallet, 'eth_getCode', [offer.token, 'latest']), 'code', 200_000).includes('be45fd62')
}

export type Call = { readonly to: Address; readonly data: Hex; readonly what: string }

/** What puts `amount` into a new channel, or into the one of `openBlock`. One transaction after the other. */
export async function depositCalls(desk: Desk, amount: bigint, openBlock?: bigint): Promise<Call[]> {
  const { wallet, account, offer } = desk
  const block = openBlock === undefined ? '' : openBlock.toString(16).padStart(8, '0')
  const parties: Hex = `0x${account.slice(2)}${offer.receiver.slice(2)}${block}`
  if (await tellsOfTransfers(desk)) {
    const data = callData('0xbe45fd62', word(offer.escrow), word(amount), word(96n), tail(parties))
    return [{ to: offer.token, data, what: 'the deposit' }]
  }
  const allowed = uintAt(await call(wallet, offer.token, callData('0xdd62ed3e', word(account), word(offer.escrow))), 0)
  const approve = (most: bigint, what: string): Call => {
    return { to: offer.token, data: callData('0x095ea7b3', word(offer.escrow), word(most)), what }
  }
  const put: Call =
    openBlock === undefined
      ? { to: offer.escrow, data: callData('0xa6d15963', word(offer.receiver), word(amount)), what: 'the deposit' }
      : {
          to: offer.escrow,
          data: callData('0x016a8cf6', word(offer.receiver), word(openBlock), word(amount)),
          what: 'the deposit',
        }
  if (allowed >= amount) return [put]
  const renewed = approve(amount, 'the permission to take the deposit')
  // Some tokens change a permission only from zero.
  return allowed > 0n ? [approve(0n, 'the end of an older permission'), renewed, put] : [renewed, put]
}

/** Ends the channel with both signatures: `amount` in all for the receiver, the rest for the sender. */
export function closeCall({ offer }: Desk, openBlock: bigint, amount: bigint, voucher: Hex, consent: Hex): Call {
  const first = tail(voucher)
  const words = [word(offer.receiver), word(openBlock), word(amount), word(160n), word(160n + BigInt(first.length / 2))]
  return { to: offer.escrow, data: callData('0x1c6f609b', ...words, first, tail(consent)), what: 'the close' }
}

/** Starts the challenge period. `amount`: what is owed in all. */
export function requestCloseCall({ offer }: Desk, openBlock: bigint, amount: bigint): Call {
  const data = callData('0x323cb59b', word(offer.receiver), word(openBlock), word(amount))
  return { to: offer.escrow, data, what: 'the request to close' }
}

/** Takes the rest after the challenge period. */
export function withdrawCall({ offer }: Desk, openBlock: bigint): Call {
  return {
    to: offer.escrow,
    data: callData('0x5a8e9d66', word(offer.receiver), word(openBlock)),
    what: 'the withdrawal',
  }
}

/** Empty where a contract has no such function. */
async function answerOf(wallet: Wallet, to: Address, data: Hex): Promise<string> {
  try {
    return await call(wallet, to, data)
  } catch (error) {
    if (error instanceof WalletError && (error.code === 3 || /revert/i.test(error.message))) return '0x'
    throw error
  }
}

function isAddress(topic: string | undefined, address: Address): boolean {
  return topic !== undefined && addressIn(BigInt(topic)) === address
}

function blockOf(log: unknown): bigint {
  return BigInt(read.text(read.member(read.object(log, 'log'), 'blockNumber'), 'blockNumber'))
}
