/** The receiver's key file, as `farthing serve` would take it. Nobody is asked for a password. */
import { getAddress, type Address } from 'viem'
import { readSecretFile } from '../../base/file.ts'
import { readKeyFile } from '../serve/key.ts'
import type { SellerOptions } from '../serve/options.ts'
import { usualKey } from '../settings.ts'
import { look, type Looked } from './finding.ts'

/** The value is the receiver's address. A password file that was named has to open the key. */
export function lookAtKey(options: SellerOptions): Promise<Looked<Address>> {
  return look('key file', async () => {
    const account = readKeyFile(options)
    const file = options.keyFile ?? usualKey()
    const of = `${getAddress(account.address)} in ${file}`
    if (!readSecretFile(file, '--key-file').trimStart().startsWith('{')) {
      const fix = 'Whoever reads the file has the money. Make one with a password: `farthing keys new`'
      return { verdict: 'warn', detail: `${of}, not encrypted`, fix, value: account.address }
    }
    if (options.passwordFile !== undefined) await account.unlock()
    const opened = options.passwordFile === undefined ? '' : ', and the password opens it'
    return { verdict: 'ok', detail: `${of}, encrypted, for this user only${opened}`, value: account.address }
  })
}
