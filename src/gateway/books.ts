/**
 * The channels of a rail that have not ended, by sender.
 *
 * There is no index of them in the store, so it is read from end to end. What
 * was read is used again for nine times as long as the reading took: whoever
 * asks without pause gets a tenth of the time for it and no more. Others get
 * their turn in between, however many channels there are.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { getAddress, type Address } from 'viem'
import type { Channel } from '../channel/channel.ts'
import { countPending, listChannels, statisticsOf, type Statistics } from '../receiver/admin.ts'
import type { AnyRail } from '../receiver/rail.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type Book = {
  readonly bySender: ReadonlyMap<Address, Entry>
  readonly statistics: Statistics
  /** Channels that were seen opening and are not deep enough. */
  readonly pending: number
  /** Long answers that were made of this book, to be given again. */
  readonly texts: Map<string, Promise<string>>
}

/** `name` is the address with its checksum, which takes long to compute. */
export type Entry = { readonly name: Address; readonly channels: Channel[] }

export type Books = {
  /** As it is, or as it was a moment ago. */
  recent(): Promise<Book>
}

const REST = 9
const CHUNK = 500

export function createBooks(receiver: Receiver, rail: AnyRail): Books {
  let reading: Promise<Book> | undefined
  let names: ReadonlyMap<Address, Address> = new Map()
  async function readNow(): Promise<Book> {
    const startMs = performance.now()
    try {
      const book = await readBook(receiver, rail, names)
      names = new Map([...book.bySender].map(([sender, { name }]) => [sender, name]))
      return book
    } finally {
      const forget = () => {
        reading = undefined
      }
      setTimeout(forget, REST * (performance.now() - startMs)).unref()
    }
  }
  return { recent: () => (reading ??= readNow()) }
}

/** Calls `look` with each, and lets others have their turn: a store in memory gives all of them at once. */
export async function inTurns<T>(items: Iterable<T> | AsyncIterable<T>, look: (item: T) => void): Promise<void> {
  let count = 0
  for await (const item of items) {
    look(item)
    count += 1
    if (count % CHUNK === 0) await turn()
  }
}

async function readBook(receiver: Receiver, rail: AnyRail, names: ReadonlyMap<Address, Address>): Promise<Book> {
  const channels: Channel[] = []
  const bySender = new Map<Address, Entry>()
  await inTurns(listChannels(receiver), ({ channel, rail: own }) => {
    if (own !== rail || channel.status === 'closed') return
    channels.push(channel)
    const { sender } = channel
    const entry = bySender.get(sender)
    if (entry) entry.channels.push(channel)
    else bySender.set(sender, { name: names.get(sender) ?? getAddress(sender), channels: [channel] })
  })
  return { bySender, statistics: statisticsOf(channels), pending: await countPending(receiver, rail), texts: new Map() }
}
