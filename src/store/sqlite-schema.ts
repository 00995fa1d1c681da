/** What a new store looks like, and how it comes to be. */
import { DatabaseSync } from '@photostructure/sqlite'
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

/** "FRTG": marks a database as ours. */
export const APPLICATION = 0x46525447
export const VERSION = 3

/**
 * What changes with every payment is in rows of its own, few bytes each: a commit writes whole pages. Its channel is
 * named by a number, because a key is longer than all the rest. Amounts are TEXT, because SQLite's integers end at 2^63.
 */
const tables = `
  CREATE TABLE channels (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, id TEXT NOT NULL, chain_id INTEGER NOT NULL, escrow TEXT NOT NULL,
    sender TEXT NOT NULL, receiver TEXT NOT NULL, token TEXT NOT NULL, signer TEXT NOT NULL, terms TEXT,
    status TEXT NOT NULL, deposit TEXT NOT NULL, settled TEXT NOT NULL, block TEXT NOT NULL,
    withdrawable_block TEXT, withdrawable_time TEXT, log_index TEXT, close_stated TEXT, close_agreed TEXT,
    caught_up TEXT
  ) STRICT;
  CREATE TABLE ledger (
    channel INTEGER PRIMARY KEY, cumulative_amount TEXT, signature TEXT, charged TEXT NOT NULL
  ) STRICT;
  CREATE INDEX closing_channels ON channels (number) WHERE status = 'closing';`

/** What stands before the colon in the name of a record, and the colon. An index is used only for the same expression. */
export const KIND = `substr(name, 1, instr(name, ':'))`

const agesByKind = `CREATE INDEX records_by_age ON records (${KIND}, written_ms);`

/** From each older version to the next one. */
export const upgrades: ReadonlyMap<unknown, string> = new Map([
  [
    1,
    `ALTER TABLE channels ADD COLUMN log_index TEXT;
     ALTER TABLE channels ADD COLUMN close_stated TEXT;
     ALTER TABLE channels ADD COLUMN close_agreed TEXT`,
  ],
  [
    2,
    `ALTER TABLE channels RENAME TO channels_before;
     ${tables}
     INSERT INTO channels SELECT rowid, key, id, chain_id, escrow, sender, receiver, token, signer, terms, status, deposit,
       settled, block, withdrawable_block, withdrawable_time, log_index, close_stated, close_agreed, NULL FROM channels_before;
     INSERT INTO ledger SELECT rowid, cumulative_amount, signature, charged FROM channels_before;
     DROP TABLE channels_before;
     DROP INDEX records_by_age;
     ${agesByKind}`,
  ],
])

/** Bytes. */
export const PAGE = 4096

const schema = `
  PRAGMA page_size = ${PAGE};
  PRAGMA synchronous = FULL;
  BEGIN;
  ${tables}
  CREATE TABLE records (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, written_ms INTEGER NOT NULL) STRICT;
  ${agesByKind}
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
  COMMIT;`

/** Builds an empty store aside and links it into place, so that no crash and no second process leaves or sees half of one. */
export function create(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomUUID()}.new`
  try {
    closeSync(openSync(aside, 'wx', 0o600))
    const db = new DatabaseSync(aside)
    try {
      db.exec(schema)
    } finally {
      db.close()
    }
    link(aside, path)
  } finally {
    rmSync(aside, { force: true })
    rmSync(`${aside}-journal`, { force: true })
  }
  syncFolder(dirname(path))
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    // Another process was first, with a store that is as good.
    if (!existsSync(to)) throw error
  }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
