/** The channels of ChannelEscrow that are measured. They differ in their salts: small numbers, hashed. */
import { encodeAbiParameters, keccak256, numberToHex, zeroAddress } from 'viem'
import type { Address, Hash, Hex } from 'viem'
import { BALANCE, CHAIN_ID, type Node } from './gas.node.mts'

export const saltOf = (salt: number): Hash => keccak256(numberToHex(salt))

/** Words in a row, as `abi.encode` puts them. */
export function encode(types: readonly string[], values: readonly unknown[]): Hex {
  return encodeAbiParameters(
    types.map((type) => ({ type })),
    values,
  )
}

export type Channels = ReturnType<typeof channelsOf>

/** All between the node's sender and its receiver, in one token. */
export function channelsOf({ sender, receiver }: Node, escrow: Address, token: Address) {
  const domain = { name: 'EVM Payment Channel', version: '1', chainId: CHAIN_ID, verifyingContract: escrow }
  const idOf = (salt: number): Hash =>
    keccak256(
      encode(
        ['address', 'address', 'address', 'bytes32', 'address', 'address', 'uint256'],
        [sender.address, receiver.address, token, saltOf(salt), zeroAddress, escrow, BigInt(CHAIN_ID)],
      ),
    )
  return {
    idOf,
    domain,
    /** What a token transfer says that opens one. */
    terms: (salt: number) => encode(['address', 'bytes32', 'address'], [receiver.address, saltOf(salt), zeroAddress]),
    /** Cumulative. */
    voucher: async (salt: number, cumulativeAmount = BALANCE) => {
      const channelId = idOf(salt)
      const signature = await sender.signTypedData({
        domain,
        types: { Voucher: fields('bytes32 channelId', 'uint128 cumulativeAmount') },
        primaryType: 'Voucher',
        message: { channelId, cumulativeAmount },
      })
      return { channelId, cumulativeAmount, signature }
    },
  }
}

/** Of a struct of EIP-712. */
export function fields(...all: readonly string[]): { type: string; name: string }[] {
  return all.map((field) => {
    const [type = '', name = ''] = field.split(' ')
    return { type, name }
  })
}
