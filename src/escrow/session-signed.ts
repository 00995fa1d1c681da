/**
 * Deposits into `ChannelEscrow` that a signature puts in (ERC-3009, Permit2), or that a permit saves an approval for.
 *
 * Each signature is bound to the one channel that it is for: the nonce of ERC-3009 and the witness of Permit2 say which,
 * and the contract computes both again. An opening can take effect once only, whoever sends it how often, because the
 * channel that it opens has the same id each time.
 *
 * @see draft-evm-session-00, "Credential Payloads" and "Relayed Profile"
 */
import {
  encodeAbiParameters,
  encodeFunctionData,
  keccak256,
  parseSignature,
  type Address,
  type Hash,
  type Hex,
  type TypedDataDefinition,
} from 'viem'
import type { SignedDeposit, UnsignedDeposit } from '../channel/messages.ts'
import { channelEscrowAbi as abi } from './abi/channel-escrow.ts'
import type { Call, Deployment, Permit, Purpose, SignedDeposits, TokenDomain } from './escrow.ts'
import { saltOf, wireSigner } from './session-identity.ts'
import type { SessionTerms } from './session-state.ts'

/** Permit2 is at the same address on every chain that has it. */
export const PERMIT2: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3'

type For = Purpose<SessionTerms>

export const signedDeposits: SignedDeposits<SessionTerms> = {
  done: 'ChannelAlreadyExists',
  nonce,
  message: (purpose, deposit, at, domain) =>
    deposit.by === 'eip3009' ? authorization(deposit, at, domain) : witnessed(purpose, deposit, at),
  call: (purpose, deposit, at) => ({
    to: at.address,
    data: deposit.by === 'eip3009' ? byAuthorization(purpose, deposit) : byPermit2(purpose, deposit),
  }),
  permitted,
}

function nonce(purpose: For, from: Address, amount: bigint, salt: Hash): Hash {
  if (purpose.action === 'open') {
    const { identity } = purpose
    const words = ['address', 'address', 'address', 'bytes32', 'address'].map((type) => ({ type }))
    const values = [from, identity.receiver, identity.token, saltOf(identity.terms), wireSigner(identity)]
    return keccak256(encodeAbiParameters(words, values))
  }
  const words = ['bytes32', 'uint128', 'address', 'bytes32'].map((type) => ({ type }))
  return keccak256(encodeAbiParameters(words, [purpose.channel.id, amount, from, salt]))
}

type Authorization<T> = T & { readonly by: 'eip3009' }
type ForPermit2<T> = T & { readonly by: 'permit2' }

/** @see EIP-3009, "Receive Authorization" */
function authorization(
  { from, amount, validAfter, validBefore, nonce }: Authorization<UnsignedDeposit>,
  { address }: Deployment,
  domain: TokenDomain | undefined,
): TypedDataDefinition {
  if (!domain) throw new TypeError('an authorization is signed in the domain of its token')
  return {
    domain,
    types: {
      ReceiveWithAuthorization: [
        { name: 'from', type: 'address' },
        { name: 'to', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'validAfter', type: 'uint256' },
        { name: 'validBefore', type: 'uint256' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'ReceiveWithAuthorization',
    message: { from, to: address, value: amount, validAfter, validBefore, nonce },
  }
}

/** The names in the witnesses are the draft's. */
const witnessTypes = {
  open: {
    ChannelOpenWitness: [
      { name: 'payee', type: 'address' },
      { name: 'salt', type: 'bytes32' },
      { name: 'authorizedSigner', type: 'address' },
    ],
  },
  topUp: { ChannelTopUpWitness: [{ name: 'channelId', type: 'bytes32' }] },
}

function witnessed(
  purpose: For,
  { amount, token, nonce, deadline }: ForPermit2<UnsignedDeposit>,
  { chainId, address }: Deployment,
): TypedDataDefinition {
  const { action } = purpose
  return {
    domain: { name: 'Permit2', chainId, verifyingContract: PERMIT2 },
    types: {
      PermitWitnessTransferFrom: [
        { name: 'permitted', type: 'TokenPermissions' },
        { name: 'spender', type: 'address' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
        { name: 'witness', type: action === 'open' ? 'ChannelOpenWitness' : 'ChannelTopUpWitness' },
      ],
      TokenPermissions: [
        { name: 'token', type: 'address' },
        { name: 'amount', type: 'uint256' },
      ],
      ...witnessTypes[action],
    },
    primaryType: 'PermitWitnessTransferFrom',
    message: { permitted: { token, amount }, spender: address, nonce, deadline, witness: witnessOf(purpose) },
  }
}

function witnessOf(purpose: For) {
  if (purpose.action === 'topUp') return { channelId: purpose.channel.id }
  const { identity } = purpose
  return { payee: identity.receiver, salt: saltOf(identity.terms), authorizedSigner: wireSigner(identity) }
}

function byAuthorization(purpose: For, deposit: Authorization<SignedDeposit>): Hex {
  const { from, amount, validAfter, validBefore, nonce, salt, signature } = deposit
  const signed = [validAfter, validBefore, nonce, signature] as const
  if (purpose.action === 'open') {
    const args = [...opening(purpose, amount), from, ...signed] as const
    return encodeFunctionData({ abi, functionName: 'openWithAuthorization', args })
  }
  const args = [purpose.channel.id, amount, from, saltOf(salt ? { salt } : {}), ...signed] as const
  return encodeFunctionData({ abi, functionName: 'topUpWithAuthorization', args })
}

function byPermit2(purpose: For, { from, amount, nonce, deadline, signature }: ForPermit2<SignedDeposit>): Hex {
  const signed = [from, nonce, deadline, signature] as const
  if (purpose.action === 'open') {
    const args = [...opening(purpose, amount), ...signed] as const
    return encodeFunctionData({ abi, functionName: 'openWithPermit2', args })
  }
  const args = [purpose.channel.id, amount, ...signed] as const
  return encodeFunctionData({ abi, functionName: 'topUpWithPermit2', args })
}

function permitted(purpose: For, amount: bigint, { deadline, signature }: Permit, { address }: Deployment): Call {
  const { r, s, yParity } = parseSignature(signature)
  const signed = [deadline, 27 + yParity, r, s] as const
  const data =
    purpose.action === 'open'
      ? encodeFunctionData({ abi, functionName: 'openWithPermit', args: [...opening(purpose, amount), ...signed] })
      : encodeFunctionData({ abi, functionName: 'topUpWithPermit', args: [purpose.channel.id, amount, ...signed] })
  return { to: address, data }
}

/** The arguments that all ways to open begin with. */
function opening({ identity }: For & { action: 'open' }, amount: bigint) {
  return [identity.receiver, identity.token, amount, saltOf(identity.terms), wireSigner(identity)] as const
}
