/** What a server needs of the disk that its state file is on. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError } from '../../base/faults.ts'
import { messageOf } from '../../base/log.ts'
import { median } from './engine.ts'
import { look, type Looked } from './finding.ts'

/** Imported here and not above: without its driver all the other checks shall go on. */
export function lookAtDriver(): Promise<Looked<void>> {
  return look('SQLite', async () => {
    try {
      const { DatabaseSync } = await import('@photostructure/sqlite')
      const db = new DatabaseSync(':memory:')
      const row: unknown = db.prepare('SELECT sqlite_version() AS version').get()
      db.close()
      const version = typeof row === 'object' && row !== null && 'version' in row ? String(row.version) : ''
      return { verdict: 'ok', detail: version, value: undefined }
    } catch (error) {
      const platform = `${process.platform}-${process.arch}`
      throw new Error(
        `its driver does not load on ${platform} (${firstLine(error)}). Run \`npm rebuild @photostructure/sqlite\``,
        { cause: error },
      )
    }
  })
}

const COMMITS = 20
const ENOUGH_MS = 2_000
const SLOW_MS = 20

/** Writes to a store of its own beside where the state file is or will be, and removes it again. */
export function lookAtCommits(folder: string): Promise<Looked<void>> {
  return look('commit', async () => {
    const place = nearestFolder(folder)
    const aside = makeAside(place)
    try {
      const ms = await commitMs(join(aside, 'trial.db'))
      const slow = ms > SLOW_MS
      return {
        verdict: slow ? 'slow' : 'ok',
        detail: `${ms.toFixed(1)} ms until one is durable in ${place}`,
        ...(slow && { fix: 'Every payment waits that long. Put the state file on a local SSD with --state-file' }),
        value: undefined,
      }
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
  })
}

const LEAST_BYTES = 64 * 2 ** 20
const FEW_BYTES = 2 ** 30

export function lookAtSpace(folder: string): Promise<Looked<void>> {
  return look('disk space', async () => {
    const place = nearestFolder(folder)
    const { bavail, bsize } = await statfs(place)
    const free = bavail * bsize
    const short = free < FEW_BYTES
    return {
      verdict: free < LEAST_BYTES ? 'BAD' : short ? 'warn' : 'ok',
      detail: `${(free / 2 ** 30).toFixed(1)} GiB free in ${place}`,
      ...(short && { fix: 'Make room: a server whose disk is full takes no payments' }),
      value: undefined,
    }
  })
}

/** The store makes its folder at the first start; until then the one that is there says how its disk is. */
function nearestFolder(folder: string): string {
  for (let at = folder; ; at = dirname(at)) if (existsSync(at) || dirname(at) === at) return at
}

function makeAside(place: string): string {
  try {
    return mkdtempSync(join(place, '.farthing-doctor-'))
  } catch (error) {
    const reason = messageOf(error).replace(/^E\w+: ([^,]*),.*/s, '$1')
    throw new ConfigError(
      '--state-file',
      `${place} cannot be written (${reason}). Use a folder that this user can write to`,
    )
  }
}

async function commitMs(path: string): Promise<number> {
  const { sqlite } = await import('../../store/sqlite.ts')
  const store = sqlite(path)
  try {
    const timesMs: number[] = []
    const begunMs = performance.now()
    while (timesMs.length < COMMITS && performance.now() - begunMs < ENOUGH_MS) {
      const startMs = performance.now()
      await store.writeRecord('doctor:trial', () => `${timesMs.length}`)
      timesMs.push(performance.now() - startMs)
    }
    return median(timesMs)
  } finally {
    await store.close()
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? ''
}
