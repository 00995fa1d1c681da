/** What one payment is made of, each part by itself, in microseconds. */
import { join } from 'node:path'
import { charge } from '../../src/channel/ledger.ts'
import { median } from '../measure.ts'
import { openStore, seed } from '../servers/shop.ts'
import { PRICE } from '../world.ts'
import { checkSigner, takeOne, type Counter, type Incoming } from './payments.ts'

/** Microseconds of each part, in the order in which they happen. */
export type Parts = Readonly<Record<string, number>>

const BATCH = 200
/** Requests that are on their way to the disk together. */
const TOGETHER = 64

/** `folder` is for a store on the disk. */
export async function partsOf(counter: Counter, rounds: number, folder: string): Promise<Parts> {
  const { rail, receiver } = counter
  const path = join(folder, 'parts.db')
  const [onDisk, inMemory] = [openStore('sqlite', path), openStore('memory', path)]
  const channels = counter.next(TOGETHER).map(({ channel }) => channel)
  await Promise.all([onDisk, inMemory].map((store) => seed(store, channels)))
  const parts: Readonly<Record<string, (batch: readonly Incoming[]) => unknown>> = {
    'read the headers': each(({ ask }) => rail.dialect.readPayment(ask.headers)),
    digest: each(({ channel, voucher }) => rail.digest(channel, voucher.cumulativeAmount)),
    'check the signer': each(checkSigner),
    ledger: each(({ channel, voucher }) => charge(channel, voucher, PRICE, rail.dialect.due)),
    'store, memory': eachAwaited(({ channel }) => inMemory.update(channel.key, touch)),
    'store, SQLite, 64 together': (batch) =>
      Promise.all(batch.slice(0, TOGETHER).map(({ channel }) => onDisk.update(channel.key, touch))),
    'all of it, memory': eachAwaited((payment) => takeOne(receiver, payment)),
  }
  const times = new Map(Object.keys(parts).map((name) => [name, new Array<number>()]))
  for (let round = 0; round < rounds; round += 1) {
    const batch = counter.next(BATCH)
    for (const [name, run] of Object.entries(parts)) {
      const start = performance.now()
      await run(batch)
      const done = name.includes('together') ? TOGETHER : BATCH
      times.get(name)?.push(((performance.now() - start) * 1000) / done)
    }
  }
  await onDisk.close()
  return Object.fromEntries([...times].map(([name, all]) => [name, median(all)]))
}

function each(run: (payment: Incoming) => unknown) {
  return (batch: readonly Incoming[]) => {
    for (const payment of batch) run(payment)
  }
}

function eachAwaited(run: (payment: Incoming) => Promise<unknown>) {
  return async (batch: readonly Incoming[]) => {
    for (const payment of batch) await run(payment)
  }
}

function touch(channel: Incoming['channel'] | undefined): Incoming['channel'] {
  if (!channel) throw new Error('the channel is not there')
  return { ...channel, charged: channel.charged + 1n }
}
