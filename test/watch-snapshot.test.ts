/** A store that another process has for itself, read while that writes, after it was killed, and when it is not there. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { sqlite } from '../src/store/sqlite.ts'
import { copyWhole, withSnapshot } from '../src/store/sqlite-snapshot.ts'
import { bundle } from './faults/program.ts'
import { until } from './support/market.ts'
import { channelOf, listed, plusOne } from './support/store-fixtures.ts'

const folder = mkdtempSync(join(tmpdir(), 'farthing-snapshot-'))
let program: string
beforeAll(async () => {
  program = await bundle('store-process.ts')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A process that charges 20 channels as fast as it can, and says so after each commit. `charged`: what it has said. */
async function startWriter(path: string) {
  const child: ChildProcess = spawn(process.execPath, [program, 'charge', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const charged = new Map<number, bigint>()
  let rest = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines.filter((text) => /^\d+ \d+$/.test(text))) {
      const [number, amount] = line.split(' ')
      charged.set(Number(number), BigInt(amount!))
    }
  })
  await until(() => charged.size === 20)
  const kill = async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  return { charged, kill }
}

const readAll = (path: string) =>
  withSnapshot(path, folder, async (store) => {
    const channels = await listed(store)
    const records = await Promise.all(Array.from({ length: 20 }, (_, number) => store.readRecord(`count:${number}`)))
    return { channels, records }
  })

describe('a snapshot', () => {
  it('has all that was promised before it, whole, while another process writes thousands of commits', async () => {
    const path = join(folder, 'busy.db')
    const { charged, kill } = await startWriter(path)
    for (let look = 0; look < 40; look += 1) {
      const before = new Map(charged)
      const { channels, records } = await readAll(path)
      expect(channels.length).toBe(20)
      for (let number = 0; number < 20; number += 1) {
        const channel = channels.find(({ key }) => key === channelOf(number).key)!
        expect(channel.charged).toBeGreaterThanOrEqual(before.get(number)!)
        // Written in the same commit.
        expect(records[number]).toBe(`${channel.charged}`)
      }
    }
    const seen = new Map(charged)
    await until(() => [...charged].every(([number, amount]) => amount > seen.get(number)!))
    await kill()
  }, 60_000)

  it('has all that was promised before a kill, and leaves file and log to the next start', async () => {
    const path = join(folder, 'killed.db')
    const { charged, kill } = await startWriter(path)
    await kill()
    expect(existsSync(`${path}-wal`)).toBe(true)
    await withSnapshot(path, folder, async (store) => {
      for (const [number, amount] of charged)
        expect((await store.get(channelOf(number).key))!.charged).toBeGreaterThanOrEqual(amount)
      // While it is being read, the receiver starts again.
      const again = sqlite(path)
      await again.update(channelOf(1).key, plusOne(1))
      await again.close()
    })
  })

  it('is taken again when the log began anew between the copies of file and log', async () => {
    const path = join(folder, 'anew.db')
    const store = sqlite(path)
    const { key } = channelOf(1)
    await store.update(key, plusOne(1))
    const began = () => readFileSync(`${path}-wal`).subarray(0, 32).toString('hex')
    const first = began()
    let copies = 0
    await copyWhole(path, join(folder, 'copy.db'), async (...args) => {
      await copyFile(...args)
      copies += 1
      while (copies === 1 && began() === first)
        for (let change = 0; change < 50; change += 1) await store.update(key, plusOne(1))
    })
    const { charged } = (await store.get(key))!
    await store.close()
    expect(copies).toBe(4)
    const copy = sqlite(join(folder, 'copy.db'), { shared: true })
    expect((await copy.get(key))!.charged).toBe(charged)
    await copy.close()
  }, 30_000)

  it('is gone afterwards, and what was written to it too', async () => {
    const path = join(folder, 'quiet.db')
    const store = sqlite(path)
    await store.update(channelOf(1).key, plusOne(1))
    await store.close()
    await withSnapshot(path, folder, (copy) => copy.update(channelOf(1).key, plusOne(1)))
    expect(readdirSync(folder).filter((name) => name.startsWith('snapshot-'))).toEqual([])
    const after = sqlite(path)
    expect((await after.get(channelOf(1).key))!.charged).toBe(plusOne(1)(undefined).charged)
    await after.close()
    await expect(withSnapshot(path, folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(readdirSync(folder).filter((name) => name.startsWith('snapshot-'))).toEqual([])
  })

  it('of a file that is missing, or is none of ours, says so', async () => {
    await expect(readAll(join(folder, 'missing.db'))).rejects.toThrow(/missing\.db cannot be read: ENOENT/)
    const other = join(folder, 'other.db')
    writeFileSync(other, 'x'.repeat(4_096))
    await expect(readAll(other)).rejects.toThrow('is not a Farthing store')
  })
})
