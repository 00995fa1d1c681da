/** The program as it is installed where some packages are left out, or do not exist for the platform. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Home } from './farthing.ts'

const root = join(import.meta.dirname, '..', '..')
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')

export type Lean = {
  /** What it prints and says until it ends, or until `isEnough`; then it is asked to end. */
  run(home: Home, args: readonly string[], isEnough?: (said: string) => boolean): Promise<string>
}

/** A copy without these packages; removed when the tests of the file are over. */
export function installWithout(...missing: readonly string[]): Lean {
  const folder = mkdtempSync(join(tmpdir(), 'farthing-lean-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'dist'), join(folder, 'dist'))
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!missing.includes(name)) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  const main = join(folder, 'src', 'cli', 'main.ts')
  return {
    run: (home, args, isEnough = () => false) => {
      const child = spawn(process.execPath, ['--import', tsx, main, ...args], { cwd: folder, env: home.env })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          said += chunk.toString()
          if (isEnough(said)) child.kill('SIGTERM')
        })
      }
      return new Promise((resolve) => child.once('close', () => resolve(said)))
    },
  }
}
