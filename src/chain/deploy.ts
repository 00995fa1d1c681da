/** Puts a contract on a chain. */
import { createWalletClient, http, publicActions, type Address, type Hex, type LocalAccount } from 'viem'

/**
 * Deploys and waits until it is mined.
 *
 * @param code creation code, constructor arguments included
 * @throws {Error} if the constructor reverts
 */
export async function deploy(rpc: string, account: LocalAccount, code: Hex): Promise<Address> {
  const wallet = createWalletClient({ account, transport: http(rpc), pollingInterval: 50 }).extend(publicActions)
  const hash = await wallet.sendTransaction({ chain: null, data: code })
  const { contractAddress, status } = await wallet.waitForTransactionReceipt({ hash })
  if (status !== 'success' || !contractAddress) throw new Error(`The constructor reverted in transaction ${hash}.`)
  return contractAddress
}
