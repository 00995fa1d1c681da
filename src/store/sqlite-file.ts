/**
 * One SQLite file: created whole, checked before it is used, given back when it is closed.
 *
 * Opening never repairs, resets or overwrites: a ledger that is not what it was
 * is for a person to look at. The file is touched through SQLite only, because
 * closing any other descriptor of it would drop this process's locks.
 */
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite'
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, StoreUnavailableError } from '../base/faults.ts'
import { isBusy, openingFault } from './sqlite-faults.ts'
import { APPLICATION, create, PAGE, upgrades, VERSION } from './sqlite-schema.ts'

export type File = { readonly path: string; readonly db: DatabaseSyncInstance; readonly close: () => void }

/**
 * Opens the store at `location`, and makes a new one if nothing is there.
 *
 * Unless `shared`, this process has it for itself; the lock is the operating system's and ends with the process.
 *
 * @throws {ConfigError} for a file that is not ours
 * @throws {StoreInUseError} while another process holds it
 * @throws {StoreUnavailableError} for one that is damaged or cannot be written
 */
export function openFile(location: string, shared: boolean, busyTimeoutMs: number): File {
  const path = pathOf(location)
  try {
    if (existsSync(path) || hasLog(path)) verifyWhole(path)
    else create(path)
    const db = new DatabaseSync(path, { timeout: shared ? busyTimeoutMs : 0 })
    try {
      patiently(shared ? busyTimeoutMs : 0, () => own(path, db, shared))
    } catch (error) {
      db.close()
      throw error
    }
    held.add(db)
    return { path, db, close: () => close(db) }
  } catch (error) {
    throw openingFault(path, error)
  }
}

/**
 * The collector of garbage closes a database that nothing refers to, and with it goes its lock. A program that keeps
 * selling holds its store, whatever else it has let go.
 */
const held = new Set<DatabaseSyncInstance>()

function pathOf(location: string): string {
  if (location === ':memory:') {
    throw new ConfigError(
      'path',
      'a store in memory loses vouchers when the process ends. If that is meant, use memory().',
    )
  }
  if (location === '') throw new ConfigError('path', 'is empty. Name the file that keeps the channels.')
  return resolve(location)
}

/** SQLite takes an empty file for a new database and fills up a short last page with zeros. */
function verifyWhole(path: string): void {
  const logged = hasLog(path)
  const size = sizeOf(path)
  if (!existsSync(path)) {
    throw new StoreUnavailableError(
      `${path} is missing, but its log is there. Put the file back, or move the log away to start anew.`,
    )
  }
  if (size > 0 && (logged || size % PAGE === 0)) return
  throw new StoreUnavailableError(
    `${path} was cut off at ${size} bytes. Restore a backup; if it never held anything, delete it to start anew.`,
  )
}

function own(path: string, db: DatabaseSyncInstance, shared: boolean): void {
  db.exec(`PRAGMA locking_mode = ${shared ? 'NORMAL' : 'EXCLUSIVE'}`)
  const [application] = ask(db, 'application_id', 'pragma_application_id')
  if (application !== APPLICATION) {
    throw new ConfigError('path', `${path} is another program's database. Name another file.`)
  }
  upgrade(path, db)
  // fullfsync: without it macOS keeps in the drive what it calls synced.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON')
  const [journal] = ask(db, 'journal_mode', 'pragma_journal_mode')
  if (journal !== 'wal') {
    throw new StoreUnavailableError(
      `${path} is on a file system where SQLite cannot keep a log. Move it to a local disk.`,
    )
  }
  // Whoever may not write shall hear it now, not from the first payment. BEGIN alone does not tell.
  db.exec('BEGIN IMMEDIATE; DELETE FROM records WHERE FALSE; COMMIT')
}

/** Brings an older store up to date, whole or not at all, whoever else opens it at the same time. */
function upgrade(path: string, db: DatabaseSyncInstance): void {
  const versionNow = () => ask(db, 'user_version', 'pragma_user_version')[0]
  if (versionNow() === VERSION) return
  db.exec('BEGIN IMMEDIATE')
  try {
    for (let version = versionNow(); version !== VERSION; version = versionNow()) {
      const step = upgrades.get(version)
      if (step === undefined) {
        throw new ConfigError(
          'path',
          `${path} has version ${version}, this program knows ${VERSION}. Use the program that wrote it.`,
        )
      }
      db.exec(`${step}; PRAGMA user_version = ${Number(version) + 1}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/**
 * One row. Prepared statements live until the garbage collector finds them, and with them the locks of their
 * connection, even after close(); exec() leaves nothing behind.
 */
function ask(db: DatabaseSyncInstance, columns: string, from: string): readonly (string | number)[] {
  let row: readonly (string | number)[] = []
  db.function('farthing_row', { varargs: true }, (...values: (string | number)[]) => {
    row = values
    return null
  })
  db.exec(`SELECT farthing_row(${columns}) FROM ${from}`)
  return row
}

/**
 * For the reason given at {@link ask}, the lock is given back by leaving the log, which also leaves a single file.
 * While another process has the store open this does nothing, and need not.
 */
function close(db: DatabaseSyncInstance): void {
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE')
    db.exec('PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema')
  } catch {
    // What is durable stays in the log, where the next opening finds it.
  }
  db.close()
  held.delete(db)
}

/** SQLite waits for most locks by itself, but not for the one that starts or ends the log. */
function patiently(timeoutMs: number, act: () => void): void {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      act()
      return
    } catch (error) {
      if (!isBusy(error) || Date.now() >= end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

function hasLog(path: string): boolean {
  return sizeOf(`${path}-wal`) > 0 || sizeOf(`${path}-journal`) > 0
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
