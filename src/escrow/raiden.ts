/**
 * `RaidenChannels`, and any contract with the interface of µRaiden's
 * RaidenMicroTransferChannels 0.2.
 *
 * Its *withdraw* is our settle and its *settle* is our withdraw; they are
 * swapped here and nowhere else. What is signed is packed typed data from
 * before EIP-712: it names the contract and no chain, so a channel of the same
 * parties in the same block of another chain, where the contract has the same
 * address, would take the same voucher.
 */
import { decodeFunctionResult, encodeFunctionData, encodePacked, pad, type Address, type Hex } from 'viem'
import { hexToBytes } from '../base/encode.ts'
import { lower } from '../base/read.ts'
import { keccak256 } from '../base/secp256k1.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { raidenChannelsAbi as abi } from './abi/raiden-channels.ts'
import { concat, putHex, putNumber, typeHash } from './eip712.ts'
import type { Call, Deployment, Digest, Escrow, SelfTest } from './escrow.ts'
import { channelId, eventTopics, openBlockOf, readChannel, readEvent, type RaidenTerms } from './raiden-state.ts'

export const raiden: Escrow<RaidenTerms> = {
  name: 'raiden',
  abi,
  signedBySender: true,
  contractSigners: false,
  closesAtLess: false,
  tooEarly: 'ChallengePeriodNotOver',
  alreadySettled: 'BalanceNotIncreasing',
  transfers: ['transfer'],
  freshTerms: () => ({}),
  channelId,
  digester,
  consent: (channel, amount) =>
    packedDigester(closingType, 'Receiver closing signature', channel.escrow)(channel.sender, termsOf(channel), amount),
  event: readEvent,
  topics: (of) => ('sender' in of ? [eventTopics, pad(of.sender)] : [eventTopics, null, pad(of.receiver)]),
  queries: {
    channel: ({ sender, receiver, terms }, at) => {
      const args = [sender, receiver, openBlockOf(terms)] as const
      return { to: at.address, data: encodeFunctionData({ abi, functionName: 'getChannelInfo', args }) }
    },
    challengePeriod: (at) => ({ to: at.address, data: encodeFunctionData({ abi, functionName: 'challenge_period' }) }),
    token: (at) => ({ to: at.address, data: encodeFunctionData({ abi, functionName: 'token' }) }),
    operator: () => undefined,
  },
  channel: readChannel,
  challengePeriod: (answer) => ({
    blocks: BigInt(decodeFunctionResult({ abi, functionName: 'challenge_period', data: answer })),
  }),
  selfTest: (receiver, at) => [versionTest(at), keyTest(receiver, at)],
  calls: {
    open: ({ receiver }, deposit, at) => ({
      to: at.address,
      data: encodeFunctionData({ abi, functionName: 'createChannel', args: [receiver, deposit] }),
    }),
    openByTransfer: ({ sender, receiver }) => encodePacked(['address', 'address'], [sender, receiver]),
    topUpByTransfer: (channel) =>
      encodePacked(['address', 'address', 'uint32'], [channel.sender, channel.receiver, openBlockOf(termsOf(channel))]),
    topUp: (channel, amount) => {
      const args = [channel.receiver, openBlockOf(termsOf(channel)), amount] as const
      return callTo(channel, encodeFunctionData({ abi, functionName: 'topUp', args }))
    },
    settle: (channels) => channels.map((channel) => ({ call: settleOne(channel), channels: [channel] })),
    settleGas: { fixed: 0n, each: 51_000n },
    setOperator: () => undefined,
    close,
    requestClose: (channel, owed) => {
      const args = [channel.receiver, openBlockOf(termsOf(channel)), owed] as const
      return callTo(channel, encodeFunctionData({ abi, functionName: 'uncooperativeClose', args }))
    },
    withdraw: (channel) => {
      const args = [channel.receiver, openBlockOf(termsOf(channel))] as const
      return callTo(channel, encodeFunctionData({ abi, functionName: 'settle', args }))
    },
  },
}

const voucherType = typeHash('string message_idaddress receiveruint32 block_createduint192 balanceaddress contract')
const closingType = typeHash('string message_idaddress senderuint32 block_createduint192 balanceaddress contract')

function digester(at: Deployment): Digest {
  const digest = packedDigester(voucherType, 'Sender balance proof signature', at.address)
  return (channel, cumulativeAmount) => digest(channel.receiver, termsOf(channel), cumulativeAmount)
}

/** The other party, and the contract, stand for the channel: who signs is found by recovering. */
function packedDigester(type: Uint8Array, purpose: string, escrow: Address) {
  // Laid out once: party, block and amount are written between what stays. Hashing is synchronous.
  const values = Buffer.concat([Buffer.from(purpose), new Uint8Array(20 + 4 + 24), hexToBytes(escrow)])
  const message = concat(type, new Uint8Array(32))
  return (party: Address, terms: RaidenTerms, amount: bigint): Uint8Array => {
    putHex(values, party, purpose.length)
    values.writeUInt32BE(openBlockOf(terms), purpose.length + 20)
    putNumber(values, amount, purpose.length + 24, 24)
    message.set(keccak256(values), 32)
    return keccak256(message)
  }
}

function settleOne(channel: Channel): Call {
  const args = [openBlockOf(termsOf(channel)), authorized(channel), signatureOf(channel)] as const
  return callTo(channel, encodeFunctionData({ abi, functionName: 'withdraw', args }))
}

/** @throws {TypeError} without the receiver's consent, or a voucher over exactly `amount`: the contract needs both */
function close(channel: Channel, amount: bigint, consent: Hex | undefined): Call {
  if (!consent) throw new TypeError('this contract closes only with the signature of the receiver')
  if (channel.voucher?.cumulativeAmount !== amount) throw new TypeError(`there is no voucher over exactly ${amount}`)
  const args = [channel.receiver, openBlockOf(termsOf(channel)), amount, signatureOf(channel), consent] as const
  return callTo(channel, encodeFunctionData({ abi, functionName: 'cooperativeClose', args }))
}

/** The contract is of a version that this code was written for. */
function versionTest(at: Deployment): SelfTest {
  return {
    call: { to: at.address, data: encodeFunctionData({ abi, functionName: 'version' }) },
    what: 'its version is not 0.2',
    passes: (answer) => /^0\.2(\.|$)/.test(decodeFunctionResult({ abi, functionName: 'version', data: answer })),
  }
}

function keyTest(receiver: Address, at: Deployment): SelfTest {
  const named = { sender: at.address, receiver, terms: { openBlock: 0xfa } }
  const args = [named.sender, receiver, named.terms.openBlock] as const
  return {
    call: { to: at.address, data: encodeFunctionData({ abi, functionName: 'getKey', args }) },
    what: 'it computes another channel id',
    passes: (answer) => lower(answer) === channelId(named),
  }
}

/** Channels of this escrow were made by `readEvent` or `readChannel`, or by a store that keeps what those gave it. */
function termsOf({ terms }: Pick<Channel, 'terms'>): RaidenTerms {
  if (typeof terms !== 'object' || terms === null || !('openBlock' in terms)) return {}
  return typeof terms.openBlock === 'number' ? { openBlock: terms.openBlock } : {}
}

function signatureOf({ voucher }: Channel): Hex {
  if (!voucher) throw new TypeError('a channel without a voucher has nothing to take')
  return voucher.signature
}

function callTo(channel: Channel, data: Hex): Call {
  return { to: channel.escrow, data }
}
