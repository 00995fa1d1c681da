/** Puts a contract on a chain, and says where it is. */
import { BaseError, keccak256, type Address, type Hash, type Hex, type LocalAccount } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { ConfigError, NoGasError } from '../base/faults.ts'
import { lower } from '../base/read.ts'
import type { Chain } from '../chain/chain.ts'
import { deploy } from '../chain/deploy.ts'
import { short, type Say } from './print.ts'

export type Created = { readonly address: Address; readonly transaction: Hash; readonly block: bigint }

export type Creation = {
  readonly chain: Chain
  /** The node that gets the transaction. */
  readonly rpc: string
  readonly privateKey: Hex
  /** Most wei per unit of gas. */
  readonly cap: bigint
  readonly say: Say
}

/**
 * Waits until it is mined.
 *
 * @param code creation code, constructor arguments included
 * @throws {NoGasError} | {@link ConfigError} if the chain does not take it
 */
export async function create({ chain, rpc, privateKey, cap, say }: Creation, code: Hex): Promise<Created> {
  const key = privateKeyToAccount(privateKey)
  if ((await chain.balance(key.address)) === 0n) throw new NoGasError(key.address)
  let hash: Hash | undefined
  const account: LocalAccount = {
    ...key,
    signTransaction: async (transaction, options) => {
      const { maxFeePerGas = 0n } = transaction
      if (maxFeePerGas > cap)
        throw new ConfigError(
          '--gas-price-cap',
          `is ${cap} wei, and the chain asks for up to ${maxFeePerGas}. Wait, or raise it`,
        )
      const signed = await key.signTransaction(transaction, options)
      hash = keccak256(signed)
      say(`sending transaction ${hash}`)
      return signed
    },
  }
  const address = lower(await sent(() => deploy(rpc, account, code), key.address))
  if (!hash) throw new Error('the contract is there, and nothing was signed for it')
  const { block } = await chain.waitMined(hash, { confirmations: 1 })
  say(`mined in block ${block}: ${short(address)}`)
  return { address, transaction: hash, block }
}

/** What is said of it in other words has the URL of the node in it, and that may have a key in it. */
async function sent<T>(send: () => Promise<T>, account: Address): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof BaseError)) throw error
    const own = error.walk((cause) => cause instanceof ConfigError)
    if (own instanceof ConfigError) throw own
    if (/insufficient funds/i.test(`${error.shortMessage} ${error.details}`)) throw new NoGasError(account)
    throw new ConfigError('chain', `does not take the contract: ${error.details || error.shortMessage}`)
  }
}
