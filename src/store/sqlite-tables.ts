/** The tables of a SQLite store and the statements that are run on them. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { attempt } from './sqlite-faults.ts'
import { KIND } from './sqlite-schema.ts'
import type { File } from './sqlite-file.ts'
import type { Kind } from './store.ts'
import { factsOf, hasSameFacts, readChannelRow, upsertFacts, type Numbered } from './sqlite-rows.ts'

/** Rows that are read or removed before others get their turn. */
const CHUNK = 500
/** Rows that are looked at where few are found. */
const SCAN = 5_000
const AFTER_ALL = 2n ** 63n

/** LEFT: a channel without its ledger is damaged, not absent. */
const channels = 'SELECT * FROM channels LEFT JOIN ledger ON ledger.channel = channels.number'

const unsettled = `
  ${channels} WHERE number > ?1 AND number <= ?1 + ?2
  AND status <> 'closed' AND cumulative_amount <> settled ORDER BY number`

const upsertLedger = `
  INSERT INTO ledger VALUES (?, ?, ?, ?) ON CONFLICT (channel) DO UPDATE
  SET cumulative_amount = excluded.cumulative_amount, signature = excluded.signature, charged = excluded.charged`

const upsertRecord = `
  INSERT INTO records VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, written_ms = excluded.written_ms`

const dropRecords = `
  DELETE FROM records WHERE rowid IN (SELECT rowid FROM records WHERE ${KIND} = ? AND written_ms < ? LIMIT ?)`

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
    channel: all(`${channels} WHERE key = ?`),
    channels: all(`${channels} WHERE number > ? ORDER BY number LIMIT ?`),
    closing: all(`${channels} WHERE number > ? AND status = 'closing' ORDER BY number LIMIT ?`),
    unsettled: all(unsettled),
    newest: all('SELECT max(number) AS number FROM channels'),
    putFacts: run(upsertFacts),
    numberOf: all('SELECT number FROM channels WHERE key = ?'),
    putLedger: run(upsertLedger),
    putCharged: run('UPDATE ledger SET charged = ? WHERE channel = ?'),
    record: all('SELECT value FROM records WHERE name = ?'),
    putRecord: run(upsertRecord),
    dropRecord: run('DELETE FROM records WHERE name = ?'),
    dropRecords: run(dropRecords),
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

export function readChannel(tables: Tables, key: ChannelKey): Numbered | undefined {
  const [row] = tables.channel(key)
  return row && readChannelRow(row)
}

/** Page by page, so that a long list holds up neither other calls nor the log. */
export async function* listChannels(tables: Tables, kind: Kind | undefined): AsyncGenerator<Channel> {
  const end = numberIn(tables.newest())
  for (let from = 0n; from < end;) {
    const page = pageOf(tables, kind, from)
    for (const { channel } of page.channels) yield channel
    from = page.next
    await turn()
  }
}

/** The channels of a page, and after which number the next one begins. */
function pageOf(tables: Tables, kind: Kind | undefined, from: bigint) {
  // No index finds these, so a page is what was looked at and not what was found.
  if (kind === 'unsettled') {
    return { channels: tables.unsettled(from, BigInt(SCAN)).map(readChannelRow), next: from + BigInt(SCAN) }
  }
  const channels = (kind ? tables.closing : tables.channels)(from, CHUNK).map(readChannelRow)
  const last = channels.length < CHUNK ? undefined : channels.at(-1)
  return { channels, next: last?.number ?? AFTER_ALL }
}

/** Writes what differs from `before`, which is how the file has it. */
export function writeChannel(tables: Tables, channel: Channel, before: Numbered | undefined): Numbered {
  const known = before && hasSameFacts(channel, before.channel) ? before : undefined
  if (!known) tables.putFacts(...factsOf(channel))
  const number = before?.number ?? numberIn(tables.numberOf(channel.key))
  const { voucher, charged } = channel
  if (known && voucher === known.channel.voucher) tables.putCharged(`${charged}`, number)
  else
    tables.putLedger(number, voucher ? `${voucher.cumulativeAmount}` : null, voucher?.signature ?? null, `${charged}`)
  return { number, channel }
}

/** 0 if there is none. */
function numberIn([row]: readonly object[]): bigint {
  const number = row && 'number' in row ? row.number : null
  return typeof number === 'number' || typeof number === 'bigint' ? BigInt(number) : 0n
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

export async function expireRecords(tables: Tables, kind: string, beforeMs: number): Promise<number> {
  const start = JSON.stringify(kind).slice(0, -1)
  for (let removed = 0; ;) {
    const changes = tables.dropRecords(start, beforeMs, CHUNK)
    removed += changes
    if (changes < CHUNK) return removed
    await turn()
  }
}
