/**
 * What is delivered and not settled is at risk: the chain may have changed its mind before it is taken. Caps bound it,
 * for each channel, for each sender and in all.
 *
 * The sums are kept where every change of a channel passes, at the store: whatever charges, gives back, settles or closes,
 * they are right, and a charge that would go beyond a cap is never made. Amounts are base units, of each token alone.
 */
import type { Address } from 'viem'
import { ReceiverUnavailableError } from '../base/errors.ts'
import { ConfigError } from '../base/faults.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { Store } from '../store/store.ts'

export type Caps = {
  /** Most that may be at risk on one channel, on all channels of one sender, and in all. Default: no cap. */
  readonly channel?: bigint
  readonly sender?: bigint
  readonly total?: bigint
  /**
   * `settle` (default): from half of a cap on the channels under it are settled, whatever that costs; beyond the cap
   * nothing is sold until that is done. `refuse`: beyond the cap nothing is sold until somebody settles.
   */
  readonly whenReached?: 'settle' | 'refuse'
}

export type Exposure = {
  /** The store to work with: charges beyond a cap are refused with {@link ReceiverUnavailableError}. */
  readonly store: Store
  /** Counts what is at risk already. */
  load(): Promise<void>
  /** Channels at or above this share of a cap, alone or with others, in parts of eight: 4 at least. */
  pressing(eighths: bigint): Pressing[]
}

/** `channels` are what a cap counts together, the most exposed first. */
export type Pressing = {
  readonly cap: 'channel' | 'sender' | 'total'
  readonly atRisk: bigint
  readonly most: bigint
  readonly channels: readonly ChannelKey[]
}

type Counted = { readonly sender: Address; readonly token: Address; readonly atRisk: bigint }

/** @throws {ConfigError} for a cap that is no amount */
export function createExposure(store: Store, caps: Caps): Exposure {
  checkCaps(caps)
  const counts = createCounts()
  /** Whether anything has come near a cap since nothing was. */
  let mayPress = false

  const requireRoom = (before: Channel | undefined, after: Channel) => {
    if (after.charged <= (before?.charged ?? 0n)) return
    const amounts = counts.with(after)
    if (NAMES.some((name) => amounts[name] > (caps[name] ?? amounts[name])))
      throw new ReceiverUnavailableError('exposure')
    mayPress ||= NAMES.some((name) => isAtLeast(amounts[name], caps[name], NEAR))
  }

  return {
    store: watched(store, { count: counts.set, requireRoom }),
    async load() {
      for await (const channel of store.list('unsettled')) counts.set(channel)
      mayPress = true
    },
    pressing(eighths) {
      if (!mayPress) return []
      const groups = groupsOf(counts.all, caps)
      mayPress = groups.some(({ atRisk, most }) => isAtLeast(atRisk, most, NEAR))
      return groups.filter(({ atRisk, most }) => isAtLeast(atRisk, most, eighths))
    },
  }
}

function checkCaps(caps: Caps): void {
  for (const name of NAMES) {
    const cap = caps[name]
    if (cap !== undefined && cap <= 0n) throw new ConfigError(`caps.${name}`, 'must be more than 0 base units')
  }
}

/** Charged and not taken yet. */
function atRiskOf({ status, charged, settled }: Channel): bigint {
  return status === 'closed' || charged <= settled ? 0n : charged - settled
}

const NAMES = ['channel', 'sender', 'total'] as const

/** The least share of a cap that anybody asks for, in parts of eight. */
const NEAR = 4n

function isAtLeast(amount: bigint, cap: bigint | undefined, eighths: bigint): boolean {
  return cap !== undefined && amount * 8n >= cap * eighths
}

const ALL = 'all'

/** What is at risk on each channel, and the sums of it. */
function createCounts() {
  const all = new Map<ChannelKey, Counted>()
  const sums = new Map<string, bigint>()
  const sumOf = (whose: Address | typeof ALL, token: Address) => sums.get(`${whose}:${token}`) ?? 0n
  const raised = (channel: Channel) => atRiskOf(channel) - (all.get(channel.key)?.atRisk ?? 0n)
  return {
    all,
    /** What each cap counts, once the channel is as it is here. */
    with: (channel: Channel) => ({
      channel: atRiskOf(channel),
      sender: sumOf(channel.sender, channel.token) + raised(channel),
      total: sumOf(ALL, channel.token) + raised(channel),
    }),
    set: (channel: Channel) => {
      const { key, sender, token } = channel
      const rise = raised(channel)
      for (const whose of [sender, ALL] as const) {
        const sum = sumOf(whose, token) + rise
        if (sum > 0n) sums.set(`${whose}:${token}`, sum)
        else sums.delete(`${whose}:${token}`)
      }
      const atRisk = atRiskOf(channel)
      if (atRisk > 0n) all.set(key, { sender, token, atRisk })
      else all.delete(key)
    },
  }
}

type Watch = {
  readonly count: (channel: Channel) => void
  readonly requireRoom: (before: Channel | undefined, after: Channel) => void
}

type Note = (before: Channel | undefined, after: Channel) => void

/**
 * Counts inside of the change, before it is durable: of two that run at the same time the second sees the first. One that
 * could not be made durable is counted back.
 */
async function counting(
  store: Store,
  { count, requireRoom }: Watch,
  key: ChannelKey,
  write: (note: Note) => Promise<Channel>,
): Promise<Channel> {
  const made = { count: 0 }
  try {
    return await write((before, after) => {
      requireRoom(before, after)
      made.count += 1
      count(after)
    })
  } catch (error) {
    const now = made.count > 0 ? await store.get(key) : undefined
    if (now) count(now)
    throw error
  }
}

function watched(store: Store, watch: Watch): Store {
  return {
    get: (key) => store.get(key),
    list: (kind) => store.list(kind),
    readRecord: (name) => store.readRecord(name),
    writeRecord: (name, change) => store.writeRecord(name, change),
    expireRecords: (kind, beforeMs) => store.expireRecords(kind, beforeMs),
    close: () => store.close(),
    update: (key, change) =>
      counting(store, watch, key, (note) =>
        store.update(key, (before) => {
          const after = change(before)
          note(before, after)
          return after
        }),
      ),
    updateWithRecord: (key, name, change) =>
      counting(store, watch, key, (note) =>
        store.updateWithRecord(key, name, (before, record) => {
          const changed = change(before, record)
          note(before, changed.channel)
          return changed
        }),
      ),
  }
}

function groupsOf(counted: ReadonlyMap<ChannelKey, Counted>, caps: Caps): Pressing[] {
  const groups = new Map<string, { cap: Pressing['cap']; most: bigint; atRisk: bigint; channels: ChannelKey[] }>()
  const byRisk = [...counted].sort(([, a], [, b]) => (a.atRisk > b.atRisk ? -1 : 1))
  for (const [key, { sender, token, atRisk }] of byRisk) {
    const names = { channel: key, sender: `${sender}:${token}`, total: token }
    for (const cap of NAMES) {
      const most = caps[cap]
      if (most === undefined) continue
      const name = `${cap}:${names[cap]}`
      const group = groups.get(name) ?? { cap, most, atRisk: 0n, channels: [] }
      group.atRisk += atRisk
      group.channels.push(key)
      groups.set(name, group)
    }
  }
  return [...groups.values()]
}
