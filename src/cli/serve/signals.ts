/** What an operating system asks of a server. */

export type Signals = {
  /** Aborted by SIGINT and SIGTERM. A second one ends the process at once. */
  readonly stop: AbortSignal
  /** Called at each SIGHUP. Until there is one, SIGHUP does nothing. */
  onReload(reload: () => void): void
  /** Lets go of the signals. */
  release(): void
}

export function listenToSignals(): Signals {
  const stopping = new AbortController()
  let reload: (() => void) | undefined
  const stop = () => stopping.abort()
  const hangUp = () => reload?.()
  process.once('SIGINT', stop).once('SIGTERM', stop).on('SIGHUP', hangUp)
  return {
    stop: stopping.signal,
    onReload: (next) => {
      reload = next
    },
    release() {
      process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', hangUp)
    },
  }
}

/** Resolves when it is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
