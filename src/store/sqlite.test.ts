import { DatabaseSync } from '@photostructure/sqlite'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, StoreInUseError, StoreUnavailableError } from '../base/faults.ts'
import { channelOf, listed, plusOne } from '../../test/support/store-fixtures.ts'
import { storeSuite } from '../../test/support/store-suite.ts'
import { sqlite } from './sqlite.ts'

for (const options of [{}, { hotChannels: 2 }, { shared: true }]) {
  storeSuite(`sqlite(path, ${JSON.stringify(options)})`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'farthing-store-'))
    const open = () => sqlite(join(folder, 'channels.db'), options)
    return Promise.resolve({
      store: open(),
      reopen: () => Promise.resolve(open()),
      cleanup: () => rmSync(folder, { recursive: true }),
    })
  })
}

const { key } = channelOf(1)

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** What another program sees in the file. */
function ask(path: string, sql: string): unknown {
  const db = new DatabaseSync(path)
  try {
    return Object.values(db.prepare(sql).get() as object)
  } finally {
    db.close()
  }
}

describe('the file of sqlite()', () => {
  it('is made with its folder, for this user only, and so are its companions', async () => {
    const folder = newFolder()
    const modes: Record<string, string> = {}
    for (const shared of [true, false]) {
      const store = sqlite(join(folder, 'a', 'b', 'channels.db'), { shared })
      await store.update(key, plusOne(1))
      for (const name of readdirSync(join(folder, 'a', 'b'))) {
        modes[name] = (statSync(join(folder, 'a', 'b', name)).mode & 0o777).toString(8)
      }
      await store.close()
    }
    const files = ['channels.db', 'channels.db-wal', 'channels.db-shm', 'channels.db-mark']
    expect(modes).toEqual(Object.fromEntries(files.map((name) => [name, '600'])))
    expect((statSync(join(folder, 'a')).mode & 0o777).toString(8)).toBe('700')
  })

  it('is left alone with its mark after a close', async () => {
    const folder = newFolder()
    const store = sqlite(join(folder, 'channels.db'))
    await store.update(key, plusOne(1))
    await store.close()
    expect(readdirSync(folder)).toEqual(['channels.db', 'channels.db-mark'])
  })

  it('holds amounts as text', async () => {
    const path = join(newFolder(), 'channels.db')
    const store = sqlite(path)
    await store.update(key, () =>
      channelOf(1, { voucher: { cumulativeAmount: 7n, signature: '0x' }, withdrawableAt: { time: 9n } }),
    )
    await store.close()
    const amounts = ['deposit', 'settled', 'charged', 'cumulative_amount', 'block', 'withdrawable_time']
    expect(
      ask(
        path,
        `SELECT ${amounts.map((name) => `typeof(${name})`).join()} FROM channels JOIN ledger ON channel = number`,
      ),
    ).toEqual(amounts.map(() => 'text'))
  })

  it.each([':memory:', ''])('cannot be %j', (path) => {
    expect(() => sqlite(path)).toThrow(ConfigError)
  })

  it('points to memory() for a store in memory', () => {
    expect(() => sqlite(':memory:')).toThrow('memory()')
  })
})

describe('sqlite(path)', () => {
  it('refuses a second store on its file, in this process too, and gives the file back when it is closed', async () => {
    const path = join(newFolder(), 'channels.db')
    const store = sqlite(path)
    await store.update(key, plusOne(1))
    expect(() => sqlite(path)).toThrow(StoreInUseError)
    expect(() => sqlite(path, { shared: true, busyTimeoutMs: 20 })).toThrow(StoreInUseError)
    await store.update(key, plusOne(1))
    await store.close()
    const again = sqlite(path)
    expect(await again.get(key)).toMatchObject({ charged: 2n })
    await again.close()
  })

  it('refuses a file that somebody shares', async () => {
    const path = join(newFolder(), 'channels.db')
    const store = sqlite(path, { shared: true })
    expect(() => sqlite(path)).toThrow(StoreInUseError)
    await store.close()
    await sqlite(path).close()
  })

  it('names a channel whose row was written by somebody else', async () => {
    const path = join(newFolder(), 'channels.db')
    let store = sqlite(path)
    for (const number of [1, 2]) await store.update(channelOf(number).key, plusOne(number))
    await store.close()
    ask(
      path,
      `UPDATE ledger SET charged = '1e3' WHERE channel = (SELECT number FROM channels WHERE key = '${key}') RETURNING 1`,
    )
    store = sqlite(path)
    onTestFinished(() => store.close())
    await expect(store.get(key)).rejects.toThrow(StoreUnavailableError)
    await expect(store.update(key, plusOne(1))).rejects.toThrow(`${key} is damaged: its charged`)
    expect(await store.get(channelOf(2).key)).toMatchObject({ charged: 1n })
  })
})

describe('sqlite(path, { shared: true })', () => {
  it('sees at once what another store on the file has written', async () => {
    const path = join(newFolder(), 'channels.db')
    const [one, two] = [sqlite(path, { shared: true }), sqlite(path, { shared: true })]
    for (const store of [one, two, one, two]) await store.update(key, plusOne(1))
    await one.writeRecord('note:today', () => '4')
    expect(await two.readRecord('note:today')).toBe('4')
    expect((await listed(one))[0]).toEqual(await two.get(key))
    expect(await one.get(key)).toMatchObject({ charged: 4n })
    await Promise.all([one.close(), two.close()])
  })

  it('rejects when another process keeps the file locked, and goes on when it lets go', async () => {
    const path = join(newFolder(), 'channels.db')
    const store = sqlite(path, { shared: true, busyTimeoutMs: 30 })
    await store.update(key, plusOne(1))
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    for (const call of [
      store.update(key, plusOne(1)),
      store.writeRecord('a:b', () => 'c'),
      store.expireRecords('a:', 1),
    ]) {
      await expect(call).rejects.toThrow(StoreUnavailableError)
    }
    await expect(store.update(key, plusOne(1))).rejects.toThrow('locked by another process')
    expect([(await store.get(key))?.charged, await store.readRecord('a:b')]).toEqual([1n, undefined])
    other.exec('ROLLBACK')
    other.close()
    expect(await store.update(key, plusOne(1))).toMatchObject({ charged: 2n })
    await store.close()
  })

  it('waits for whoever is about to start the log', async () => {
    const path = join(newFolder(), 'channels.db')
    await sqlite(path).close()
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    expect(() => sqlite(path, { shared: true, busyTimeoutMs: 60 })).toThrow(StoreInUseError)
    expect(performance.now() - start).toBeGreaterThan(50)
    other.exec('ROLLBACK')
    other.close()
    await sqlite(path, { shared: true }).close()
  })
})
