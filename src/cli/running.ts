/**
 * Which `farthing dev` runs on this machine, so that `farthing get` needs no options.
 *
 * Each run has a file with its process id and a folder of its own: a new chain
 * must never meet the channels of an older one. What a dead run left is ignored,
 * and removed by the next one.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hex } from 'viem'
import * as read from '../base/read.ts'
import { homeFolder, makePrivateFolder } from './home.ts'

export type DevRun = {
  readonly pid: number
  readonly url: string
  readonly rpc: string
  readonly chainId: number
  readonly escrow: Address
  /** The `RaidenChannels` for the same token. */
  readonly raiden?: Address
  readonly token: Address
  /** Buys with what this chain gave it; its key is public. */
  readonly buyer: { readonly address: Address; readonly privateKey: Hex }
  /** For state that ends with the run. */
  readonly folder: string
}

/** Makes the run known. Returns what makes it unknown again and removes its state. */
export function announceRun(run: Omit<DevRun, 'pid' | 'folder'>): () => void {
  const runs = makePrivateFolder(runsFolder())
  for (const { file, folder, pid } of filesIn(runs)) if (!isAlive(pid) || pid === process.pid) remove(file, folder)
  const { pid } = process
  const startedMs = Date.now()
  const file = join(runs, `${pid}.json`)
  const folder = makePrivateFolder(folderOf(runs, pid, startedMs))
  writeFileSync(`${file}.new`, JSON.stringify({ ...run, pid, startedMs }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return () => remove(file, folder)
}

/** The running ones, the newest first. */
export function runningDevs(): DevRun[] {
  return filesIn(runsFolder())
    .filter(({ pid }) => isAlive(pid))
    .sort((a, b) => b.startedMs - a.startedMs)
}

/** The run that sells at this address. */
export function devAt(url: URL): DevRun | undefined {
  return runningDevs().find((run) => placeOf(new URL(run.url)) === placeOf(url))
}

/** Every name of this machine means the same server. */
function placeOf(url: URL): string {
  return `${url.protocol}//${isLoopback(url) ? '127.0.0.1' : url.hostname}:${url.port}`
}

export function isLoopback({ hostname }: URL): boolean {
  return ['localhost', '[::1]', '127.0.0.1'].includes(hostname)
}

function runsFolder(): string {
  return join(homeFolder(), 'dev')
}

type Filed = DevRun & { readonly file: string; readonly startedMs: number }

function filesIn(folder: string): Filed[] {
  return namesIn(folder).flatMap((name) => {
    try {
      return [readRun(folder, name)]
    } catch {
      return [] // half written, or from another version: not ours to use
    }
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^\d+\.json$/.test(name))
  } catch {
    return []
  }
}

function readRun(runs: string, name: string): Filed {
  const file = join(runs, name)
  const run = read.jsonObject(readFileSync(file, 'utf8'), 'run')
  const text = (name: string) => read.text(read.member(run, name), name)
  const buyer = read.object(read.member(run, 'buyer'), 'buyer')
  const pid = read.count(read.member(run, 'pid'), 'pid')
  const startedMs = read.count(read.member(run, 'startedMs'), 'startedMs')
  const raiden = read.optional(read.member(run, 'raiden'), 'raiden', read.address)
  return {
    file,
    folder: folderOf(runs, pid, startedMs),
    pid,
    startedMs,
    url: new URL(text('url')).origin,
    rpc: text('rpc'),
    chainId: read.count(read.member(run, 'chainId'), 'chainId'),
    escrow: read.address(text('escrow'), 'escrow'),
    ...(raiden && { raiden }),
    token: read.address(text('token'), 'token'),
    buyer: {
      address: read.address(read.member(buyer, 'address'), 'address'),
      privateKey: read.hash(read.member(buyer, 'privateKey'), 'privateKey'),
    },
  }
}

/** Not in the file: what is removed with a run is named by the run alone. */
function folderOf(runs: string, pid: number, startedMs: number): string {
  return join(runs, `${pid}-${startedMs}`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function remove(file: string, folder: string): void {
  rmSync(file, { force: true })
  rmSync(folder, { recursive: true, force: true })
}
