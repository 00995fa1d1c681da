/**
 * Group commit, shared by the durable stores.
 *
 * A change is applied at once to the newest value, durable or on its way, so
 * that the next change of the same channel builds on it. What one turn of the
 * event loop brings goes to the disk in one commit; what arrives while that is
 * written goes into the next.
 *
 * Only changes see values that are on their way, and nobody is told what came
 * of a change, not even that it threw or had nothing to do, before all that it
 * was built on is durable. Readers see the disk. So nothing that can still
 * vanish is ever told, and one rule is enough for failure: when a commit fails,
 * what was collected behind it fails with it, and the newest values are again
 * those of the disk.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { StoreUnavailableError } from '../base/faults.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { sealed } from './sealed.ts'
import type { Store } from './store.ts'

/** The last value of everything that one commit changes. */
export type Batch = {
  readonly channels: ReadonlyMap<ChannelKey, Channel>
  /** undefined removes the record. */
  readonly records: ReadonlyMap<string, string | undefined>
}

export type Disk = {
  readChannel(key: ChannelKey): Channel | undefined
  readRecord(name: string): string | undefined
  /** Makes the whole batch durable, or throws and leaves the disk as it was. Never called again before it is done. */
  write(batch: Batch): void | Promise<void>
}

type Commit = {
  readonly channels: Map<ChannelKey, Channel>
  readonly records: Map<string, string | undefined>
  readonly done: Promise<void>
  readonly succeed: () => void
  readonly fail: (error: StoreUnavailableError) => void
}

/** What is on its way to `disk`: one commit that takes what arrives, and one that is being written. */
type Line = { readonly disk: Disk; collecting: Commit | undefined; writing: Commit | undefined; flushing: boolean }

type Target = { readonly key?: ChannelKey; readonly name?: string }
type Draft = { readonly channel?: Channel; readonly record?: string | undefined }

export function groupCommit(disk: Disk): Pick<Store, 'update' | 'updateWithRecord' | 'writeRecord'> {
  const line: Line = { disk, collecting: undefined, writing: undefined, flushing: false }
  return {
    async update(key, change) {
      const { channel } = await apply(line, { key }, (current) => ({ channel: sealed(key, change(current), current) }))
      return channel
    },

    async updateWithRecord(key, name, change) {
      const { channel } = await apply(line, { key, name }, (current, filed) => {
        const changed = change(current, filed)
        return { channel: sealed(key, changed.channel, current), record: changed.record }
      })
      return channel
    },

    async writeRecord(name, change) {
      await apply(line, { name }, (_, filed) => ({ record: change(filed) }))
    },
  }
}

/** Runs `change` now, and answers when everything it read and wrote is on the disk. */
async function apply<draft extends Draft>(
  line: Line,
  at: Target,
  change: (channel: Channel | undefined, record: string | undefined) => draft,
): Promise<draft> {
  const base = holding(line, at)
  const channel = at.key && newestChannel(line, at.key)
  const record = at.name === undefined ? undefined : newestRecord(line, at.name)
  let changed: draft
  try {
    changed = change(channel, record)
  } catch (error) {
    await base?.done
    throw error
  }
  const nothing = changed.channel === channel && record === undefined && changed.record === undefined
  await (nothing ? base : collect(line, at, changed))?.done
  return changed
}

/** The newest commit on its way that changes any of these. */
function holding(line: Line, { key, name }: Target): Commit | undefined {
  const changes = (commit: Commit | undefined) =>
    (key !== undefined && commit?.channels.has(key)) || (name !== undefined && commit?.records.has(name))
  if (changes(line.collecting)) return line.collecting
  return changes(line.writing) ? line.writing : undefined
}

function newestChannel(line: Line, key: ChannelKey): Channel | undefined {
  return holding(line, { key })?.channels.get(key) ?? line.disk.readChannel(key)
}

function newestRecord(line: Line, name: string): string | undefined {
  const commit = holding(line, { name })
  return commit ? commit.records.get(name) : line.disk.readRecord(name)
}

function collect(line: Line, { key, name }: Target, { channel, record }: Draft): Commit {
  const commit = (line.collecting ??= newCommit())
  if (key && channel) commit.channels.set(key, channel)
  if (name !== undefined) commit.records.set(name, record)
  if (!line.flushing) void flush(line)
  return commit
}

async function flush(line: Line): Promise<void> {
  line.flushing = true
  for (;;) {
    await turn()
    const commit = take(line)
    if (!commit) break
    await write(line, commit)
  }
  line.flushing = false
}

function take(line: Line): Commit | undefined {
  const taken = line.collecting
  line.collecting = undefined
  return taken
}

async function write(line: Line, commit: Commit): Promise<void> {
  line.writing = commit
  try {
    await line.disk.write(commit)
    line.writing = undefined
    commit.succeed()
  } catch (cause) {
    const error = unavailable(cause)
    const behind = take(line)
    line.writing = undefined
    commit.fail(error)
    behind?.fail(error)
  }
}

function newCommit(): Commit {
  let succeed!: Commit['succeed']
  let fail!: Commit['fail']
  const done = new Promise<void>((resolve, reject) => {
    succeed = resolve
    fail = reject
  })
  return { channels: new Map(), records: new Map(), done, succeed, fail }
}

function unavailable(cause: unknown): StoreUnavailableError {
  if (cause instanceof StoreUnavailableError) return cause
  return new StoreUnavailableError('The store could not write, so nothing was kept. See the cause, then try again.', {
    cause,
  })
}
