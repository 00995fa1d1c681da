/**
 * Where `ChannelEscrow` is: for one challenge period at one address, on every chain that has it.
 *
 * The deterministic deployment proxy, a contract without an owner that most chains have, makes a contract at an address that
 * follows from its code and a salt alone (EIP-1014). So whoever comes first puts the escrow there, it does not matter
 * who, and everybody else knows where to look. Another version of the contract has another address.
 */
import { concat, getCreate2Address, zeroHash, type Address, type Hash, type Hex } from 'viem'
import { lower } from '../base/read.ts'
import { channelEscrowCreation } from './creation.ts'
import type { Call, Deployment } from './escrow.ts'

/** Seconds. For the escrow that is used where no other is named. */
export const CHALLENGE_PERIOD = 86_400n

/** The deterministic deployment proxy. Its whole input is a salt and creation code. */
export const PROXY: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c'

/**
 * Puts the proxy on a chain that has none: a transaction without a chain id that nobody has the key for, with a signature
 * made up. `sender` is who it is from by that, and has to hold `cost` wei before: its limit times its price, whatever it uses.
 */
export const proxyCreation: { readonly transaction: Hex; readonly sender: Address; readonly cost: bigint } = {
  transaction: concat([
    '0xf8a58085174876e800830186a08080b853',
    '0x604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0',
    '0x3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3',
    `0x1ba0${'22'.repeat(32)}a0${'22'.repeat(32)}`,
  ]),
  sender: '0x3fab184622dc19b6109349b94811493bf2a45362',
  cost: 100_000n * 100_000_000_000n,
}

/** @param challengePeriod seconds. @param salt for another escrow that is otherwise the same */
export function escrowAddress(challengePeriod: bigint, salt: Hash = zeroHash): Address {
  return lower(getCreate2Address({ from: PROXY, salt, bytecode: channelEscrowCreation(challengePeriod) }))
}

/** Puts the escrow there. Reverts where it is already. */
export function escrowCreationCall(challengePeriod: bigint, salt: Hash = zeroHash): Call {
  return { to: PROXY, data: concat([salt, channelEscrowCreation(challengePeriod)]) }
}

/** The escrow to use on a chain where no other is named, if it is there. `fromBlock`: nothing of it is older, as far as known. */
export function deploymentOn(chainId: number): Deployment & { readonly fromBlock?: bigint } {
  const fromBlock = began[chainId]
  return { chainId, address: escrowAddress(CHALLENGE_PERIOD), ...(fromBlock !== undefined && { fromBlock }) }
}

/** The blocks in which it was put on public chains, by chain. */
const began: Readonly<Record<number, bigint>> = {}
