/** `farthing keys`: key files that only their owner can use. */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { ConfigError } from '../../base/faults.ts'
import { messageOf } from '../../base/log.ts'
import { accountAt } from '../account.ts'
import { hashPassword } from '../../gateway/gateway.ts'
import { exitHelp } from '../exit.ts'
import { makePrivateFolder } from '../home.ts'
import { encryptKey } from '../keystore.ts'
import { readGivenPassword, readNewPassword } from '../password.ts'
import { report } from '../print.ts'
import { usualKey } from '../settings.ts'

type NewOptions = { readonly passwordFile?: string; readonly json?: boolean }

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .summary('make and look at encrypted key files')
    .description('Makes and shows encrypted key files.')
    .helpCommand(false)
  keys
    .command('new')
    .description('makes a new key and writes it to a V3 keystore file that only you can read')
    .argument('[file]', 'where to (default: key.json in the folder of farthing, which other commands then use)')
    .option('--password-file <file>', 'its password, in a file that only you can read (FARTHING_PASSWORD_FILE)')
    .option('--json', 'print one JSON object: address, file')
    .addHelpText('after', help)
    .action(async (file: string | undefined, options: NewOptions) => newKey(file ?? usualKey(), options))
  keys
    .command('show')
    .description('prints the address of a key file, not the key; needs no password')
    .argument('[file]', 'key file (default: as for keys new)')
    .option('--json', 'print one JSON object: address, file')
    .addHelpText('after', help)
    .action((file: string | undefined, options: NewOptions) => showKey(file ?? usualKey(), options))
  keys
    .command('password-hash')
    .description(
      'prints what is kept of a password, for --users-file of `farthing serve`; reads it from the terminal or standard input',
    )
    .argument('[name]', 'the user; then the whole line name:hash is printed')
    .option('--json', 'print one JSON object: name, hash')
    .addHelpText('after', hashHelp)
    .action(async (name: string | undefined, options: NewOptions) => printHash(name, options))
}

const hashHelp = `
Examples:
  farthing keys password-hash ada >> users && chmod 600 users
  pass show shop/ada | farthing keys password-hash ada
${exitHelp}`

const help = `
Examples:
  farthing keys new
  farthing keys new shop-key.json --password-file password.txt
  farthing keys show shop-key.json
${exitHelp}`

async function newKey(file: string, { passwordFile, json }: NewOptions): Promise<void> {
  if (existsSync(file)) throw taken(file)
  const password = await readNewPassword(passwordFile ?? process.env['FARTHING_PASSWORD_FILE'])
  const privateKey = generatePrivateKey()
  const address = privateKeyToAddress(privateKey)
  write(file, encryptKey(privateKey, password))
  report(
    json,
    { address, file },
    `address  ${address}`,
    `file     ${file}`,
    'Whoever has the file and the password has the money; without both, nobody has. Keep a copy of them apart.',
  )
}

function showKey(file: string, { json }: NewOptions): void {
  const { address } = accountAt(file, undefined, 'file')
  report(json, { address, file }, address)
}

async function printHash(name: string | undefined, { json }: NewOptions): Promise<void> {
  if (name !== undefined && !/^[^:\s]+$/.test(name)) {
    throw new ConfigError('name', `${JSON.stringify(name)} has a colon or a space in it, which no user can have`)
  }
  const hash = await hashPassword(await readGivenPassword('Password of the user: '))
  report(json, { name: name ?? null, hash }, name === undefined ? hash : `${name}:${hash}`)
}

/** Never over another file: it may hold somebody's only key. */
function write(path: string, text: string): void {
  try {
    if (path === usualKey()) makePrivateFolder(dirname(path))
    const file = openSync(path, 'wx', 0o600)
    writeSync(file, `${text}\n`)
    closeSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw taken(path)
    throw new ConfigError('file', `${path} cannot be written: ${messageOf(error)}`)
  }
}

function taken(path: string): ConfigError {
  return new ConfigError('file', `${path} is there already. Name another`)
}
