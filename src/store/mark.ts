/**
 * Notices that a store was put back from a backup.
 *
 * Beside the store stands a small file with the time of a late commit, and the
 * store has that time too. The file is written after the store, so it is never
 * ahead of it, unless somebody has put an older store in its place. A whole
 * folder that is put back, or a store on a new machine, is not noticed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import * as table from './sqlite-tables.ts'
import type { Tables } from './sqlite-tables.ts'
import { RESTORES } from './store.ts'

const MARK = 'store:mark'

/** How soon after a commit there is a mark above it. */
const MARK_MS = 5_000

export type Marked = {
  /** A transaction that a later mark stands for. */
  transaction<T>(act: () => T): T
  /** The last mark. */
  end(): void
}

/** @param path of the store, which nobody else has open */
export function createMarked(tables: Tables, path: string): Marked {
  const file = `${path}-mark`
  let last = noticeRestore(tables, markIn(file))
  let movedMs = 0
  let timer: NodeJS.Timeout | undefined

  function transaction<T>(act: () => T): T {
    if (Math.abs(Date.now() - movedMs) >= MARK_MS) return mark(act)
    timer ??= setTimeout(markLate, MARK_MS).unref()
    return table.transaction(tables, act)
  }

  function mark<T>(act: () => T): T {
    // Clocks are set back; a mark must not be.
    const at = Math.max(Date.now(), last + 1)
    const result = table.transaction(tables, () => {
      table.writeRecord(tables, MARK, `${at}`)
      return act()
    })
    last = at
    movedMs = Date.now()
    attempt(() => writeFileSync(file, `${at}`, { mode: 0o600 }))
    return result
  }

  // Whoever has something to write hears why it cannot be written.
  function markLate(): void {
    timer = undefined
    attempt(() => mark(() => undefined))
  }

  function end(): void {
    clearTimeout(timer)
    if (timer) markLate()
  }

  return { transaction, end }
}

function attempt(work: () => unknown): void {
  try {
    work()
  } catch {
    // A mark that is missing only means that a restore may go unnoticed.
  }
}

/** Counts it when the store is older than what stands beside it. Returns the newer mark. */
function noticeRestore(tables: Tables, beside: number): number {
  const known = Number(table.readRecord(tables, MARK) ?? 0)
  if (beside <= known) return known
  const restores = Number(table.readRecord(tables, RESTORES) ?? 0) + 1
  table.transaction(tables, () => {
    table.writeRecord(tables, RESTORES, `${restores}`)
    table.writeRecord(tables, MARK, `${beside}`)
  })
  return beside
}

/** Milliseconds since 1970; 0 if there is none, or none that can be read. */
function markIn(file: string): number {
  try {
    const text = readFileSync(file, 'utf8')
    return /^\d{1,15}$/.test(text) ? Number(text) : 0
  } catch {
    return 0
  }
}
