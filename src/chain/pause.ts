/** Waiting that can be called off. */

/** Longer timers of Node run at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Resolves after `ms`, or as soon as `signal` is aborted. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
}

/** Resolves after `ms`, but does not keep the process alive for it. */
export function idle(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref())
}

/** `work`, unless `signal` is aborted first; then its reason is thrown and what `work` does is nobody's any more. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  work.catch(() => undefined)
  signal.throwIfAborted()
  let abort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

export type Limit = {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** What is thrown when the time is over. */
  readonly late: () => Error
}

/** `work`, as long as there is time and nobody calls it off; its signal says when that is over. */
export async function inTime<T>(limit: Limit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const clock = new AbortController()
  const timer = setTimeout(() => clock.abort(limit.late()), Math.min(limit.timeoutMs, MAX_TIMER_MS))
  const signal = limit.signal ? AbortSignal.any([limit.signal, clock.signal]) : clock.signal
  try {
    return await unlessAborted(work(signal), signal)
  } finally {
    clearTimeout(timer)
    clock.abort()
  }
}
