/**
 * A process that uses a store until something ends it; run by `store.test.ts`.
 *
 * It writes a line only when the promise behind it has resolved, so whatever the parent reads was promised.
 */
import { sqlite } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { channelOf, listed, plusOne } from '../support/store-fixtures.ts'

const [task, path = '', sharing, user] = process.argv.slice(2)

// Only now: that user may not even read this program where it was cloned to.
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

const say = (line: string) => process.stdout.write(`${line}\n`)

/** 64 requests at a time, on 20 channels, every other one with a record. */
async function charge(store: Store): Promise<never> {
  async function requests(worker: number): Promise<never> {
    for (let turn = 0; ; turn++) {
      const number = (worker * 7 + turn) % 20
      const { key } = channelOf(number)
      const withRecord = (current: Parameters<ReturnType<typeof plusOne>>[0]) => {
        const channel = plusOne(number)(current)
        return { channel, record: `${channel.charged}` }
      }
      const { charged } = await store.updateWithRecord(key, `count:${number}`, withRecord)
      say(`${number} ${charged}`)
    }
  }
  return Promise.race(Array.from({ length: 64 }, (_, worker) => requests(worker)))
}

/** New channels, eight at a time, until one is refused; then what is to be seen of all that. */
async function fill(store: Store): Promise<void> {
  let kept = 0
  for (let number = 0; ; number += 8) {
    const wanted = Array.from({ length: 8 }, (_, index) => number + index)
    const results = await Promise.allSettled(wanted.map((n) => store.update(channelOf(n).key, plusOne(n))))
    kept += results.filter(({ status }) => status === 'fulfilled').length
    const lost = results.find((result) => result.status === 'rejected')
    if (!lost) continue
    const seen = await Promise.all(wanted.map((n) => store.get(channelOf(n).key)))
    say(
      `${String(lost.reason)} kept ${kept} listed ${(await listed(store)).length} seen ${seen.filter(Boolean).length}`,
    )
    return
  }
}

async function add(store: Store): Promise<void> {
  await store.update(channelOf(1).key, plusOne(1))
  say('added')
}

async function run(): Promise<void> {
  const open = () => sqlite(path, { shared: sharing === 'shared' })
  if (task === 'reopen') {
    for (let time = 0; time < 50; time++) {
      const store = open()
      await add(store)
      await store.close()
    }
    return
  }
  const store = open()
  say('open')
  if (task === 'add') for (let time = 0; time < 5; time++) await add(store)
  if (task === 'charge') await charge(store)
  // The timer holds on to the store: one that nobody can reach is collected, and its lock with it.
  if (task === 'hold') await new Promise(() => setInterval(() => store.get, 1_000))
  if (task === 'fill') await fill(store)
}

try {
  await run()
} catch (error) {
  say(String(error))
}
