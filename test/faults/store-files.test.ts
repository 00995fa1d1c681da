/** Files that are not what a store left behind are refused and left as they are. */
import { DatabaseSync } from '@photostructure/sqlite'
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../src/base/faults.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { channelOf, listed, plusOne } from '../support/store-fixtures.ts'

let path: string

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-files-'))
  path = join(folder, 'channels.db')
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

async function fillStore(): Promise<void> {
  const store = sqlite(path)
  await Promise.all(Array.from({ length: 40 }, (_, number) => store.update(channelOf(number).key, plusOne(number))))
  await store.close()
}

function refusal(shared: boolean): unknown {
  const before = readFileSync(path)
  try {
    void sqlite(path, { shared, busyTimeoutMs: 50 }).close()
  } catch (error) {
    expect(readFileSync(path).equals(before)).toBe(true)
    return error
  }
  throw new Error('The file was opened.')
}

describe.each([{ shared: false }, { shared: true }])('sqlite(path, { shared: $shared })', ({ shared }) => {
  it.each([
    ['text', Buffer.from('{"channels":[]}\n'.repeat(1024))],
    ['a page of zeros', Buffer.alloc(4096)],
    ['random bytes', Buffer.from(Array.from({ length: 8192 }, (_, index) => (index * 167 + 13) % 256))],
  ])('refuses a file of %s', (_, bytes) => {
    writeFileSync(path, bytes)
    const error = refusal(shared)
    expect(error).toBeInstanceOf(ConfigError)
    expect(String(error)).toMatch(/not a Farthing store|another program's database/)
  })

  it("refuses another program's database, and leaves it unlocked", () => {
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE channels (key TEXT); PRAGMA user_version = 1')
    other.close()
    expect(refusal(shared)).toBeInstanceOf(ConfigError)
    expect(String(refusal(shared))).toContain("another program's database")
    const owner = new DatabaseSync(path)
    owner.exec('BEGIN EXCLUSIVE; COMMIT')
    owner.close()
  })

  it('refuses the store of a newer version', async () => {
    await fillStore()
    const newer = new DatabaseSync(path)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    expect(refusal(shared)).toBeInstanceOf(ConfigError)
    expect(String(refusal(shared))).toContain('has version 99, this program knows 3')
  })

  it.each([0, 1, 100, 4095, 4096, 3 * 4096, -4096, -1])(
    'refuses a store that was cut off at %d bytes',
    async (bytes) => {
      await fillStore()
      const { length } = readFileSync(path)
      truncateSync(path, bytes < 0 ? length + bytes : bytes)
      const error = refusal(shared)
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(String(error)).toMatch(/cut off|damaged/)
    },
  )

  it('refuses to start anew beside the log of a store that is missing', async () => {
    const store = sqlite(path)
    await store.update(channelOf(1).key, plusOne(1))
    copyFileSync(`${path}-wal`, `${path}.kept`)
    await store.close()
    renameSync(path, `${path}.moved`)
    renameSync(`${path}.kept`, `${path}-wal`)
    expect(() => sqlite(path, { shared })).toThrow('is missing, but its log is there')
    renameSync(`${path}.moved`, path)
    const back = sqlite(path, { shared })
    expect(await listed(back)).toHaveLength(1)
    await back.close()
  })

  it('refuses a folder', () => {
    mkdirSync(path)
    expect(() => sqlite(path, { shared })).toThrow(StoreUnavailableError)
  })
})

it('refuses a store whose pages are damaged, and does not touch it', async () => {
  await fillStore()
  const bytes = readFileSync(path)
  bytes.fill(0xff, 2 * 4096)
  writeFileSync(path, bytes)
  expect(() => sqlite(path)).toThrow('is damaged. Stop, keep the file, and restore a backup.')
  // All but the first page, which says how the file is logged.
  expect(readFileSync(path).subarray(4096).equals(bytes.subarray(4096))).toBe(true)
})

it('rejects what needs a page that is damaged', async () => {
  await fillStore()
  const bytes = readFileSync(path)
  // Where the channels are; what is read at the opening is elsewhere.
  const row = bytes.indexOf(channelOf(1).key)
  bytes.fill(0xff, row - (row % 4096), row - (row % 4096) + 4096)
  writeFileSync(path, bytes)
  const store = sqlite(path)
  await expect(listed(store)).rejects.toThrow('is damaged. Stop, keep the file, and restore a backup.')
  await expect(store.update(channelOf(1).key, plusOne(1))).rejects.toThrow(StoreUnavailableError)
  await store.close()
})
