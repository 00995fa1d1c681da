/** Where the command line keeps things: a folder that only its user may read. */
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

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
