/** Programs that tests run in processes of their own, to be killed, limited and restarted. */
import { build } from 'esbuild'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { LocalChain } from '../../src/cli/local-chain.ts'
import { newAccount, SECRET } from '../support/market.ts'
import type { Settings } from './receiver-process.ts'

const addons = ['@photostructure/sqlite', 'secp256k1']
const banner =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);'

/** One file that starts ten times as fast as its sources, where it still finds the native packages. */
export async function bundle(script: string): Promise<string> {
  const program = join(import.meta.dirname, '../../node_modules/.cache/farthing', `${basename(script, '.ts')}.mjs`)
  const outfile = `${program}.${process.pid}`
  await build({
    entryPoints: [join(import.meta.dirname, script)],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: addons,
    banner: { js: banner },
    outfile,
    logLevel: 'error',
  })
  // Whole or not at all, whoever else builds it or runs it now.
  renameSync(outfile, program)
  return program
}

/** What a receiver on this chain needs to be the same one after each start. */
export async function settingsFor(world: LocalChain, path: string): Promise<Settings> {
  const { privateKey, address } = await newAccount(world, 0n)
  const { chainId, escrow, raiden, token, anvil } = world
  return { rpc: anvil.url, key: privateKey, address, chainId, escrow, raiden, token, path, secret: SECRET, boot: 0 }
}

export type Running = {
  readonly url: string
  readonly child: ChildProcess
  /** What the process said on standard error so far. */
  said(): string
  /** Resolves when the process is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** Starts a receiver; `command` is put before it. Resolves when it sells. @throws what it said if it ends before */
export async function startReceiver(
  program: string,
  settings: Settings,
  command: readonly string[] = [],
): Promise<Running> {
  const words = [...command, process.execPath, program, JSON.stringify(settings)]
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    child.kill(signal)
    await exited
  }
  for await (const url of createInterface({ input: child.stdout })) return { url, child, said: () => said, end }
  await exited
  throw new Error(`the receiver ended before it sold anything: ${said}`)
}
