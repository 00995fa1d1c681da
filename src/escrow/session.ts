/**
 * `ChannelEscrow`, and any escrow of the IETF draft for method `evm`, intent `session`.
 *
 * The wire's payer, payee and authorizedSigner are our sender, receiver and
 * signer; that translation happens in this file for everything on chain.
 *
 * @see draft-evm-session-00, "Escrow Contract" and "Voucher Format"
 */
import {
  decodeAbiParameters,
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  pad,
  zeroAddress,
  type Address,
  type Hash,
  type Hex,
} from 'viem'
import { bytesToHex, hexToBytes } from '../base/encode.ts'
import { lower } from '../base/read.ts'
import { keccak256 } from '../base/secp256k1.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { channelEscrowAbi as abi } from './abi/channel-escrow.ts'
import { domainSeparator, putHex, putNumber, typedDigester, typeHash } from './eip712.ts'
import type { Call, Deployment, Digest, Escrow, Identity } from './escrow.ts'
import { saltOf, wireSigner } from './session-identity.ts'
import { signedDeposits } from './session-signed.ts'
import { readChannel, readEvent, type SessionTerms } from './session-state.ts'

export const session: Escrow<SessionTerms> = {
  name: 'session',
  abi,
  signedBySender: false,
  contractSigners: true,
  closesAtLess: true,
  tooEarly: 'CloseNotReady',
  alreadySettled: 'AmountNotIncreasing',
  transfers: ['transferAndCall', 'transfer'],
  signed: signedDeposits,
  freshTerms: (salt) => ({ salt }),
  channelId,
  digester,
  consent: () => undefined,
  event: readEvent,
  topics: (of) => ('sender' in of ? [events, null, pad(of.sender)] : [events, null, null, pad(of.receiver)]),
  queries: {
    channel: ({ id }, at) => ({
      to: at.address,
      data: encodeFunctionData({ abi, functionName: 'getChannel', args: [id] }),
    }),
    challengePeriod: (at) => ({
      to: at.address,
      data: encodeFunctionData({ abi, functionName: 'CLOSE_GRACE_PERIOD' }),
    }),
    token: () => undefined,
    operator: (receiver, at) => ({
      to: at.address,
      data: encodeFunctionData({ abi, functionName: 'operatorOf', args: [receiver] }),
    }),
  },
  channel: ({ id }, answer, block, at) => readChannel(id, answer, block, at),
  challengePeriod: (answer) => ({ seconds: decodeAbiParameters([{ type: 'uint64' }], answer)[0] }),
  selfTest: (receiver, at) => {
    const salt = pad('0xfa')
    const identity = { sender: receiver, receiver, token: at.address, signer: receiver, terms: { salt } }
    const args = [receiver, receiver, at.address, salt, zeroAddress] as const
    const data = encodeFunctionData({ abi, functionName: 'computeChannelId', args })
    const expected = channelId(identity, at)
    return [
      {
        call: { to: at.address, data },
        what: 'it computes another channel id',
        passes: (answer) => lower(answer) === expected,
      },
    ]
  },
  calls: {
    open: (identity, deposit, at) => ({
      to: at.address,
      data: encodeFunctionData({
        abi,
        functionName: 'open',
        args: [identity.receiver, identity.token, deposit, saltOf(identity.terms), wireSigner(identity)],
      }),
    }),
    openByTransfer: (identity) =>
      encodeAbiParameters(
        [{ type: 'address' }, { type: 'bytes32' }, { type: 'address' }],
        [identity.receiver, saltOf(identity.terms), wireSigner(identity)],
      ),
    topUpByTransfer: (channel) => channel.id,
    topUp: (channel, amount) =>
      callTo(channel, encodeFunctionData({ abi, functionName: 'topUp', args: [channel.id, amount] })),
    settle: (channels, caller) => (channels.length === 0 ? [] : [{ call: settleAll(channels, caller), channels }]),
    settleGas: { fixed: 40_000n, each: 18_300n },
    setOperator: (operator, at) => ({
      to: at.address,
      data: encodeFunctionData({ abi, functionName: 'setOperator', args: [operator] }),
    }),
    close: (channel, amount) =>
      callTo(
        channel,
        encodeFunctionData({
          abi,
          functionName: 'close',
          args: [channel.id, amount, authorized(channel), signatureOf(channel)],
        }),
      ),
    requestClose: (channel, owed) =>
      callTo(channel, encodeFunctionData({ abi, functionName: 'requestClose', args: [channel.id, owed] })),
    withdraw: (channel) => callTo(channel, encodeFunctionData({ abi, functionName: 'withdraw', args: [channel.id] })),
  },
}

/** First topic of a log: any of the events that change a channel. */
const events: Hex[] = [
  'ChannelOpened',
  'TopUp',
  'Settled',
  'CloseRequested',
  'CloseRequestCancelled',
  'ChannelClosed',
].flatMap((eventName) => encodeEventTopics({ abi, eventName: eventName as 'ChannelOpened' }) as Hex[])

/** @see draft-evm-session-00, "Channel Identifier" */
function channelId(identity: Identity<SessionTerms>, at: Deployment): Hash {
  const words = ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'].map((type) => ({ type }))
  const encoded = encodeAbiParameters(words, [
    identity.sender,
    identity.receiver,
    identity.token,
    saltOf(identity.terms),
    wireSigner(identity),
    at.address,
    BigInt(at.chainId),
  ])
  return bytesToHex(keccak256(hexToBytes(encoded)))
}

const voucherType = typeHash('Voucher(bytes32 channelId,uint128 cumulativeAmount)')

function digester(at: Deployment): Digest {
  const digest = typedDigester(domainSeparator('EVM Payment Channel', '1', at))
  const voucher = Buffer.concat([voucherType, new Uint8Array(64)])
  return ({ id }, cumulativeAmount) => {
    putHex(voucher, id, 32)
    putNumber(voucher, cumulativeAmount, 64, 32)
    return digest(voucher)
  }
}

/** One transfer for all of them; a voucher that cannot be honoured is skipped with an event. */
function settleAll(channels: readonly Channel[], caller: Address): Call {
  const [first, ...more] = channels.map((channel) => ({
    channelId: channel.id,
    cumulativeAmount: authorized(channel),
    signature: signatureOf(channel),
  }))
  const [channel] = channels
  if (!channel || !first) throw new RangeError('there is nothing to settle')
  if (more.length > 0) {
    const { receiver, token } = channel
    const rows = [first, ...more]
    const data =
      caller === receiver
        ? encodeFunctionData({ abi, functionName: 'settleMany', args: [token, rows] })
        : encodeFunctionData({ abi, functionName: 'settleManyFor', args: [receiver, token, rows] })
    return callTo(channel, data)
  }
  const args = [first.channelId, first.cumulativeAmount, first.signature] as const
  return callTo(channel, encodeFunctionData({ abi, functionName: 'settle', args }))
}

/** A channel without a voucher can only be given up: the contract takes an empty signature for that. */
function signatureOf(channel: Channel): Hex {
  return channel.voucher?.signature ?? '0x'
}

function callTo(channel: Channel, data: Hex): Call {
  return { to: channel.escrow, data }
}
