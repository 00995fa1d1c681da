/** What a receiver's commands work with, besides its place: its key's wallet, and its store for as long as it is used. */
import { existsSync } from 'node:fs'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from 'viem'
import { ConfigError, StoreInUseError } from '../../base/faults.ts'
import type { Chain, Wallet } from '../../chain/chain.ts'
import { createWallet } from '../../chain/wallet.ts'
import { sqlite } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import type { SellerOptions } from './options.ts'

/** With `intents`, which is the state file's store, what an earlier run had on its way goes on. */
export function walletOf(
  chain: Chain,
  privateKey: Hex,
  { gasPriceCap, intents }: Pick<SellerOptions, 'gasPriceCap'> & { readonly intents?: Store },
): Wallet {
  return createWallet({
    chain,
    account: privateKeyToAccount(privateKey),
    ...(intents && { intents }),
    ...(gasPriceCap !== undefined && { maxFeePerGas: gasPriceCap }),
  })
}

/** @throws {StoreInUseError} while another process holds the file */
export async function withStateFile<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = sqlite(path)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** The state of a receiver that has sold already, and that nobody serves now. @throws {ConfigError} */
export async function withEarnings<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  if (!existsSync(path)) {
    throw new ConfigError(
      '--state-file',
      `there is none at ${path}. Name the one that the server has, with its chain and contracts`,
    )
  }
  try {
    return await withStateFile(path, work)
  } catch (error) {
    if (!(error instanceof StoreInUseError)) throw error
    throw new ConfigError(
      '--state-file',
      `${path} is in use: its server runs. Stop that first, or let it do this: --server URL --user NAME`,
    )
  }
}
