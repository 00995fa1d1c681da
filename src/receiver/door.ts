/**
 * Whoever does not pay waits in line, so that whoever pays does not wait behind them.
 *
 * A stranger is cheap to refuse, and there can be any number of them. Each turn of
 * the event loop looks after a few of them and then after payments again; the rest
 * keep their place. A client that waits for its answer sends nothing more meanwhile.
 * A payment on a connection whose last one was refused is not even looked at before
 * its turn, because made-up signatures are dear to check. While nothing else is
 * going on the line is empty, and a turn takes microseconds.
 */

/** What requests of one client have in common: the same object each time. */
export type Connection = object

export type Door = {
  /** Resolves when the next in line may be looked after. */
  turn(): Promise<void>
  /** Whether the last payment on this connection was refused. */
  wasRefused(connection: Connection | undefined): boolean
  /** Remembers what came of a payment. */
  note(connection: Connection | undefined, isRefused: boolean): void
}

/** How many of the line are looked after in one turn of the event loop: at most about a millisecond's work. */
const SHARE = 16

export function createDoor(): Door {
  const refused = new WeakSet<Connection>()
  const waiting: (() => void)[] = []
  let isOpen = false

  function open(): void {
    const next = waiting.splice(0, SHARE)
    isOpen = waiting.length > 0
    if (isOpen) setImmediate(open)
    for (const pass of next) pass()
  }

  return {
    turn: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (!isOpen) setImmediate(open)
        isOpen = true
      }),
    wasRefused: (connection) => connection !== undefined && refused.has(connection),
    note: (connection, isRefused) => {
      if (!connection) return
      if (isRefused) refused.add(connection)
      else refused.delete(connection)
    },
  }
}
