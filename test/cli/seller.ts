/** Sellers and buyers on one chain: key files, the options of a server, the environment of a buyer. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hex } from 'viem'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { newAccount } from '../support/market.ts'
import type { Home } from './farthing.ts'

export type Seller = { readonly address: Address; readonly privateKey: Hex; readonly keyFile: string }

/** One with coins and no tokens, whose key is in the clear: to open a keystore takes half a second. */
export async function newSeller(world: LocalChain, home: Home): Promise<Seller> {
  const account = await newAccount(world, 0n)
  const keyFile = join(home.folder, `${account.address}.hex`)
  writeFileSync(keyFile, `${account.privateKey}\n`, { mode: 0o600 })
  return { ...account, keyFile }
}

/** What says where and as whom to sell. */
export function placeOf(world: LocalChain, { keyFile }: Seller): string[] {
  const { anvil, escrow, raiden, token } = world
  return ['--rpc', anvil.url, '--escrow', escrow, '--contract', raiden, '--token', token, '--key-file', keyFile]
}

/** A buyer with tokens, by its environment. */
export async function newBuyerEnv(world: LocalChain): Promise<NodeJS.ProcessEnv & { readonly address: Address }> {
  const { address, privateKey } = await newAccount(world)
  const { anvil, escrow, raiden, token } = world
  const env = { FARTHING_RPC: anvil.url, FARTHING_ESCROW: `${escrow},${raiden}`, FARTHING_TOKEN: token }
  return { ...env, FARTHING_KEY: privateKey, address }
}

/** The path of a file with these routes. */
export function routesFile(home: Home, name: string, routes: object | string): string {
  const path = join(home.folder, name)
  writeFileSync(path, typeof routes === 'string' ? routes : JSON.stringify({ routes }))
  return path
}
