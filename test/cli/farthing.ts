/**
 * The command line with a home of its own: as a process, which costs two seconds to start, or here in this one.
 * What is started ends with the test file.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Address, Hex } from 'viem'
import { afterAll, vi } from 'vitest'
import { exitCodes, sayEnding } from '../../src/cli/exit.ts'
import { createProgram } from '../../src/cli/program.ts'

export type Ran = {
  readonly code: number | null
  readonly bytes: Buffer
  readonly stdout: string
  readonly stderr: string
}

export type Ready = {
  readonly url: string
  readonly rpc: string
  readonly chainId: number
  readonly token: Address
  readonly escrow: Address
  readonly raiden: Address
  readonly receiver: Address
  readonly accounts: readonly { readonly address: Address; readonly privateKey: Hex }[]
}

export type Dev = Ready & {
  readonly pid: number
  readonly ready: string
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

const root = join(import.meta.dirname, '..', '..')
export const command = [process.execPath, '--import', 'tsx', join(root, 'src', 'cli', 'main.ts')] as const

/** A `farthing serve` that runs. */
export type Served = {
  readonly url: string
  readonly chainId: number
  readonly receiver: Address
  readonly rails: readonly { readonly protocol: string; readonly escrow: Address; readonly token: Address }[]
  readonly rest: string | null
  readonly stateFile: string
  readonly process: RunningProcess
}

export type RunningProcess = {
  readonly pid: number
  /** What it has said on standard error so far. */
  said(): string
  /** Told every line of standard output. */
  onLine(tell: (line: string) => void): void
  signal(name: NodeJS.Signals): void
  /** Its exit code. */
  readonly ended: Promise<number | null>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export type Home = {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  run(args: readonly string[], options?: { readonly input?: string; readonly env?: NodeJS.ProcessEnv }): Promise<Ran>
  /** The same program in this process: for the many small cases. One at a time. */
  here(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ran>
  dev(...args: string[]): Promise<Dev>
  /** Resolves when it is ready. */
  serve(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Served>
  start(args: readonly string[], env?: NodeJS.ProcessEnv): RunningProcess & { readonly firstLine: Promise<string> }
}

/** A fresh home, removed with everything that runs in it when the tests of the file are over. */
export function newHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-home-'))
  const { PATH, HOME, TMPDIR } = process.env
  const env = { PATH, HOME, TMPDIR, FARTHING_HOME: folder }
  const running = new Set<ChildProcess>()
  const start = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const [node, ...rest] = command
    const child = spawn(node, [...rest, ...args], { cwd: root, env: { ...env, ...more } })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return child
  }
  afterAll(async () => {
    await Promise.all([...running].map((child) => stop(child, 'SIGTERM')))
    rmSync(folder, { recursive: true, force: true })
  })
  const begin: Home['start'] = (args, more) => {
    const child = start(args, more)
    const said: string[] = []
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    const ready = firstLine(child)
    ready.catch(() => undefined) // not everyone waits for it
    return {
      pid: child.pid!,
      said: () => said.join(''),
      onLine: (tell) => void createInterface(child.stdout).on('line', tell),
      signal: (name) => void child.kill(name),
      ended: new Promise((resolve) => child.once('exit', resolve)),
      stop: (signal = 'SIGTERM') => stop(child, signal),
      firstLine: ready,
    }
  }
  return {
    folder,
    env,
    start: begin,
    serve: async (args, more) => {
      const running = begin(['serve', '--json', ...args], more)
      const ready = await running.firstLine
      if (!ready.startsWith('{"url":')) throw new Error(`it does not sell: ${ready}`)
      return { ...(JSON.parse(ready) as Omit<Served, 'process'>), process: running }
    },
    run: (args, { input = '', env: more } = {}) => {
      const child = start(args, more)
      child.stdin.on('error', () => undefined) // it need not read what it is given
      child.stdin.end(input)
      return outcomeOf(child)
    },
    here: (args, more) => runHere(args, { ...env, ...more }),
    dev: async (...args) => {
      const child = start(['dev', '--json', ...args])
      const ready = await firstLine(child)
      return {
        ...(JSON.parse(ready) as Ready),
        ready,
        pid: child.pid!,
        stop: (signal = 'SIGTERM') => stop(child, signal),
      }
    },
  }
}

async function runHere(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  for (const name of ['stdout', 'stderr'] as const) {
    const write = (chunk: string | Uint8Array, done?: BufferEncoding | (() => void)) => {
      said[name].push(Buffer.from(chunk))
      if (typeof done === 'function') done()
      return true
    }
    vi.spyOn(process[name], 'write').mockImplementation(write)
  }
  for (const name of Object.keys(process.env)) if (name.startsWith('FARTHING_')) vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  let code: number = exitCodes.ok
  try {
    await createProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    code = sayEnding(error, args.includes('--json'))
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  }
  const bytes = Buffer.concat(said.stdout)
  return { code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(said.stderr).toString() }
}

function outcomeOf(child: ChildProcess): Promise<Ran> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const bytes = Buffer.concat(out)
      resolve({ code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(err).toString() })
    })
  })
}

export function firstLine(child: ChildProcess): Promise<string> {
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!).once('line', resolve)
    child.once('exit', () => reject(new Error(`ended before it was ready: ${complaint}`)))
  })
}

function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill(signal)
  })
}

export async function rpc(url: string, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
  if (error) throw new Error(`${method}: ${error.message}`)
  return result
}

/** Transactions that an account has sent. */
export async function sentBy(dev: Ready, address: Address): Promise<number> {
  return Number(await rpc(dev.rpc, 'eth_getTransactionCount', address, 'latest'))
}

/** Base units that an account holds. */
export async function tokensOf(dev: Ready, address: Address): Promise<bigint> {
  const data = `0x70a08231${address.slice(2).toLowerCase().padStart(64, '0')}`
  return BigInt((await rpc(dev.rpc, 'eth_call', { to: dev.token, data }, 'latest')) as string)
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
