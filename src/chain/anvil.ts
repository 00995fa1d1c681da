/**
 * Starts anvil, a chain of one's own for development and tests.
 *
 * It listens on this machine only, and it ends with us: a shell that reads from
 * us ends it when we are gone, also when we were killed. Its keys are public.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { isHex, type Address, type Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { ConfigError } from '../base/faults.ts'

export type AnvilOptions = {
  /** 0, the default, takes one that is free. */
  readonly port?: number
  readonly chainId?: number
  /** How many accounts with coins. Default 10. */
  readonly accounts?: number
  /** Seconds between blocks; without it each transaction gets its block at once. */
  readonly blockTime?: number
  /** Path of the binary; default: {@link findAnvil}. */
  readonly bin?: string
  /** More of anvil's own arguments. */
  readonly args?: readonly string[]
}

export type AnvilAccount = { readonly address: Address; readonly privateKey: Hex }

export type Anvil = {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly accounts: readonly AnvilAccount[]
  /** Resolves when the process has ended. */
  stop(): Promise<void>
}

/** `ANVIL_BIN`, else the one installed next to this package, else the one on the `PATH`. undefined: there is none. */
export function findAnvil(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env['ANVIL_BIN']) return env['ANVIL_BIN']
  const installed = ancestors(import.meta.dirname).map((folder) => join(folder, 'node_modules', '.bin'))
  const onPath = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...installed, ...onPath].map((folder) => join(folder, 'anvil')).find(isExecutable)
}

/**
 * Resolves when anvil listens.
 *
 * @throws {ConfigError} if there is no anvil, the port is taken, or anvil does not like its arguments
 */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const bin = options.bin ?? findAnvil()
  if (!bin)
    throw new ConfigError(
      'anvil',
      'is not installed. Run `npm install -D @foundry-rs/anvil`, or set ANVIL_BIN to the binary.',
    )
  const child = spawn(bin, argumentsOf(options), { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  const text = await readUntilListening(child, bin, options.port ?? 0)
  const guard = guardAgainstOurDeath(child)
  void ended.then(() => guard?.kill())
  const port = Number(LISTENING.exec(text)?.[1])
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    accounts: accountsOf(text),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

const LISTENING = /Listening on 127\.0\.0\.1:(\d+)/

function argumentsOf({ port = 0, chainId, accounts, blockTime, args = [] }: AnvilOptions): string[] {
  const numbers = { port, 'chain-id': chainId, accounts, 'block-time': blockTime }
  const given = Object.entries(numbers).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, `${value}`],
  )
  return ['--host', '127.0.0.1', ...given, ...args]
}

/** What anvil printed until it listened. */
function readUntilListening(child: ChildProcess, bin: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.stdout?.on('data', (chunk: Buffer) => {
      if (LISTENING.test(text)) return
      text += chunk.toString()
      if (LISTENING.test(text)) resolve(text)
    })
    child.once('error', ({ message }) => reject(new ConfigError('anvil', `${bin} cannot be started: ${message}.`)))
    child.once('close', () => reject(refusal(`${text}\n${complaint}`, port)))
  })
}

function refusal(said: string, port: number): ConfigError {
  if (/address (already )?in use/i.test(said)) {
    return new ConfigError('port', `${port} is in use. Stop what listens there, or take another; 0 finds a free one.`)
  }
  return new ConfigError('anvil', `did not start: ${(/error: (.*)/.exec(said)?.[1] ?? said).trim().slice(0, 300)}`)
}

function accountsOf(text: string): AnvilAccount[] {
  const keys = [...text.matchAll(/^\(\d+\) (0x[0-9a-f]{64})$/gm)].map(([, hex]) => hex).filter((hex) => isHex(hex))
  return keys.map((privateKey) => ({ address: privateKeyToAddress(privateKey), privateKey }))
}

/** A shell that waits for our end of its input to close, which it does however we end. */
function guardAgainstOurDeath(child: ChildProcess): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const guard = spawn('sh', ['-c', 'read -r _; kill "$1"', 'sh', `${child.pid ?? 0}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a shell, anvil outlives a process that is killed; nothing else depends on it.
  guard.on('error', () => undefined)
  guard.unref()
  return guard
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestors(parent)]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
