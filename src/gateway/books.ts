/**
 * The channels of a rail that have not ended, by sender.
 *
 * There is no index of them in the store, so it is read from end to end. What
 * was read is used again for nine times as long as the reading took: whoever
 * asks without pause gets a tenth of the time for it and no more.
 */
import type { Address } from 'viem'
import type { Channel } from '../channel/channel.ts'
import { countPending, listChannels, statisticsOf, type Statistics } from '../receiver/admin.ts'
import type { AnyRail } from '../receiver/rail.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type Book = {
  readonly channels: readonly Channel[]
  readonly bySender: ReadonlyMap<Address, readonly Channel[]>
  readonly statistics: Statistics
  /** Channels that were seen opening and are not deep enough. */
  readonly pending: number
  /** Long answers that were made of this book, to be given again. */
  readonly texts: Map<string, string>
}

export type Books = {
  /** As it is, or as it was a moment ago. */
  recent(): Promise<Book>
}

const REST = 9

export function createBooks(receiver: Receiver, rail: AnyRail): Books {
  let reading: Promise<Book> | undefined
  let untilMs = 0
  async function readNow(): Promise<Book> {
    const startMs = performance.now()
    untilMs = Infinity
    try {
      return await readBook(receiver, rail)
    } finally {
      const endMs = performance.now()
      untilMs = endMs + REST * (endMs - startMs)
    }
  }
  return {
    recent() {
      if (!reading || performance.now() >= untilMs) reading = readNow()
      return reading
    },
  }
}

async function readBook(receiver: Receiver, rail: AnyRail): Promise<Book> {
  const channels: Channel[] = []
  const bySender = new Map<Address, Channel[]>()
  for await (const found of listChannels(receiver)) {
    const { channel } = found
    if (found.rail !== rail || channel.status === 'closed') continue
    channels.push(channel)
    const own = bySender.get(channel.sender)
    if (own) own.push(channel)
    else bySender.set(channel.sender, [channel])
  }
  const pending = await countPending(receiver, rail)
  return { channels, bySender, statistics: statisticsOf(channels), pending, texts: new Map() }
}
