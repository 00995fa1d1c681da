/**
 * Reads a SQLite store that another process has for itself, without a lock and without a word to that process.
 *
 * The file and its log are copied, and the copy is opened. That is sound as long as the log was not begun anew in
 * between: until then all that the file lacks, or got half of while it was copied, is in the log. SQLite itself would
 * wait for a lock that its holder never gives back, or take one that keeps the holder from starting again.
 *
 * It is for a look now and then. The copy is as large as the store, where the file system cannot share the blocks.
 *
 * @see https://sqlite.org/fileformat2.html#walformat
 */
import { constants } from 'node:fs'
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { sqlite } from './sqlite.ts'
import type { Store } from './store.ts'

/**
 * Gives `work` the store at `path` as it was a moment ago. What `work` writes is gone afterwards.
 *
 * @param folder where there is room for a copy; it has vouchers, so nobody else gets to see it
 * @throws {StoreUnavailableError} if it cannot be read. @throws {ConfigError} for a file that is not a store of ours
 */
export async function withSnapshot<T>(path: string, folder: string, work: (store: Store) => Promise<T>): Promise<T> {
  const aside = await mkdtemp(join(folder, 'snapshot-'))
  try {
    const copy = join(aside, 'store.db')
    await copyWhole(path, copy)
    const store = sqlite(copy, { shared: true })
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** A log is begun anew after thousands of commits, and a copy takes seconds at most. */
const MOST_ATTEMPTS = 20

/**
 * Copies file and log, again until both are of the same time.
 *
 * @param by what copies one file
 * @throws {StoreUnavailableError} if it cannot be read
 */
export async function copyWhole(path: string, copy: string, by = copyFile): Promise<void> {
  try {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const before = await eraOf(path)
      await rm(`${copy}-wal`, { force: true })
      await by(path, copy, constants.COPYFILE_FICLONE)
      if (before.log !== undefined) await by(`${path}-wal`, `${copy}-wal`, constants.COPYFILE_FICLONE)
      const after = await eraOf(path)
      if (before.era === after.era) return
    }
  } catch (cause) {
    throw new StoreUnavailableError(`The store ${path} cannot be read: ${messageOf(cause)}.`, { cause })
  }
  throw new StoreUnavailableError(`The store ${path} changes faster than it can be copied. Try again.`)
}

/** Bytes of a log's header: two of its numbers are drawn anew each time that the log begins. */
const HEADER = 32

/** Two looks with the same `era` saw the same log, or no log and the same file. A rollback journal is never copied. */
async function eraOf(path: string): Promise<{ readonly log: string | undefined; readonly era: string }> {
  const log = await headerOf(`${path}-wal`)
  if (log !== undefined) return { log, era: log }
  const [{ size, mtimeNs }, journal] = await Promise.all([stat(path, { bigint: true }), sizeOf(`${path}-journal`)])
  return { log, era: journal > 0 ? `journal ${performance.now()}` : `${size} ${mtimeNs}` }
}

async function headerOf(log: string): Promise<string | undefined> {
  if ((await sizeOf(log)) < HEADER) return undefined
  const file = await open(log, 'r')
  try {
    const { buffer } = await file.read(Buffer.alloc(HEADER), 0, HEADER, 0)
    return buffer.toString('hex')
  } finally {
    await file.close()
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}
