/**
 * Follows docs/tutorial/first-request.md: its files are written, its commands
 * run in a shell, and what they print is what the page shows, in that order.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocksOf, type Block } from './pages.ts'
import { entryPoints, root } from './sources.ts'

const page = 'docs/tutorial/first-request.md'
/** The port in the page. A free one stands for it here. */
const PORT = '3000'

const folder = mkdtempSync(join(tmpdir(), 'farthing-tutorial-'))
const running: { readonly child: ChildProcess; readonly ended: Promise<void> }[] = []
let port: string

beforeAll(async () => {
  port = await freePort()
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const paths = Object.fromEntries([...entryPoints()].map(([name, path]) => [name, [join(root, path)]]))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { paths } }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeCommands()
})

afterAll(async () => {
  for (const { child, ended } of running.reverse()) {
    if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true })
})

it('the tutorial works as it is written', { timeout: 120_000 }, async () => {
  const blocks = blocksOf(page)
  for (const [index, { language, lines }] of blocks.entries()) {
    const text = `${lines.join('\n')}\n`.replaceAll(PORT, port)
    if (language === 'ts') writeFileSync(join(folder, nameIn(text)), text)
    if (language === 'sh') await follow(text.trim(), shownBy(blocks[index + 1]))
  }
  expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(5)
})

/** What the page shows below a command, line by line; `…` is anything. */
function shownBy(next: Block | undefined): RegExp[] {
  if (next?.language !== 'text') return []
  return next.lines.map((line) => {
    const parts = line.replaceAll(PORT, port).split('…')
    return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}\\r?$`, 'mi')
  })
}

/** Runs a command until it has ended, or has done what the page wants of it: servers go on. */
async function follow(command: string, shown: readonly RegExp[]): Promise<void> {
  const env = { ...process.env, PATH: `${join(folder, 'commands')}:${process.env.PATH ?? ''}` }
  const child = spawn('sh', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const state = { over: false }
  const ended = new Promise<void>((resolve) => child.once('close', resolve)).then(() => void (state.over = true))
  running.push({ child, ended })
  let printed = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const [, written] = /> (\S+)$/.exec(command) ?? []
  const isDone = () =>
    written === undefined ? shown.length > 0 && missing(printed, shown) === undefined : hasLine(written)
  while (!state.over && !isDone()) await Promise.race([ended, pause(20)])
  const failed = (child.exitCode ?? 0) !== 0
  const found = { command, missing: missing(printed, shown), failed, printed, complaints }
  expect(found).toEqual({ ...found, missing: undefined, failed: false })
}

/** The first pattern that does not come after those before it. */
function missing(printed: string, shown: readonly RegExp[]): RegExp | undefined {
  let rest = printed
  return shown.find((line) => {
    const match = line.exec(rest)
    if (match) rest = rest.slice(match.index + match[0].length)
    return match === null
  })
}

function nameIn(program: string): string {
  const [, name] = /^\/\/ ([\w-]+\.ts)\n/.exec(program) ?? []
  if (name === undefined) throw new Error(`a program of ${page} does not begin with its name`)
  return name
}

function hasLine(file: string): boolean {
  const path = join(folder, file)
  return existsSync(path) && readFileSync(path, 'utf8').endsWith('\n')
}

/** What is installed and built in a clone stands here already: the commands run the sources. */
function writeCommands(): void {
  const tsx = join(root, 'node_modules/.bin/tsx')
  const commands = {
    npm: '[ "$*" = ci ]',
    npx: `case "$1" in
      tsx) shift; exec ${tsx} "$@" ;;
      farthing) shift; exec ${tsx} --tsconfig ${join(root, 'tsconfig.json')} ${join(root, 'src/cli/main.ts')} "$@" ;;
    esac
    exit 1`,
  }
  mkdirSync(join(folder, 'commands'))
  for (const [name, body] of Object.entries(commands)) {
    writeFileSync(join(folder, 'commands', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }
}

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `${port}`
}
