#!/usr/bin/env node
/**
 * The contracts' tests for a night. `npm run test:long` runs them.
 *
 *     npm run test:long                     10,000 runs of each invariant, 100 calls in each, then every fuzz test 100,000 times
 *     npm run test:long -- --runs 500       fewer runs, and no fuzz tests
 *     npm run test:long -- --seed 7         the same runs as another time
 *
 * Invariants go in parts, as many at a time as there are cores, each with a seed of its own that can be repeated:
 * forge says nothing of a run of hours before its end.
 */
import { execFile, execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs, promisify } from 'node:util'

const RUNS = 10_000
const RUNS_IN_PART = 100
const contracts = ['InvariantsTest', 'RaidenInvariantsTest']

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } })
const runs = Number(values.runs ?? RUNS)
const firstSeed = Number(values.seed ?? randomInt(2 ** 47))
const root = new URL('..', import.meta.url)
const env = { ...process.env, FOUNDRY_PROFILE: 'long' }

execFileSync('forge', ['build'], { cwd: root, stdio: 'inherit', env })
console.log(`Seed ${firstSeed}, ${availableParallelism()} at a time`)
for (const contract of contracts) await runInvariants(contract)
if (values.runs === undefined)
  execFileSync('forge', ['test', '--no-match-test', 'invariant_'], { cwd: root, stdio: 'inherit', env })

async function runInvariants(contract) {
  const parts = Array.from({ length: Math.ceil(runs / RUNS_IN_PART) }, (_, index) => index)
  const start = Date.now()
  let done = 0
  const work = async () => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const count = Math.min(RUNS_IN_PART, runs - part * RUNS_IN_PART)
      await runPart(contract, count, firstSeed + part)
      done += count
      const seconds = Math.round((Date.now() - start) / 1_000)
      console.log(
        `${contract}: ${done} of ${runs} runs, ${seconds} s, about ${Math.round((seconds * (runs - done)) / done)} s to go`,
      )
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

async function runPart(contract, count, seed) {
  const args = ['test', '--match-contract', `^${contract}$`, '--match-test', 'invariant_', '--fuzz-seed', `${seed}`]
  try {
    await promisify(execFile)('forge', args, {
      cwd: root,
      env: { ...env, FOUNDRY_INVARIANT_RUNS: `${count}` },
      maxBuffer: 2 ** 28,
    })
  } catch (error) {
    console.error(error.stdout ?? error.message)
    console.error(
      `${contract} fails with seed ${seed} and ${count} runs: FOUNDRY_PROFILE=long FOUNDRY_INVARIANT_RUNS=${count} forge ${args.join(' ')}`,
    )
    process.exit(1)
  }
}
