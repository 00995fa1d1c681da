import { readFileSync } from 'node:fs'
import { hashTypedData, type Address, type Hash, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import type { UnsignedDeposit } from '../channel/messages.ts'
import { signedDeposits } from './session-signed.ts'
import type { Purpose, TokenDomain } from './escrow.ts'
import { readChannel, type SessionTerms } from './session-state.ts'
import { encodeAbiParameters } from 'viem'

type Signed = { readonly digest: Hash; readonly signature: Hex; readonly amount: string; readonly nonce: string }
type Vectors = {
  readonly inputs: Record<
    'payerKey' | 'payer' | 'payee' | 'signer' | 'token' | 'escrow' | 'salt' | 'topUpSalt',
    Hex
  > & {
    readonly chainId: number
  }
  readonly channelId: { readonly signerZero: Hash }
  readonly eip3009Nonce: Record<'open_signerZero' | 'open_signerKey3' | 'topUp_5000000', Hash>
  readonly eip3009: Signed & { readonly tokenDomain: TokenDomain; readonly message: Record<string, string> }
  readonly permit2: { readonly open: Signed & { deadline: string }; readonly topUp: Signed & { deadline: string } }
}
const vectors = JSON.parse(readFileSync('test/vectors/payment.json', 'utf8')) as Vectors
const { inputs, channelId, eip3009Nonce, eip3009, permit2 } = vectors
const lower = (address: Hex) => address.toLowerCase() as Address
const at = { chainId: inputs.chainId, address: lower(inputs.escrow) }
const from = lower(inputs.payer)
const identity = {
  sender: from,
  receiver: lower(inputs.payee),
  token: lower(inputs.token),
  signer: from,
  terms: { salt: inputs.salt },
}
const opening: Purpose<SessionTerms> = { action: 'open', identity }
const channelOf = (id: Hash) => {
  const words = ['bool', 'uint64', 'address', 'address', 'address', 'address', 'uint128', 'uint128']
  const values = [false, 0n, from, identity.receiver, identity.token, from, 1n, 0n]
  return readChannel(
    id,
    encodeAbiParameters(
      words.map((type) => ({ type })),
      values,
    ),
    1n,
    at,
  )!
}
const toppingUp: Purpose<SessionTerms> = { action: 'topUp', channel: channelOf(channelId.signerZero) }

describe('the nonce of an authorization is that of the vectors', () => {
  it('for an open, without and with a signer of its own', () => {
    expect(signedDeposits.nonce(opening, from, 1n, inputs.salt)).toBe(eip3009Nonce.open_signerZero)
    const delegated: Purpose<SessionTerms> = { action: 'open', identity: { ...identity, signer: lower(inputs.signer) } }
    expect(signedDeposits.nonce(delegated, from, 1n, inputs.salt)).toBe(eip3009Nonce.open_signerKey3)
  })
  it('for a top up', () => {
    expect(signedDeposits.nonce(toppingUp, from, 5_000_000n, inputs.topUpSalt)).toBe(eip3009Nonce.topUp_5000000)
  })
})

describe('what is signed is what the vectors sign', () => {
  const account = privateKeyToAccount(inputs.payerKey)
  const permitted = (action: 'open' | 'topUp'): UnsignedDeposit => {
    const { amount, nonce, deadline } = permit2[action]
    const numbers = { amount: BigInt(amount), nonce: BigInt(nonce), deadline: BigInt(deadline) }
    return { by: 'permit2', action, from, token: identity.token, ...numbers }
  }
  const { value, validAfter, validBefore } = eip3009.message
  const authorization: UnsignedDeposit = {
    by: 'eip3009',
    action: 'open',
    from,
    amount: BigInt(value!),
    validAfter: BigInt(validAfter!),
    validBefore: BigInt(validBefore!),
    nonce: eip3009Nonce.open_signerZero,
  }
  it.each([
    ['an authorization', opening, authorization, eip3009],
    ['an open by Permit2', opening, permitted('open'), permit2.open],
    ['a top up by Permit2', toppingUp, permitted('topUp'), permit2.topUp],
  ])('for %s', async (_what, purpose, deposit, vector) => {
    const message = signedDeposits.message(purpose, deposit, at, eip3009.tokenDomain)
    expect(hashTypedData(message)).toBe(vector.digest)
    expect(await account.signTypedData(message)).toBe(vector.signature)
  })
})
