/** The end of a store: what was asked before still counts, what is asked afterwards is refused. */
import { StoreUnavailableError } from '../base/faults.ts'
import type { Channel } from '../channel/channel.ts'
import type { Kind, Store } from './store.ts'

type Call = Exclude<keyof Store, 'list' | 'close'>

/** A store as long as it is open: the same calls, each of which may answer at once. */
export type OpenStore = { list(kind?: Kind): Iterable<Channel> | AsyncIterable<Channel> } & {
  readonly [name in Call]: (
    ...args: Parameters<Store[name]>
  ) => ReturnType<Store[name]> | Awaited<ReturnType<Store[name]>>
}

/** `store` with a `close` that waits for every call on its way, then lets go with `release`. Closing twice is closing once. */
export function closable(store: OpenStore, release: () => void): Store {
  const running = new Set<unknown>()
  let closing: Promise<void> | undefined

  function verifyOpen(): void {
    if (closing) throw new StoreUnavailableError('The store is closed. Open it again.')
  }

  async function run<T>(act: () => T | Promise<T>): Promise<T> {
    verifyOpen()
    const call = act()
    running.add(call)
    try {
      return await call
    } finally {
      running.delete(call)
    }
  }

  async function close(): Promise<void> {
    await Promise.allSettled(running)
    release()
  }

  return {
    get: (key) => readWhile(verifyOpen, () => store.get(key)),
    list: (kind) => listWhile(verifyOpen, store.list(kind)),
    update: (key, change) => run(() => store.update(key, change)),
    updateWithRecord: (key, name, change) => run(() => store.updateWithRecord(key, name, change)),
    readRecord: (name) => readWhile(verifyOpen, () => store.readRecord(name)),
    writeRecord: (name, change) => run(() => store.writeRecord(name, change)),
    expireRecords: (kind, beforeMs) => run(() => store.expireRecords(kind, beforeMs)),
    close: () => (closing ??= close()),
  }
}

/** A close does not wait for who only reads: nothing of theirs is lost. */
async function readWhile<T>(verifyOpen: () => void, read: () => T | Promise<T>): Promise<T> {
  verifyOpen()
  return read()
}

async function* listWhile(
  verifyOpen: () => void,
  channels: Iterable<Channel> | AsyncIterable<Channel>,
): AsyncGenerator<Channel> {
  verifyOpen()
  for await (const channel of channels) {
    yield channel
    verifyOpen()
  }
}
