/** What a µRaiden contract says of its channels: in events, and when it is asked. */
import { decodeFunctionResult, encodeEventTopics, type Address, type Hash, type Hex, type Log } from 'viem'
import { bytesToHex } from '../base/encode.ts'
import { MalformedPaymentError } from '../base/errors.ts'
import { lower } from '../base/read.ts'
import { keccak256 } from '../base/secp256k1.ts'
import { channelKey, type Channel, type Place } from '../channel/channel.ts'
import type { ChainEvent } from '../channel/events.ts'
import { raidenChannelsAbi as abi } from './abi/raiden-channels.ts'
import { putHex } from './eip712.ts'
import { addressIn, type Deployment, type Named } from './escrow.ts'

/** A channel is named by the block in which it was opened, so its name is not known before. */
export type RaidenTerms = { readonly openBlock?: number }

type Parties = Pick<Named<RaidenTerms>, 'sender' | 'receiver' | 'terms'>

/** Sender, receiver, and the block in four bytes. Hashing is synchronous, so one buffer serves every name. */
const named = Buffer.alloc(20 + 20 + 4)

/** @throws {MalformedPaymentError} for terms without the block */
export function channelId({ sender, receiver, terms }: Parties): Hash {
  putHex(named, sender, 0)
  putHex(named, receiver, 20)
  named.writeUInt32BE(openBlockOf(terms), 40)
  return bytesToHex(keccak256(named))
}

/** @throws {MalformedPaymentError} */
export function openBlockOf({ openBlock }: RaidenTerms): number {
  if (openBlock === undefined) throw new MalformedPaymentError('open block', 'is missing')
  return openBlock
}

const topics = {
  created: topicOf('ChannelCreated'),
  toppedUp: topicOf('ChannelToppedUp'),
  closeRequested: topicOf('ChannelCloseRequested'),
  settled: topicOf('ChannelSettled'),
  withdraw: topicOf('ChannelWithdraw'),
}

/** First topic of a log: any of the events that change a channel. */
export const eventTopics: Hex[] = Object.values(topics)

/**
 * The contract's *withdraw* is our settle; its *settle* and its cooperative close both end a channel.
 * What the receiver took and what was added are given as rises, and the block of an opening is the log's own.
 */
export function readEvent(log: Log, at: Deployment): ChainEvent | undefined {
  const [topic, sender, receiver, openBlock] = log.topics
  if (log.address.toLowerCase() !== at.address || log.blockNumber === null || !sender || !receiver) return undefined
  const place: Place = { block: log.blockNumber, ...(log.logIndex !== null && { logIndex: log.logIndex }) }
  const terms = { openBlock: Number(openBlock ? BigInt(openBlock) : log.blockNumber) }
  const named = nameOf(addressIn(sender), addressIn(receiver), terms)
  const key = channelKey(at.chainId, at.address, named.id)
  switch (topic) {
    case topics.created:
      return { type: 'opened', key, channel: channelOf(named, firstWord(log.data), place, at), ...place }
    case topics.toppedUp:
      return { type: 'toppedUpBy', key, added: firstWord(log.data), ...place }
    case topics.withdraw:
      return { type: 'settledBy', key, added: firstWord(log.data), ...place }
    case topics.closeRequested:
      return { type: 'closeRequested', key, stated: firstWord(log.data), ...place }
    case topics.settled:
      return { type: 'closed', key, settled: firstWord(log.data), ...place }
    default:
      return undefined
  }
}

/** What was settled counts as charged: a receiver that lost its ledger must not sell it again. */
export function readChannel(
  named: Named<RaidenTerms>,
  answer: Hex,
  block: bigint,
  at: Deployment,
): Channel<RaidenTerms> | undefined {
  const [, deposit, settleBlock, closeStated, settled] = decodeFunctionResult({
    abi,
    functionName: 'getChannelInfo',
    data: answer,
  })
  const known = { ...channelOf(named, deposit, { block }, at), settled, charged: settled }
  return settleBlock > 0
    ? { ...known, status: 'closing', closeStated, withdrawableAt: { block: BigInt(settleBlock) + 1n } }
    : known
}

function nameOf(sender: Address, receiver: Address, terms: RaidenTerms): Named<RaidenTerms> {
  return { sender, receiver, terms, id: channelId({ sender, receiver, terms }) }
}

function channelOf(
  { id, sender, receiver, terms }: Named<RaidenTerms>,
  deposit: bigint,
  place: Place,
  at: Deployment,
): Channel<RaidenTerms> {
  if (!at.token) throw new TypeError('the token of this contract is not known; ask it first')
  return {
    key: channelKey(at.chainId, at.address, id),
    id,
    chainId: at.chainId,
    escrow: lower(at.address),
    sender,
    receiver,
    token: lower(at.token),
    signer: sender,
    terms,
    status: 'open',
    deposit,
    settled: 0n,
    charged: 0n,
    ...place,
  }
}

function topicOf(
  eventName: 'ChannelCreated' | 'ChannelToppedUp' | 'ChannelCloseRequested' | 'ChannelSettled' | 'ChannelWithdraw',
) {
  const [topic] = encodeEventTopics({ abi, eventName })
  return topic
}

function firstWord(data: Hex): bigint {
  return BigInt(data.slice(0, 66))
}
