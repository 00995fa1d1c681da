/** What puts an escrow on a chain: creation code with its arguments. */
import { concat, encodeAbiParameters, type Address, type Hex } from 'viem'
import { channelEscrowBytecode } from './abi/channel-escrow-bytecode.ts'
import { raidenChannelsBytecode } from './abi/raiden-channels-bytecode.ts'

/** @param challengePeriod seconds */
export function channelEscrowCreation(challengePeriod: bigint): Hex {
  return concat([channelEscrowBytecode, encodeAbiParameters([{ type: 'uint64' }], [challengePeriod])])
}

export type RaidenSettings = {
  /** The only token that the contract holds. */
  readonly token: Address
  /** Blocks, 500 at least. */
  readonly challengePeriod: number
  /** Contracts that may open channels for others. Whoever deploys can change them. */
  readonly trusted?: readonly Address[]
}

export function raidenChannelsCreation({ token, challengePeriod, trusted = [] }: RaidenSettings): Hex {
  const types = [{ type: 'address' }, { type: 'uint32' }, { type: 'address[]' }] as const
  return concat([raidenChannelsBytecode, encodeAbiParameters(types, [token, challengePeriod, trusted])])
}
