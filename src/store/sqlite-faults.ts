/** What the database and the file system say, in words that tell the operator what to do. */
import { ConfigError, StoreInUseError, StoreUnavailableError } from '../base/faults.ts'

const notWritable = 'cannot be written. Make the file and its folder writable for this user.'
const full = 'has no room to grow. Make room on its disk.'
const locked = 'is locked by another process. Try again; if it stays so, find the process that holds it.'
const unreadable = 'could not be read or written. Look at the disk and at the limits of this process.'
const damaged = 'is damaged. Stop, keep the file, and restore a backup.'

/** SQLite's primary result codes. @see https://sqlite.org/rescode.html */
const BUSY = 5
const NOT_A_DATABASE = 26

const remedies: Readonly<Record<string, string>> = {
  [BUSY]: locked,
  8: notWritable,
  10: unreadable,
  11: damaged,
  13: full,
  14: 'cannot be opened. It has to be a file, in a folder that this user may write.',
  [NOT_A_DATABASE]: damaged,
  // The driver gives no code with what goes wrong while it reads several rows.
  'database is locked': locked,
  'disk I/O error': unreadable,
  'database disk image is malformed': damaged,
  EACCES: notWritable,
  EPERM: notWritable,
  EROFS: notWritable,
  ENOSPC: full,
  EDQUOT: full,
}

/** Runs what touches the database. @throws {StoreUnavailableError} for whatever it throws */
export function attempt<T>(path: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw unavailable(path, error)
  }
}

export function isBusy(error: unknown): boolean {
  return codeOf(error) === BUSY
}

/** For what goes wrong while a store is opened. */
export function openingFault(path: string, error: unknown): Error {
  if (error instanceof ConfigError) return error
  if (isBusy(error)) return new StoreInUseError(path)
  if (codeOf(error) !== NOT_A_DATABASE) return unavailable(path, error)
  return new ConfigError(
    'path',
    `${path} is not a Farthing store, or its beginning is damaged. Name another file, or restore a backup.`,
  )
}

function unavailable(path: string, error: unknown): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error
  const remedy = remedies[codeOf(error) ?? ''] ?? 'could not be used. See the cause.'
  return new StoreUnavailableError(`The store ${path} ${remedy}`, { cause: error })
}

/** SQLite's code without the extension in its upper bits, its message, or the file system's code. */
function codeOf(error: unknown): number | string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff
  if (!('code' in error) || typeof error.code !== 'string') return undefined
  return error.code === 'ERR_SQLITE_ERROR' ? error.message : error.code
}
