/** What becomes of a SQLite store when processes are killed, disks are full and files may not be written. */
import { DatabaseSync } from '@photostructure/sqlite'
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { StoreInUseError, StoreUnavailableError } from '../../src/base/faults.ts'
import { sqlite } from '../../src/store/sqlite.ts'
import { channelOf, listed, plusOne } from '../support/store-fixtures.ts'

const isRoot = process.getuid?.() === 0
const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
const NOBODY = 65_534
const program = ['--import', 'tsx', join(import.meta.dirname, 'store-process.ts')]

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-faults-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function start(command: string, words: readonly string[]): ChildProcess {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function linesOf(child: ChildProcess): AsyncIterableIterator<string> {
  return createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** All that a process says, without its first line if that is `open`. */
async function said(child: ChildProcess): Promise<string> {
  const lines: string[] = []
  for await (const line of linesOf(child)) lines.push(line)
  return lines.filter((line) => line !== 'open').join('\n')
}

it('has every charge that was promised before a SIGKILL, and its record', async () => {
  const path = join(newFolder(), 'channels.db')
  const promised = new Map<number, bigint>()
  for (let round = 0; round < 5; round++) {
    for (const [number, charged] of await chargeUntilKilled(path, Math.floor(Math.random() * 4_000))) {
      promised.set(number, charged)
    }
    const store = sqlite(path)
    for (const [number, charged] of promised) {
      const kept = (await store.get(channelOf(number).key))!.charged
      expect(kept).toBeGreaterThanOrEqual(charged)
      expect(await store.readRecord(`count:${number}`)).toBe(`${kept}`)
      promised.set(number, kept)
    }
    await store.close()
  }
  expect(promised.size).toBe(20)
})

/** The last charge that was promised for each channel. What was in the pipe when the process died was promised as well. */
async function chargeUntilKilled(path: string, lines: number): Promise<ReadonlyMap<number, bigint>> {
  const child = start(process.execPath, [...program, 'charge', path])
  const exit = once(child, 'exit')
  const promised = new Map<number, bigint>()
  let left = lines
  for await (const line of linesOf(child)) {
    if (left-- === 0) child.kill('SIGKILL')
    if (line === 'open') continue
    const [number, charged] = line.split(' ').map(BigInt)
    const before = promised.get(Number(number)) ?? 0n
    if (charged! > before) promised.set(Number(number), charged!)
  }
  await exit
  return promised
}

it.runIf(hasStrace)(
  'has the disk sync every commit before it is promised (seen where strace is installed)',
  async () => {
    const folder = newFolder()
    const log = join(folder, 'calls')
    const tracer = ['-f', '-e', 'trace=fdatasync,fsync,write', '-o', log, process.execPath]
    for (const sharing of ['alone', 'shared']) {
      await said(start('strace', [...tracer, ...program, 'add', join(folder, sharing), sharing]))
      const calls = readFileSync(log, 'utf8').match(/f(data)?sync|"(open|added)/g)!
      const before = calls.flatMap((call, index) => (call === '"added' ? [calls[index - 1]] : []))
      expect(before).toHaveLength(5)
      for (const call of before) expect(call).toMatch(/sync/)
    }
  },
)

it('refuses a second process at once, and lets it in when the first was killed', async () => {
  const path = join(newFolder(), 'channels.db')
  const first = start(process.execPath, [...program, 'hold', path])
  await linesOf(first).next()
  expect(() => sqlite(path)).toThrow(new StoreInUseError(path))
  await kill(first)
  const store = sqlite(path)
  await store.update(channelOf(1).key, plusOne(1))
  expect(await said(start(process.execPath, [...program, 'hold', path]))).toContain('StoreInUseError')
  await store.close()
})

it('adds up what several processes do at once with a shared store, from its making on', async () => {
  const path = join(newFolder(), 'channels.db')
  const children = [1, 2, 3, 4].map(() => start(process.execPath, [...program, 'reopen', path, 'shared']))
  for (const lines of await Promise.all(children.map(said))) expect(lines).toBe(Array(50).fill('added').join('\n'))
  const store = sqlite(path)
  expect(await store.get(channelOf(1).key)).toMatchObject({ charged: 200n })
  await store.close()
})

it('keeps nothing of a commit for which a file could not grow, and says so', async () => {
  const path = join(newFolder(), 'channels.db')
  // Blocks of 512 bytes; the write that passes the limit fails with EFBIG.
  const words = ['-c', 'ulimit -f 2048; exec "$@"', 'sh', process.execPath, ...program, 'fill', path]
  const report = await said(start('sh', words))
  expect(report).toContain('StoreUnavailableError')
  const [, kept, listedThen, seen] = /kept (\d+) listed (\d+) seen (\d+)$/.exec(report)!.map(Number)
  expect([listedThen, seen]).toEqual([kept, 0])
  const store = sqlite(path)
  expect(await listed(store)).toHaveLength(kept!)
  expect(kept).toBeGreaterThan(100)
  await store.close()
})

it.runIf(isRoot)(
  'keeps nothing of a commit for which the disk is full, and goes on when there is room (needs root, for a disk of its own)',
  async () => {
    const folder = newFolder()
    const mount = (options: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
    mount('size=1m')
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]))
    const path = join(folder, 'channels.db')
    const store = sqlite(path)
    const kept: number[] = []
    const add = (number: number) => store.update(channelOf(number).key, plusOne(number))
    const error = await (async () => {
      for (let number = 0; ; number++) {
        try {
          await add(number)
          kept.push(number)
        } catch (caught) {
          return caught
        }
      }
    })()
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ message: `The store ${path} has no room to grow. Make room on its disk.` })
    expect(error).toHaveProperty('cause.errstr', 'database or disk is full')
    await expect(Promise.all([add(0), add(kept.length)])).rejects.toThrow('no room')
    expect(await listed(store)).toEqual(kept.map((number) => plusOne(number)(undefined)))
    expect(await store.get(channelOf(kept.length).key)).toBeUndefined()

    mount('remount,size=8m')
    expect(await add(0)).toMatchObject({ charged: 2n })
    await add(kept.length)
    await store.close()
    const again = sqlite(path)
    expect(await listed(again)).toHaveLength(kept.length + 1)
    await again.close()
  },
)

