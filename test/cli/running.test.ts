/** Which `farthing dev` is meant, and that a dead one never is. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { homeFolder } from '../../src/cli/home.ts'
import { announceRun, devAt, runningDevs } from '../../src/cli/running.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'farthing-running-'))
  vi.stubEnv('FARTHING_HOME', home)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

const run = {
  url: 'http://127.0.0.1:4020',
  rpc: 'http://127.0.0.1:8545',
  chainId: 31_337,
  escrow: `0x${'e'.repeat(40)}`,
  token: `0x${'f'.repeat(40)}`,
  buyer: { address: `0x${'a'.repeat(40)}`, privateKey: `0x${'1'.repeat(64)}` },
} as const

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync('true').pid
}

function leave(pid: number, content: string): { file: string; folder: string } {
  const file = join(home, 'dev', `${pid}.json`)
  const folder = join(home, 'dev', `${pid}-1`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, content)
  return { file, folder }
}

describe('a run', () => {
  it('is found at its address, by every name of this machine, and nowhere else', () => {
    const forget = announceRun(run)
    for (const url of ['http://127.0.0.1:4020/x', 'http://localhost:4020/', 'http://[::1]:4020']) {
      expect(devAt(new URL(url))).toMatchObject({ ...run, pid: process.pid })
    }
    for (const url of ['http://127.0.0.1:4021', 'https://127.0.0.1:4020', 'http://127.0.0.2:4020', 'http://x:4020']) {
      expect(devAt(new URL(url))).toBeUndefined()
    }
    forget()
    expect(runningDevs()).toEqual([])
    expect(readdirSync(join(home, 'dev'))).toEqual([])
  })

  it('tells only its user', () => {
    announceRun(run)
    expect(statSync(join(home, 'dev', `${process.pid}.json`)).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, 'dev')).mode & 0o777).toBe(0o700)
  })

  it('has state of its own, which is not that of an earlier run with the same process id', () => {
    announceRun(run)
    const [first] = runningDevs()
    writeFileSync(join(first!.folder, 'state.db'), 'x')
    vi.useFakeTimers({ now: Date.now() + 5, toFake: ['Date'] })
    announceRun(run)
    vi.useRealTimers()
    const [second] = runningDevs()
    expect(second!.folder).not.toBe(first!.folder)
    expect(existsSync(first!.folder)).toBe(false)
  })

  it('that has died is ignored, and removed by the next', () => {
    const pid = deadPid()
    const left = leave(pid, JSON.stringify({ ...run, pid, startedMs: 1 }))
    expect(runningDevs()).toEqual([])
    expect(devAt(new URL(run.url))).toBeUndefined()
    announceRun({ ...run, url: 'http://127.0.0.1:4021' })
    expect([existsSync(left.file), existsSync(left.folder)]).toEqual([false, false])
  })

  it.each(['', '{', '{}', '[]', '{"pid":"1"}', JSON.stringify({ ...run, pid: process.pid, startedMs: 1, url: 'x' })])(
    'is not made of a broken file: %s',
    (content) => {
      leave(1, content)
      expect(runningDevs()).toEqual([])
    },
  )
})

describe('the home folder', () => {
  it('is FARTHING_HOME, else in the XDG state folder, else in the usual one', () => {
    expect(homeFolder({ FARTHING_HOME: '/h' })).toBe('/h')
    expect(homeFolder({ XDG_STATE_HOME: '/s' })).toBe('/s/farthing')
    expect(homeFolder({ XDG_STATE_HOME: 'relative' })).toMatch(/\.local\/state\/farthing$/)
  })
})
