/** Finds anvil, or fetches it from npm. Only those who run `farthing dev` need it, so it is no dependency. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ConfigError } from '../../base/faults.ts'
import { findAnvil } from '../../chain/anvil.ts'
import type { Say } from '../print.ts'

const ANVIL = '@foundry-rs/anvil@1.7.1'

/** The path of the binary. @throws {ConfigError} that says how to get one */
export async function getAnvil(say: Say): Promise<string> {
  const found = findAnvil()
  if (found !== undefined) return found
  say(`There is no anvil (the local chain) on this machine. Fetching ${ANVIL} from npm with npx, once …`)
  try {
    // npx puts the package's commands on the PATH of what it runs.
    const { stdout } = await promisify(execFile)('npx', ['-y', '-p', ANVIL, '-c', 'command -v anvil'])
    const path = stdout.trim().split('\n').at(-1)
    if (path) return path
  } catch {
    // The reason is npm's, of any length and in its own words; the fix is the same.
  }
  throw new ConfigError(
    'anvil',
    `could not be fetched with npx. Install it with \`npm install -g ${ANVIL}\` or from https://getfoundry.sh, or set ANVIL_BIN to its path`,
  )
}
