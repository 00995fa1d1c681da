/** Where the command line keeps things: a folder that only its user may read. */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'

/** `FARTHING_HOME`, else `farthing` in the XDG state folder. */
export function homeFolder(env: NodeJS.ProcessEnv = process.env): string {
  const { FARTHING_HOME: home, XDG_STATE_HOME: state } = env
  if (home) return resolve(home)
  return join(state && isAbsolute(state) ? state : join(homedir(), '.local', 'state'), 'farthing')
}

export function makePrivateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

/** The text of a file with a secret. @throws {ConfigError} if it is missing, or others can read it */
export function readSecretFile(path: string, what: string): string {
  const file = open(path, what)
  try {
    const others = fstatSync(file).mode & 0o077
    if (others !== 0 && process.platform !== 'win32') {
      throw new ConfigError(what, `${path} can be used by others on this machine. Run \`chmod 600 ${path}\``)
    }
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function open(path: string, what: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw new ConfigError(what, messageOf(error).replace(/^E\w+: ([^,]*),.*/, `${path} cannot be read ($1)`))
  }
}
