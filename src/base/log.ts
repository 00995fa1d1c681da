/** Structured logs for the operator. No secrets, no signatures, no sender addresses at the default level. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, event: string, details?: Readonly<Record<string, string | number>>) => void

const weight: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** One JSON line per entry on standard error, from `least` upwards. */
export function jsonLog(least: LogLevel = 'warn'): Log {
  return (level, event, details = {}) => {
    if (weight[level] < weight[least]) return
    process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...details })}\n`)
  }
}

/** The message of anything thrown, for a log; never for an answer. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
