/** When a server that somebody started has to end. */
import { fstatSync } from 'node:fs'

const LOOK_MS = 500

export type Stop = 'asked' | 'orphaned' | 'chain gone'

/**
 * Resolves at Ctrl-C, SIGTERM or SIGHUP; when the process that started us has
 * died; or when the process `pid` has ended.
 *
 * A shell that started us with the output in a file may go: that is how one
 * leaves us running. npm stays as long as we do, so when it goes it was killed.
 */
export function stopRequested(pid: number): Promise<Stop> {
  const parent = process.ppid
  const stays = fstatSync(1).isFile() && process.env['npm_command'] === undefined
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
