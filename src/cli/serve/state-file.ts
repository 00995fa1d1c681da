/** Which file holds a receiver's channels. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from 'viem'
import { ConfigError } from '../../base/faults.ts'
import { homeFolder } from '../home.ts'
import type { Place } from './place.ts'

/**
 * Named by chain, contract and receiver, so that no two receivers meet in one.
 *
 * With two contracts the file that is there is meant, so that what was earned by
 * one rail is not left behind when the other is added.
 *
 * @throws {ConfigError} if each contract has one
 */
export function usualStateFile({ chainId, rails }: Place, receiver: Address): string {
  const paths = rails.map(({ address }) => join(homeFolder(), 'receivers', `${chainId}-${address}-${receiver}.db`))
  const [path = '', another] = paths.filter((path) => existsSync(path))
  if (another) {
    throw new ConfigError(
      '--state-file',
      `is needed: there are channels in ${path} and in ${another}. Serve one rail with each`,
    )
  }
  return path || (paths[0] ?? '')
}
