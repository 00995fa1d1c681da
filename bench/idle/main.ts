/** A store with many channels: made in one process, opened in another, which says what that costs. */
import { setTimeout as pause } from 'node:timers/promises'
import { toHex } from 'viem'
import type { Channel } from '../../src/channel/channel.ts'
import { serveParent } from '../process/answer.ts'
import { openStore, receiverOf, seed } from '../servers/shop.ts'
import { channelOf, PRICE, type World } from '../world.ts'

export type IdleSettings = { readonly world: World; readonly path: string; readonly channels: number }

export type IdleQuestion = 'seed' | 'start'

/** What opening the store and starting a receiver on it took. */
export type Started = {
  readonly seconds: number
  /** Of the whole process, and of the part that V8 counts, per channel. */
  readonly bytesPerChannel: number
  readonly heapBytesPerChannel: number
}

const CHUNK = 10_000

await serveParent<IdleSettings, IdleQuestion>((settings) =>
  Promise.resolve({ facts: {}, answer: (question) => (question === 'seed' ? fill(settings) : start(settings)) }),
)

async function fill({ world, path, channels }: IdleSettings): Promise<void> {
  const store = openStore('sqlite', path)
  for (let from = 0; from < channels; from += CHUNK) {
    const count = Math.min(CHUNK, channels - from)
    await seed(
      store,
      Array.from({ length: count }, (_, index) => idleChannel(world, from + index)),
    )
  }
  await store.close()
}

/** Paid once and not settled yet: the most that there is to remember of an idle channel. */
function idleChannel(world: World, index: number): Channel {
  const channel = channelOf('rdn', world, toHex(index + 1, { size: 20 }), index)
  const signature = toHex(BigInt(index + 1), { size: 65 })
  return { ...channel, charged: PRICE, voucher: { cumulativeAmount: PRICE, signature } }
}

async function start({ world, path, channels }: IdleSettings): Promise<Started> {
  const before = await memoryNow()
  const begin = performance.now()
  const store = openStore('sqlite', path)
  const receiver = receiverOf('rdn', world, store)
  await receiver.start()
  const seconds = (performance.now() - begin) / 1000
  await calm()
  const after = await memoryNow()
  await receiver.stop()
  await store.close()
  return {
    seconds,
    bytesPerChannel: (after.rss - before.rss) / channels,
    heapBytesPerChannel: (after.heapUsed + after.external - before.heapUsed - before.external) / channels,
  }
}

/** Waits until nothing goes on in the background any more. */
async function calm(): Promise<void> {
  for (;;) {
    const { user, system } = process.cpuUsage()
    await pause(500)
    const now = process.cpuUsage()
    if (now.user + now.system - user - system < 25_000) return
  }
}

async function memoryNow(): Promise<NodeJS.MemoryUsage> {
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc?.()
    await pause(50)
  }
  return process.memoryUsage()
}
