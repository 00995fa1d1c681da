/** The account that a command acts for: looked at without its key, or unlocked. */
import { privateKeyToAccount, toAccount } from 'viem/accounts'
import type { Address, Hex, LocalAccount } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { readSecretFile } from '../base/file.ts'
import { addressIn, decryptKey } from './keystore.ts'
import { readPassword } from './password.ts'

export type Account = {
  /** Lower case. */
  readonly address: Address
  /** Asks for the password, if there is one. */
  unlock(): Promise<Hex>
}

export function accountOf(privateKey: Hex): Account {
  const address = privateKeyToAccount(privateKey).address.toLowerCase() as Address
  return { address, unlock: () => Promise.resolve(privateKey) }
}

/** From a key file; in the environment the key itself may stand. @throws {ConfigError} */
export function accountAt(file: string, passwordFile: string | undefined, field: string): Account {
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(file)) {
    if (field !== '--key') return accountOf(`0x${file.replace(/^0x/, '')}`)
    throw new ConfigError(
      '--key',
      'takes a file. A key on a command line can be seen by others; put it in FARTHING_KEY',
    )
  }
  const text = readSecretFile(file, field)
  const address = addressIn(text)
  if (!address)
    throw new ConfigError(field, `${file} does not name its address. Make a new file with \`farthing keys new\``)
  return {
    address,
    unlock: async () => {
      const privateKey = decryptKey(text, await readPassword(passwordFile, `Password for ${address}: `))
      if (accountOf(privateKey).address === address) return privateKey
      throw new ConfigError(field, `${file} names ${address} and holds the key of another account`)
    },
  }
}

/** Can be looked at, and signs nothing. */
export function watchOnly(address: Address): LocalAccount {
  const refuse = () => Promise.reject(new Error('this command does not sign'))
  return toAccount({ address, sign: refuse, signMessage: refuse, signTransaction: refuse, signTypedData: refuse })
}