/** What a process of a user without privileges is told about `path`. */
async function toldOthers(folder: string, path: string, sharing: string): Promise<string> {
  if (isRoot) chownSync(folder, NOBODY, NOBODY)
  return said(start(process.execPath, [...program, 'open', path, sharing, ...(isRoot ? [`${NOBODY}`] : [])]))
}

it.each([
  { what: 'a file that it may not write', file: 0o400, folder: 0o700, journal: 'DELETE' },
  { what: 'a file that it may not write and that was not closed', file: 0o400, folder: 0o700, journal: 'WAL' },
  { what: 'a folder that it may not write', file: 0o600, folder: 0o500, journal: 'DELETE' },
])('refuses to open $what', async ({ file, folder: mode, journal }) => {
  const folder = newFolder()
  const path = join(folder, 'channels.db')
  await sqlite(path).close()
  const left = new DatabaseSync(path)
  left.exec(`PRAGMA journal_mode = ${journal}`)
  left.close()
  if (isRoot) chownSync(path, NOBODY, NOBODY)
  chmodSync(path, file)
  chmodSync(folder, mode)
  onTestFinished(() => chmodSync(folder, 0o700))
  for (const told of await Promise.all(['alone', 'shared'].map((sharing) => toldOthers(folder, path, sharing)))) {
    expect(told).toContain('StoreUnavailableError')
    expect(told).toMatch(/writ/)
  }
  const store = sqlite(path)
  await store.close()
})

it('refuses to make a store in a folder that it may not write', async () => {
  const folder = newFolder()
  mkdirSync(join(folder, 'closed'), { mode: 0o500 })
  expect(await toldOthers(folder, join(folder, 'closed', 'a', 'channels.db'), 'alone')).toContain(
    'cannot be written. Make the file and its folder writable',
  )
})
