/**
 * Where the examples find a chain, its contracts and a key: the environment that the command line reads too, else the
 * `farthing dev` that runs on this machine.
 *
 * A program of your own has its own settings instead. Everything else stands in the examples themselves.
 */
import console from 'node:console'
import { join } from 'node:path'
import type { Address, LocalAccount } from 'viem'
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts'
import { homeFolder } from '../src/cli/home.ts'
import { readSettings } from '../src/cli/settings.ts'

/** Of the accounts on a local chain. Everybody knows it. */
const MNEMONIC = 'test test test test test test test test test test test junk'

export type Place = {
  /** Options of `createChain`. */
  readonly node: { readonly rpc: string; readonly confirmations?: number; readonly pollMs?: number }
  readonly chainId: number
  readonly escrow: Address
  readonly token: Address
  readonly account: LocalAccount
  /** Where a program keeps its channels: below `farthing dev` only as long as that runs. */
  readonly file: (program: string) => string
}

/**
 * The account is that of FARTHING_KEY. On a `farthing dev` it is the one that `farthing get` buys with, or, for whoever
 * sells, the one of this `number`.
 */
export async function readPlace(number?: number): Promise<Place> {
  const { env } = process
  const { chainId, escrows, tokens, account, dev } = await orEnd(readSettings({}))
  const [[escrow], [token], rpc] = [escrows, tokens, dev?.rpc ?? env.FARTHING_RPC]
  if (!escrow || !token || !rpc) throw new Error('readSettings names all three')
  const local = ['127.0.0.1', 'localhost'].includes(new URL(rpc).hostname)
  const acting =
    dev && number !== undefined
      ? mnemonicToAccount(MNEMONIC, { addressIndex: number })
      : privateKeyToAccount(await orEnd(account.unlock()))
  const folder = dev?.folder ?? homeFolder()
  return {
    node: { rpc, ...(local && { confirmations: 1, pollMs: 100 }) },
    chainId,
    escrow,
    token,
    account: acting,
    file: (program) => env.FARTHING_STATE ?? join(folder, `${program}-${chainId}-${acting.address}.db`),
  }
}

/** What is wrong here is wrong with the settings: that is said in one line. */
async function orEnd<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Error)) throw error
    console.error(error.message)
    if (process.env.FARTHING_RPC === undefined) console.error('Or start a chain in another terminal: npx farthing dev')
    process.exit(2)
  }
}
