/** Puts a contract on a chain, and says where it is. */
import { BaseError, keccak256, type Address, type Hash, type Hex, type LocalAccount } from 'viem'
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts'
import { CallRevertedError, ConfigError, NoGasError, TransactionRevertedError } from '../base/faults.ts'
import { lower } from '../base/read.ts'
import type { Chain } from '../chain/chain.ts'
import { deploy } from '../chain/deploy.ts'
import { FeeTooHighError } from '../chain/errors.ts'
import { createWallet } from '../chain/wallet.ts'
import { PROXY, proxyCreation } from '../escrow/deployments.ts'
import type { Call } from '../escrow/escrow.ts'
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
 * Waits until it is mined. The address follows from the key and the number of its transactions.
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
      if (maxFeePerGas > cap) throw tooDear(cap, maxFeePerGas)
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

/**
 * The same by the deterministic deployment proxy. `proxy`: whether to put it there first, where it is not. undefined: another
 * put the contract there meanwhile.
 *
 * @param call of the proxy. @param address where it puts the contract
 * @throws {NoGasError} | {@link ConfigError} if the chain has no proxy and shall not get it, or does not take the contract
 */
export async function createBy(
  call: Call,
  address: Address,
  { chain, privateKey, cap, say, proxy }: Omit<Creation, 'rpc'> & { readonly proxy: boolean },
): Promise<Created | undefined> {
  const account = privateKeyToAccount(privateKey)
  if ((await chain.code(PROXY)) === '0x') {
    if (!proxy) throw new ConfigError('--proxy', `is needed. ${noProxy}`)
    say(`putting the deployment proxy on the chain, for ${proxyCreation.cost} wei`)
    await payForProxy(chain, account, cap)
    await putProxy(chain)
  }
  const wallet = createWallet({ chain, account, maxFeePerGas: cap })
  try {
    const onSent = (hash: Hash) => say(`sending transaction ${hash}`)
    const { hash, block } = await wallet.send(call, { confirmations: 1, onSent })
    say(`mined in block ${block}: ${short(address)}`)
    return { address, transaction: hash, block }
  } catch (error) {
    if (error instanceof FeeTooHighError) throw tooDear(error.most, error.base)
    const isReverted = error instanceof CallRevertedError || error instanceof TransactionRevertedError
    if (isReverted && (await chain.code(address)) !== '0x') return undefined
    throw error
  }
}

const noProxy =
  'This chain has no deterministic deployment proxy, with which the escrow has one address on every chain. --proxy puts it there first, for a hundredth of the chain’s coin; --plain does without, at an address of its own'

/** Nonces are counted from what is mined: nothing else of this key is on its way. */
async function payForProxy(chain: Chain, account: PrivateKeyAccount, cap: bigint): Promise<void> {
  const { sender: to, cost } = proxyCreation
  const value = cost - (await chain.balance(to))
  if (value <= 0n) return
  const [chainId, nonce, { base, tip }] = await Promise.all([
    chain.id(),
    chain.nonce(account.address, 'mined'),
    chain.fees(),
  ])
  const maxFeePerGas = 2n * base + tip
  if (maxFeePerGas > cap) throw tooDear(cap, maxFeePerGas)
  const fees = { gas: TRANSFER_GAS, maxFeePerGas, maxPriorityFeePerGas: tip }
  const signed = await account.signTransaction({ type: 'eip1559', chainId, nonce, to, value, ...fees })
  const { outcome, reason } = await chain.broadcast(signed)
  if (outcome === 'no-gas') throw new NoGasError(account.address)
  if (outcome !== 'accepted' && outcome !== 'unknown')
    throw new ConfigError('--proxy', `could not be paid for: ${reason ?? outcome}`)
  await chain.waitMined(keccak256(signed), { confirmations: 1 })
}

/** 21,000 and some: there are chains where calldata for their parents is in it. */
const TRANSFER_GAS = 100_000n

async function putProxy(chain: Chain): Promise<void> {
  const { outcome, reason } = await chain.broadcast(proxyCreation.transaction)
  if (outcome !== 'accepted' && outcome !== 'unknown')
    throw new ConfigError('--proxy', `is not possible here: the node refuses it, ${reason ?? outcome}. Use --plain`)
  await chain.waitMined(keccak256(proxyCreation.transaction), { confirmations: 1 })
}

function tooDear(cap: bigint, price: bigint): ConfigError {
  return new ConfigError('--gas-price-cap', `is ${cap} wei, and the chain asks for up to ${price}. Wait, or raise it`)
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
