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
import { recent } from './recent.ts'
import { sealed } from './sealed.ts'
import { openFile, type File } from './sqlite-file.ts'
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
  return closable(shared ? oneByOne(tables) : grouped(tables, hotChannels), file.close)
}

function tablesOf(file: File): Tables {
  try {
    return table.openTables(file)
  } catch (error) {
    file.close()
    throw error
  }
}

function grouped(tables: Tables, hotChannels: number): OpenStore {
  const hot = recent<ChannelKey, Channel>(hotChannels)

  function readChannel(key: ChannelKey): Channel | undefined {
    const known = hot.get(key)
    if (known) return known
    const channel = table.readChannel(tables, key)
    if (channel) hot.set(key, channel)
    return channel
  }

  function write({ channels, records }: Batch): void {
    // Forgotten first: after a failure only the disk knows what is durable.
    for (const key of channels.keys()) hot.delete(key)
    table.transaction(tables, () => {
      for (const channel of channels.values()) table.writeChannel(tables, channel)
      for (const [name, value] of records) table.writeRecord(tables, name, value)
    })
    for (const [key, channel] of channels) hot.set(key, channel)
  }

  const readRecord = (name: string) => table.readRecord(tables, name)
  return {
    ...groupCommit({ readChannel, readRecord, write }),
    get: readChannel,
    list: () => table.listChannels(tables),
    readRecord,
    expireRecords: (prefix, beforeMs) => table.expireRecords(tables, prefix, beforeMs),
  }
}

function oneByOne(tables: Tables): OpenStore {
  function write(key: ChannelKey, current: Channel | undefined, changed: Channel): Channel {
    const channel = sealed(key, changed, current)
    if (channel !== current) table.writeChannel(tables, channel)
    return channel
  }

  return {
    get: (key) => table.readChannel(tables, key),
    list: () => table.listChannels(tables),
    readRecord: (name) => table.readRecord(tables, name),
    expireRecords: (prefix, beforeMs) => table.expireRecords(tables, prefix, beforeMs),

    update: (key, change) =>
      table.transaction(tables, () => {
        const current = table.readChannel(tables, key)
        return write(key, current, change(current))
      }),

    updateWithRecord: (key, name, change) =>
      table.transaction(tables, () => {
        const current = table.readChannel(tables, key)
        const changed = change(current, table.readRecord(tables, name))
        table.writeRecord(tables, name, changed.record)
        return write(key, current, changed.channel)
      }),

    writeRecord: (name, change) =>
      table.transaction(tables, () => {
        table.writeRecord(tables, name, change(table.readRecord(tables, name)))
      }),
  }
}
