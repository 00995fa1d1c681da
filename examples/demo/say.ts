/** The story goes to standard output; with `--json` it steps aside for the one object there. */
import { options } from './options.ts'

const { json } = options
const stream = json ? process.stderr : process.stdout

export function title(text: string): void {
  stream.write(`\n${text}\n`)
}

export function say(text: string): void {
  stream.write(`  ${text}\n`)
}

export function result(value: unknown): void {
  if (json) process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Milliseconds that `work` took, with what it gave. */
export async function timed<T>(work: () => Promise<T>): Promise<readonly [T, string]> {
  const start = performance.now()
  const value = await work()
  const ms = performance.now() - start
  return [value, ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`]
}
