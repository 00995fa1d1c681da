/** Which engine checks signatures here, how fast it is, and how to get the fastest one. */
import type { Log } from '../../base/log.ts'
import { engineName, recoverAddress, sign } from '../../base/secp256k1.ts'

/** Where the package `secp256k1` brings a binary, as Node names platforms. */
const BINARIES = ['linux-x64', 'darwin-arm64', 'win32-x64'] as const

/** What the engine is beside the native one; undefined where it is that. */
export const shortcoming = {
  native: undefined,
  wasm: 'each payment takes about 1.5 times as long as with the native engine',
  javascript: 'each payment takes about 20 to 30 times as long as with the native engine',
}[engineName]

/** @param platform such as `linux-arm64` */
export function remedyFor(platform = `${process.platform}-${process.arch}`): string {
  const binaries = `${BINARIES.slice(0, -1).join(', ')} and ${BINARIES.at(-1) ?? ''}`
  return BINARIES.some((one) => one === platform)
    ? `\`npm install secp256k1\` brings a binary for ${binaries}; \`npm ci --omit=optional\` leaves it out`
    : `The package secp256k1 has a binary for ${binaries}. On ${platform} \`npm rebuild secp256k1\` makes one, with Python, make and a C++ compiler`
}

/** For the start of a server. */
export function tellEngine(log: Log): void {
  if (shortcoming === undefined) log('info', 'signature-engine', { engine: engineName })
  else log('warn', 'signature-engine', { engine: engineName, message: `${capital(shortcoming)}. ${remedyFor()}.` })
}

const CHECKS = 200
const ENOUGH_MS = 500

/** Microseconds that one check of a signature takes: the median of many, after some that warm up. */
export function microsecondsPerCheck(): number {
  const digest = new Uint8Array(32).fill(1)
  // Any key will do: what it signs is forgotten at once.
  const signature = sign(digest, `0x${'01'.repeat(32)}`)
  const timesMs: number[] = []
  const begunMs = performance.now()
  while (timesMs.length < CHECKS && performance.now() - begunMs < ENOUGH_MS) {
    const startMs = performance.now()
    recoverAddress(digest, signature)
    timesMs.push(performance.now() - startMs)
  }
  return Math.round(median(timesMs.slice(Math.floor(timesMs.length / 4))) * 1_000)
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
