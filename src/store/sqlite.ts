/**
 * Channels in one SQLite file, durable when a call resolves.
 *
 * Unless it is shared, this process has the file for itself: it keeps the
 * channels used last in memory and writes the changes of one turn of the event
 * loop in one commit. The driver is synchronous, so a commit holds up the event
 * loop for as long as the disk takes; nothing is ever half on its way.
 */
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { closable, type OpenStore } from './closing.ts'
import { groupCommit, type Batch } from './commit.ts'
import { createMarked, type Marked } from './mark.ts'
import { recent } from '../base/recent.ts'
import { sealed } from './sealed.ts'
import { openFile, type File } from './sqlite-file.ts'
import type { Numbered } from './sqlite-rows.ts'
import * as table from './sqlite-tables.ts'
import type { Tables } from './sqlite-tables.ts'
import type { Store } from './store.ts'

/**
 * Opens the store in the file `path`, and creates it (and its folder) if it is not there.
 *
 * `shared` lets several processes use the file at once, each call waiting for
 * the others up to `busyTimeoutMs` (5000 unless it is said); for command lines
 * and scripts, because it writes one change per commit. `hotChannels` (10000)
 * is how many channels are kept in memory; there is no bound on the disk.
 *
 * @throws {ConfigError} for `:memory:` and for a file that is not a store of ours
 * @throws {StoreInUseError} while another process holds the file
 * @throws {StoreUnavailableError} if it is damaged or cannot be written
 */
export function sqlite(
  path: string,
  options: { readonly shared?: boolean; readonly busyTimeoutMs?: number; readonly hotChannels?: number } = {},
): Store {
  const { shared = false, busyTimeoutMs = 5_000, hotChannels = 10_000 } = options
  const file = openFile(path, shared, busyTimeoutMs)
  const tables = tablesOf(file)
  if (shared) return closable(oneByOne(tables), file.close)
  const marked = markedIn(file, tables)
  return closable(grouped(tables, hotChannels, marked), () => {
    marked.end()
    file.close()
  })
}

function tablesOf(file: File): Tables {
  try {
    return table.openTables(file)
  } catch (error) {
    file.close()
    throw error
  }
}

function markedIn(file: File, tables: Tables): Marked {
  try {
    return createMarked(tables, file.path)
  } catch (error) {
    file.close()
    throw error
  }
}

function grouped(tables: Tables, hotChannels: number, marked: Marked): OpenStore {
  const hot = recent<ChannelKey, Numbered>(hotChannels)
  // What strangers make up is looked for once.
  const absent = recent<ChannelKey, true>(hotChannels)

  function read(key: ChannelKey): Numbered | undefined {
    const known = hot.get(key)
    if (known) return known
    if (absent.get(key)) return undefined
    const found = table.readChannel(tables, key)
    if (found) hot.set(key, found)
    else absent.set(key, true)
    return found
  }

  function write({ channels, records }: Batch): void {
    const before = [...channels].map(([key, channel]) => ({ channel, known: read(key) }))
    // Forgotten first: after a failure only the disk knows what is durable.
    for (const key of channels.keys()) {
      hot.delete(key)
      absent.delete(key)
    }
    const written = marked.transaction(() => {
      for (const [name, value] of records) table.writeRecord(tables, name, value)
      return before.map(({ channel, known }) => table.writeChannel(tables, channel, known))
    })
    for (const numbered of written) hot.set(numbered.channel.key, numbered)
  }

  const readChannel = (key: ChannelKey) => read(key)?.channel
  const readRecord = (name: string) => table.readRecord(tables, name)
  return {
    ...groupCommit({ readChannel, readRecord, write }),
    get: readChannel,
    list: (kind) => table.listChannels(tables, kind),
    readRecord,
    expireRecords: (kind, beforeMs) => table.expireRecords(tables, kind, beforeMs),
  }
}

function oneByOne(tables: Tables): OpenStore {
  function write(key: ChannelKey, before: Numbered | undefined, changed: Channel): Channel {
    const channel = sealed(key, changed, before?.channel)
    if (channel !== before?.channel) table.writeChannel(tables, channel, before)
    return channel
  }

  return {
    get: (key) => table.readChannel(tables, key)?.channel,
    list: (kind) => table.listChannels(tables, kind),
    readRecord: (name) => table.readRecord(tables, name),
    expireRecords: (kind, beforeMs) => table.expireRecords(tables, kind, beforeMs),

    update: (key, change) =>
      table.transaction(tables, () => {
        const before = table.readChannel(tables, key)
        return write(key, before, change(before?.channel))
      }),

    updateWithRecord: (key, name, change) =>
      table.transaction(tables, () => {
        const before = table.readChannel(tables, key)
        const changed = change(before?.channel, table.readRecord(tables, name))
        table.writeRecord(tables, name, changed.record)
        return write(key, before, changed.channel)
      }),

    writeRecord: (name, change) =>
      table.transaction(tables, () => {
        table.writeRecord(tables, name, change(table.readRecord(tables, name)))
      }),
  }
}
