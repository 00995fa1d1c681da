#!/usr/bin/env node
/**
 * The Solidity compiler from npm, in the shape forge expects of a native one.
 *
 * There is no native build of solc on npm, and forge downloads nothing when `solc` is set. The version comes from
 * package.json because starting the WebAssembly only to ask for it would cost every forge command half a second.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const args = process.argv.slice(2)

if (args.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${require('solc/package.json').version}`)
} else if (args.includes('--standard-json')) {
  process.stdout.write(require('solc').compile(readFileSync(0, 'utf8')))
} else {
  console.error(`solc.mjs: cannot handle "${args.join(' ')}"; forge calls it with --version or --standard-json`)
  process.exitCode = 1
}
