import { readFileSync } from 'node:fs'
import { hashTypedData, toFunctionSelector, type Address, type Hash, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { bytesToHex } from '../base/encode.ts'
import { channelEscrowAbi } from './abi/channel-escrow.ts'
import { session } from './session.ts'

type Vectors = {
  inputs: {
    payer: Address
    payee: Address
    signer: Address
    token: Address
    escrow: Address
    salt: Hash
    chainId: number
  }
  channelId: { signerZero: Hash; signerKey3: Hash }
  vouchers: { cumulativeAmount: string; digest: Hash }[]
  selectors: Record<string, Hex>
}
const { inputs, channelId, vouchers, selectors } = JSON.parse(
  readFileSync('test/vectors/payment.json', 'utf8'),
) as Vectors

const lower = (address: Address) => address.toLowerCase() as Address
const at = { chainId: inputs.chainId, address: lower(inputs.escrow) }
const identity = {
  sender: lower(inputs.payer),
  receiver: lower(inputs.payee),
  token: lower(inputs.token),
  signer: lower(inputs.payer),
  terms: { salt: inputs.salt },
}

describe('a channel id', () => {
  it('is the one of the vectors, without and with a signer of its own', () => {
    expect(session.channelId(identity, at)).toBe(channelId.signerZero)
    expect(session.channelId({ ...identity, signer: lower(inputs.signer) }, at)).toBe(channelId.signerKey3)
  })
  it('is another one where the sender names itself as the signer', () => {
    const explicit = { ...identity, terms: { ...identity.terms, authorizedSigner: identity.sender } }
    expect(session.channelId(explicit, at)).not.toBe(channelId.signerZero)
  })
  it('needs the salt', () => {
    expect(() => session.channelId({ ...identity, terms: {} }, at)).toThrow('salt is missing')
  })
})

describe('a digest', () => {
  const digest = session.digester(at)
  it.each(vouchers)('over $cumulativeAmount is the one of the vectors', (vector) => {
    expect(bytesToHex(digest({ ...identity, id: channelId.signerZero }, BigInt(vector.cumulativeAmount)))).toBe(
      vector.digest,
    )
  })
  it('is byte-equal to viem for any contract, chain, channel and amount', () => {
    for (const [chainId, amount] of [
      [1, 0n],
      [8453, 2n ** 64n + 1n],
      [2 ** 40, 2n ** 128n - 1n],
    ] as const) {
      const there = { chainId, address: lower(inputs.token) }
      const theirs = hashTypedData({
        domain: { name: 'EVM Payment Channel', version: '1', chainId, verifyingContract: there.address },
        types: {
          Voucher: [
            { name: 'channelId', type: 'bytes32' },
            { name: 'cumulativeAmount', type: 'uint128' },
          ],
        },
        primaryType: 'Voucher',
        message: { channelId: channelId.signerKey3, cumulativeAmount: amount },
      })
      expect(bytesToHex(session.digester(there)({ ...identity, id: channelId.signerKey3 }, amount))).toBe(theirs)
    }
  })
})

it('calls the mandatory functions of the draft by their selectors', () => {
  const ours = channelEscrowAbi.filter((item) => item.type === 'function').map((item) => toFunctionSelector(item))
  for (const name of [
    'open',
    'settle',
    'topUp',
    'close',
    'requestClose',
    'withdraw',
    'getChannel',
    'computeChannelId',
  ]) {
    const signature = Object.keys(selectors).find((key) => key.startsWith(`${name}(`))!
    expect(ours).toContain(selectors[signature])
  }
})
