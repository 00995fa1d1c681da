/** The receiver's key file: a V3 keystore, or the key in the clear as the original took it. */
import { existsSync } from 'node:fs'
import { ConfigError } from '../../base/faults.ts'
import { accountAt, accountOf, type Account } from '../account.ts'
import { readSecretFile } from '../../base/file.ts'
import { warn } from '../print.ts'
import { usualKey } from '../settings.ts'
import type { SellerOptions } from './options.ts'

/** @throws {ConfigError} if there is none, it is no key, or others can read it */
export function readKeyFile({ keyFile, passwordFile }: Pick<SellerOptions, 'keyFile' | 'passwordFile'>): Account {
  if (keyFile !== undefined && KEY.test(keyFile)) {
    throw new ConfigError('--key-file', 'takes a file. A key on a command line can be seen by others; put it in a file')
  }
  const file = keyFile ?? usualKey()
  if (keyFile === undefined && !existsSync(file)) {
    throw new ConfigError('--key-file', 'is needed: there is no key yet. Make one with `farthing keys new`')
  }
  const [, digits] = KEY.exec(readSecretFile(file, '--key-file')) ?? []
  if (digits === undefined) return accountAt(file, passwordFile, '--key-file')
  warn(`farthing: ${file} holds a key without a password. \`farthing keys new\` makes one that is encrypted.`)
  try {
    return accountOf(`0x${digits}`)
  } catch {
    throw new ConfigError('--key-file', `${file} holds 32 bytes that are no key`)
  }
}

const KEY = /^(?:0x)?([0-9a-fA-F]{64})\s*$/
