/** What a server needs of this machine, without any configuration. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { engineName } from '../../base/secp256k1.ts'
import * as read from '../../base/read.ts'
import { microsecondsPerCheck, remedyFor, shortcoming } from './engine.ts'
import { look, type Looked } from './finding.ts'

export function lookAtNodeVersion(running = process.versions.node): Promise<Looked<void>> {
  return look('Node.js', () => {
    const least = leastVersion()
    const isOld = compare(running, least) < 0
    return Promise.resolve({
      verdict: isOld ? 'BAD' : 'ok',
      detail: isOld ? `${running} is too old` : running,
      ...(isOld && { fix: `Install Node.js ${least} or newer` }),
      value: undefined,
    })
  })
}

export function lookAtEngine(): Promise<Looked<void>> {
  return look('signatures', () => {
    const detail = `checked by the ${engineName} engine, ${microsecondsPerCheck()} µs each`
    return Promise.resolve(
      shortcoming === undefined
        ? { verdict: 'ok', detail, value: undefined }
        : { verdict: 'slow', detail: `${detail}: ${shortcoming}`, fix: remedyFor(), value: undefined },
    )
  })
}

export function lookAtCores(): Promise<Looked<void>> {
  return look('cores', () => {
    const detail = `${availableParallelism()}, for the server and all else on this machine`
    return Promise.resolve({ verdict: 'ok', detail, value: undefined })
  })
}

/** Of this package: the folder is as deep in `dist/` as in `src/`. */
function leastVersion(): string {
  const source = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const engines = read.object(read.jsonObject(source, 'package.json')['engines'], 'engines')
  return read.text(engines['node'], 'engines.node').replace(/^>=\s*/, '')
}

function compare(one: string, other: string): number {
  const [ours = [], theirs = []] = [one, other].map((version) => version.split('.').map(Number))
  const at = ours.findIndex((part, index) => part !== (theirs[index] ?? 0))
  return at < 0 ? 0 : (ours[at] ?? 0) - (theirs[at] ?? 0)
}
