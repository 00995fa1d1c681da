/** The tables of a SQLite store and the statements that are run on them. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { attempt } from './sqlite-faults.ts'
import type { File } from './sqlite-file.ts'
import { channelCells, readChannelRow, upsertChannel } from './sqlite-rows.ts'

/** Rows that are read or removed before others get their turn. */
const CHUNK = 500

type Cell = string | number | bigint | null
export type Tables = ReturnType<typeof openTables>

/** Prepares every statement once. Each is a function of its values that throws a {@link StoreUnavailableError}. */
export function openTables({ path, db }: File) {
  function run(sql: string): (...values: Cell[]) => number {
    const statement = attempt(path, () => db.prepare(sql))
    return (...values) => attempt(path, () => statement.run(...values).changes)
  }
  function all(sql: string): (...values: Cell[]) => readonly object[] {
    const statement = attempt(path, () => db.prepare(sql))
    return (...values) =>
      attempt(path, () => {
        const rows: unknown[] = statement.all(...values)
        return rows.filter((row) => typeof row === 'object' && row !== null)
      })
  }

  return {
    isOpen: () => db.isTransaction,
    begin: run('BEGIN IMMEDIATE'),
    commit: run('COMMIT'),
    rollback: run('ROLLBACK'),
    channel: all('SELECT * FROM channels WHERE key = ?'),
    channels: all('SELECT * FROM channels WHERE key > ? ORDER BY key LIMIT ?'),
    putChannel: run(upsertChannel),
    record: all('SELECT value FROM records WHERE name = ?'),
    putRecord: run(`
      INSERT INTO records VALUES (?, ?, ?)
      ON CONFLICT (name) DO UPDATE SET value = excluded.value, written_ms = excluded.written_ms`),
    dropRecord: run('DELETE FROM records WHERE name = ?'),
    dropRecords: run(`
      DELETE FROM records WHERE rowid IN
        (SELECT rowid FROM records WHERE written_ms < ?1 AND substr(name, 1, length(?2)) = ?2 LIMIT ?3)`),
  }
}

/** Runs `act` while nobody else writes. If it throws, nothing is written and the error is rethrown. */
export function transaction<T>(tables: Tables, act: () => T): T {
  tables.begin()
  try {
    const result = act()
    tables.commit()
    return result
  } catch (error) {
    // After some errors SQLite has rolled back by itself.
    if (tables.isOpen()) tables.rollback()
    throw error
  }
}

export function readChannel(tables: Tables, key: ChannelKey): Channel | undefined {
  const [row] = tables.channel(key)
  return row && readChannelRow(row)
}

/** Page by page, so that a long list holds up neither other calls nor the log. */
export async function* listChannels(tables: Tables): AsyncGenerator<Channel> {
  for (let last = ''; ;) {
    const page = tables.channels(last, CHUNK).map(readChannelRow)
    for (const channel of page) {
      last = channel.key
      yield channel
    }
    if (page.length < CHUNK) return
    await turn()
  }
}

export function writeChannel(tables: Tables, channel: Channel): void {
  tables.putChannel(...channelCells(channel))
}

/**
 * Names and values are kept as JSON: the driver ends a string at its first NUL
 * and replaces lone surrogates, and two names must never become one.
 */
export function readRecord(tables: Tables, name: string): string | undefined {
  const [row] = tables.record(JSON.stringify(name))
  if (!row || !('value' in row)) return undefined
  const value: unknown = JSON.parse(String(row.value))
  return String(value)
}

export function writeRecord(tables: Tables, name: string, value: string | undefined): void {
  if (value === undefined) tables.dropRecord(JSON.stringify(name))
  else tables.putRecord(JSON.stringify(name), JSON.stringify(value), BigInt(Date.now()))
}

export async function expireRecords(tables: Tables, prefix: string, beforeMs: number): Promise<number> {
  const start = JSON.stringify(prefix).slice(0, -1)
  for (let removed = 0; ;) {
    const changes = tables.dropRecords(beforeMs, start, CHUNK)
    removed += changes
    if (changes < CHUNK) return removed
    await turn()
  }
}
