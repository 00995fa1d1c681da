#!/usr/bin/env node
/**
 * Gets the benchmark ready and runs it: installs the peers if they are not there,
 * compiles it together with src/, as users get it, and starts `main.ts`.
 *
 *     npm run bench                        everything; takes a while
 *     npm run bench -- --quick             under two minutes
 *     npm run bench -- --json              ends with one JSON object
 *     npm run bench -- --only paid,door    some of the parts
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const root = join(here, '..')
const cache = join(root, 'node_modules', '.cache')

if (!existsSync(join(here, 'node_modules'))) {
  console.error('bench: the peers are not installed yet: npm ci --prefix bench')
  run('npm', ['ci', '--prefix', here, '--no-audit', '--no-fund'])
}

console.error('bench: compiling')
mkdirSync(cache, { recursive: true })
const built = mkdtempSync(join(cache, 'farthing-bench-'))
process.once('exit', () => rmSync(built, { recursive: true, force: true }))
process.on('SIGINT', () => undefined) // what runs hears it too and ends, then so do we
writeFileSync(join(built, 'package.json'), '{ "type": "module" }\n')
run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', here, '--outDir', built])
run(process.execPath, [join(built, 'bench', 'main.js'), ...process.argv.slice(2)], {
  NODE_ENV: 'production',
  BENCH_SOURCE: here,
})

/** What it prints on standard output is ours, except while things are got ready. */
function run(command, args, env) {
  const { status, error } = spawnSync(command, args, {
    stdio: ['ignore', env ? 1 : 2, 2],
    env: { ...process.env, ...env },
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
