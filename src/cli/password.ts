/** Passwords: from a file that only the user can read, or typed without an echo. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ConfigError } from '../base/faults.ts'
import { readSecretFile } from '../base/file.ts'

/** @throws {ConfigError} if there is neither a file nor a terminal */
export async function readPassword(file: string | undefined, prompt: string): Promise<string> {
  if (file === undefined) return ask(prompt)
  return required(readSecretFile(file, '--password-file').replace(/\r?\n$/, ''))
}

/** Asked for twice, because nobody can look a lost password up. */
export async function readNewPassword(file: string | undefined): Promise<string> {
  return file === undefined ? askTwice('Password for the new key: ') : readPassword(file, '')
}

/** Typed twice, or the first line of standard input. */
export async function readGivenPassword(prompt: string): Promise<string> {
  if (process.stdin.isTTY) return askTwice(prompt)
  for await (const line of createInterface({ input: process.stdin })) return required(line)
  return required('')
}

async function askTwice(prompt: string): Promise<string> {
  const password = await ask(prompt)
  if ((await ask('The same again: ')) === password) return password
  throw new ConfigError('password', 'was not the same twice. Nothing was written')
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
  if (password === '') throw new ConfigError('password', 'is empty. What has no password is for everybody')
  return password
}
