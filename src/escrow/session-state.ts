/** What the escrow of the draft says of its channels: in events, and when it is asked. */
import { decodeEventLog, decodeFunctionResult, zeroAddress, type Address, type Hash, type Hex, type Log } from 'viem'
import { lower } from '../base/read.ts'
import { channelKey, type Channel } from '../channel/channel.ts'
import type { ChainEvent } from '../channel/events.ts'
import { channelEscrowAbi as abi } from './abi/channel-escrow.ts'
import type { Deployment } from './escrow.ts'

/**
 * The salt is known to whoever saw the channel open; the contract does not keep it.
 * `authorizedSigner` is the contract's own field, needed only where it names the sender itself: that gives
 * another channel id than leaving it out.
 */
export type SessionTerms = { readonly salt?: Hash; readonly authorizedSigner?: Address }

export function readEvent(log: Log, at: Deployment): ChainEvent | undefined {
  const [, id] = log.topics
  if (log.address.toLowerCase() !== at.address || log.blockNumber === null || id === undefined) return undefined
  const block = log.blockNumber
  const key = channelKey(at.chainId, at.address, id)
  const decoded = decode(log)
  switch (decoded?.eventName) {
    case 'ChannelOpened':
      return { type: 'opened', key, channel: opened(decoded.args, block, at), block }
    case 'TopUp':
      return { type: 'toppedUp', key, amount: decoded.args.newDeposit, block }
    case 'Settled':
      return { type: 'settled', key, amount: decoded.args.newSettled, block }
    case 'CloseRequested':
      return { type: 'closeRequested', key, withdrawableAt: { time: decoded.args.closeGraceEnd }, block }
    case 'CloseRequestCancelled':
      return { type: 'closeCancelled', key, block }
    case 'ChannelClosed':
      return { type: 'closed', key, settled: decoded.args.settledToReceiver, block }
    default:
      return undefined
  }
}

/**
 * What was settled counts as charged: a receiver that lost its ledger must not sell it again.
 * `withdrawableAt` is left to the event: the answer has the time of the request, not its end.
 */
export function readChannel(id: Hash, answer: Hex, block: bigint, at: Deployment): Channel<SessionTerms> | undefined {
  const state = decodeFunctionResult({ abi, functionName: 'getChannel', data: answer })
  if (state.sender === zeroAddress) return undefined
  const { deposit, settled } = state
  const status = state.finalized ? 'closed' : state.closeRequestedAt > 0n ? 'closing' : 'open'
  return { ...parties(state, id, at), terms: {}, status, deposit, settled, block, charged: settled }
}

function decode(log: Log) {
  try {
    return decodeEventLog({ abi, topics: log.topics, data: log.data })
  } catch {
    return undefined
  }
}

type Opened = {
  channelId: Hash
  sender: Address
  receiver: Address
  token: Address
  signer: Address
  salt: Hash
  deposit: bigint
}

function opened(args: Opened, block: bigint, at: Deployment): Channel<SessionTerms> {
  const { salt, deposit } = args
  return {
    ...parties(args, args.channelId, at),
    terms: { salt },
    status: 'open',
    deposit,
    settled: 0n,
    block,
    charged: 0n,
  }
}

function parties(of: Pick<Opened, 'sender' | 'receiver' | 'token' | 'signer'>, id: Hash, at: Deployment) {
  return {
    key: channelKey(at.chainId, at.address, id),
    id,
    chainId: at.chainId,
    escrow: lower(at.address),
    sender: lower(of.sender),
    receiver: lower(of.receiver),
    token: lower(of.token),
    signer: lower(of.signer === zeroAddress ? of.sender : of.signer),
  }
}
