/** Passwords: from a file that only the user can read, or typed without an echo. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ConfigError } from '../base/faults.ts'
import { readSecretFile } from './home.ts'

/** @throws {ConfigError} if there is neither a file nor a terminal */
export async function readPassword(file: string | undefined, prompt: string): Promise<string> {
  if (file === undefined) return ask(prompt)
  return required(readSecretFile(file, '--password-file').replace(/\r?\n$/, ''))
}

/** Asked for twice, because nobody can look a lost password up. */
export async function readNewPassword(file: string | undefined): Promise<string> {
  const password = await readPassword(file, 'Password for the new key: ')
  if (file === undefined && (await ask('The same again: ')) !== password) {
    throw new ConfigError('password', 'was not the same twice. Nothing was written')
  }
  return password
}

async function ask(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new ConfigError('password', 'is needed and there is no terminal to ask. Use --password-file FILE')
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  process.stderr.write(prompt)
  try {
    return required(
      await new Promise<string>((resolve, reject) => {
        terminal.question('', resolve)
        terminal.once('close', () => reject(new ConfigError('password', 'was not given')))
      }),
    )
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

function required(password: string): string {
  if (password === '') throw new ConfigError('password', 'is empty. A key without one is a key for everybody')
  return password
}
