/**
 * Sends a server's newest vouchers to a watcher on another machine.
 *
 * A store is wrapped, and what is written to it goes out a moment later, in
 * signed messages. Payments never wait for this. What cannot be delivered is
 * kept, the newest of each channel, and everything is sent again now and then,
 * because a watcher may have lost what it had.
 */
import { randomUUID } from 'node:crypto'
import { messageOf as reasonOf, type Log } from '../base/log.ts'
import { pause } from '../chain/pause.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { Store } from '../store/store.ts'
import { createPostOffice, type PostOffice } from './alarm-post.ts'

export type FeedConfig = {
  /** Of the watcher: `https:`, or `http:` on this machine. */
  readonly url: string
  /** Signs. `whsec_` and base64, or a text of at least 24 bytes; the watcher has the same. */
  readonly secret: string
  readonly log: Log
  /** Between one message and the next, in milliseconds. Default: 1,000. */
  readonly everyMs?: number
}

export type Feed = {
  /** The same store; what is written to it from now on is sent. */
  tap(store: Store): Store
  /** Sends what was changed last, and ends. */
  stop(): Promise<void>
}

/** Channels in one message; 300 bytes each. */
const MOST = 500
/** How often all is sent that is not settled. */
const AGAIN_MS = 600_000
const TIMEOUT_MS = 10_000

/** @throws {ConfigError} naming the setting that is wrong */
export function createFeed({ url, secret, log, everyMs = 1_000 }: FeedConfig): Feed {
  const office = createPostOffice(url, secret, TIMEOUT_MS)
  const stopping = new AbortController()
  const running: Promise<void>[] = []
  return {
    tap(store) {
      const line: Line = { office, log, everyMs, store, changed: new Map() }
      running.push(run(line, stopping.signal))
      return tapped(line)
    },
    stop: async () => {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

/** What is on its way: the newest of each channel. */
type Line = {
  readonly office: PostOffice
  readonly log: Log
  readonly everyMs: number
  readonly store: Store
  readonly changed: Map<ChannelKey, Channel>
}

function tapped({ store, changed }: Line): Store {
  const noted = async (update: Promise<Channel>) => {
    const channel = await update
    if (channel.voucher) changed.set(channel.key, channel)
    return channel
  }
  return {
    ...store,
    update: (key, change) => noted(store.update(key, change)),
    updateWithRecord: (key, name, change) => noted(store.updateWithRecord(key, name, change)),
  }
}

async function run(line: Line, signal: AbortSignal): Promise<void> {
  const { changed, everyMs, log } = line
  for (let allMs = 0; !signal.aborted;) {
    try {
      if (Date.now() - allMs >= AGAIN_MS) {
        await noteAll(line)
        allMs = Date.now()
      }
    } catch (error) {
      log('error', 'vouchers-not-read', { message: reasonOf(error) })
    }
    const isDelivered = await sendSome(line)
    if (!isDelivered || changed.size < MOST) await pause(isDelivered ? everyMs : 10 * everyMs, signal)
  }
  while (changed.size > 0 && (await sendSome(line)));
}

async function noteAll({ store, changed }: Line): Promise<void> {
  for await (const channel of store.list('unsettled')) if (!changed.has(channel.key)) changed.set(channel.key, channel)
}

/** Whether that was taken. What was not is kept, unless there is a newer one. */
async function sendSome({ office, log, changed }: Line): Promise<boolean> {
  const some = [...changed.values()].slice(0, MOST)
  if (some.length === 0) return true
  for (const { key } of some) changed.delete(key)
  const why = await office.send({ id: randomUUID(), body: messageOf(some) })
  if (why === undefined) return true
  for (const channel of some) if (!changed.has(channel.key)) changed.set(channel.key, channel)
  log('error', 'vouchers-not-delivered', { to: office.origin, channels: changed.size, message: why })
  return false
}

/** Amounts as decimal strings. Nothing of the sender: the chain has said who that is. */
function messageOf(channels: readonly Channel[]): string {
  const vouchers = channels.map(({ key, voucher, charged, closeAgreed }) => ({
    channel: key,
    cumulativeAmount: `${voucher?.cumulativeAmount ?? 0n}`,
    signature: voucher?.signature ?? '0x',
    charged: `${charged}`,
    ...(closeAgreed !== undefined && { closeAgreed: `${closeAgreed}` }),
  }))
  return JSON.stringify({ type: 'vouchers', timestamp: new Date().toISOString(), vouchers })
}
