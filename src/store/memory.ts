/** A store for tests and for trying things out: atomic, not durable. What it holds is gone with the process. */
import type { Channel, ChannelKey } from '../channel/channel.ts'
import { closable } from './closing.ts'
import { sealed } from './sealed.ts'
import type { Kind, Store } from './store.ts'

/** Keeps every channel it is given; records go only when they are removed or expired. */
export function memory(): Store {
  const channels = new Map<ChannelKey, Channel>()
  const records = recordsInMemory()

  return closable(
    {
      get: (key) => channels.get(key),
      list: (kind) => channelsOf(channels, kind),

      update(key, change) {
        const current = channels.get(key)
        const channel = sealed(key, change(current), current)
        channels.set(key, channel)
        return channel
      },

      updateWithRecord(key, name, change) {
        const current = channels.get(key)
        const changed = change(current, records.read(name))
        const channel = sealed(key, changed.channel, current)
        channels.set(key, channel)
        records.write(name, changed.record)
        return channel
      },

      readRecord: records.read,
      writeRecord: (name, change) => records.write(name, change(records.read(name))),
      expireRecords: (kind, beforeMs) => records.expire(kind, beforeMs),
    },
    () => channels.clear(),
  )
}

function* channelsOf(channels: ReadonlyMap<ChannelKey, Channel>, kind: Kind | undefined): Generator<Channel> {
  for (const channel of channels.values()) if (isOf(channel, kind)) yield channel
}

function isOf({ status, voucher, settled }: Channel, kind: Kind | undefined): boolean {
  if (kind === 'closing') return status === 'closing'
  if (kind === 'unsettled') return status !== 'closed' && voucher !== undefined && voucher.cumulativeAmount !== settled
  return true
}

function recordsInMemory() {
  const records = new Map<string, { readonly value: string; readonly writtenMs: number }>()
  return {
    read: (name: string) => records.get(name)?.value,

    write(name: string, value: string | undefined): void {
      if (value === undefined) records.delete(name)
      else records.set(name, { value, writtenMs: Date.now() })
    },

    expire(kind: string, beforeMs: number): number {
      const expired = [...records].filter(([name, { writtenMs }]) => name.startsWith(kind) && writtenMs < beforeMs)
      for (const [name] of expired) records.delete(name)
      return expired.length
    },
  }
}
