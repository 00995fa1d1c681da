/** When a server that somebody started has to end. */
import { fstatSync } from 'node:fs'

const LOOK_MS = 500

export type Stop = 'asked' | 'orphaned' | 'chain gone'

/**
 * Resolves at Ctrl-C, SIGTERM or SIGHUP; when the process that started us has
 * died, unless our output goes to a file, as for one who meant to leave us
 * running; or when the process `pid` has ended.
 */
export function stopRequested(pid: number): Promise<Stop> {
  const parent = process.ppid
  const stays = fstatSync(1).isFile()
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end('asked'))
    const timer = setInterval(() => {
      if (!stays && process.ppid !== parent) end('orphaned')
      else if (!isRunning(pid)) end('chain gone')
    }, LOOK_MS)
    function end(reason: Stop) {
      clearInterval(timer)
      resolve(reason)
    }
  })
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
