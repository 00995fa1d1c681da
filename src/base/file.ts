/** Files that an operator names: read as text, and refused with the fix where others could read a secret. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { ConfigError } from './faults.ts'
import { messageOf } from './log.ts'

/** @param field the setting that names the file. @throws {ConfigError} if it cannot be read */
export function readTextFile(path: string, field: string): string {
  return withFile(path, field, (file) => readFileSync(file, 'utf8'))
}

/** The text of a file with a secret. @throws {ConfigError} if it cannot be read, or others can use it */
export function readSecretFile(path: string, field: string): string {
  return withFile(path, field, (file) => {
    // Of the file that is open: its name may be given to another one meanwhile.
    if ((fstatSync(file).mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new ConfigError(field, `${path} can be used by others on this machine. Run \`chmod 600 ${path}\``)
    }
    return readFileSync(file, 'utf8')
  })
}

function withFile(path: string, field: string, read: (file: number) => string): string {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    return read(file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(field, messageOf(error).replace(/^E\w+: ([^,]*),.*/, `${path} cannot be read ($1)`))
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
