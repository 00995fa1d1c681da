/** What is sold at one time: routes that were checked together, and the requests that are served by them. */
import type { Receiver } from '../receiver/receiver.ts'
import { createFinder, type Finder } from './finder.ts'
import { checkMounts, type Mount } from './mounts.ts'
import { checkRoutes, type Routes } from './routes.ts'

export type Selection = {
  readonly find: Finder
  /** Notes that `work` uses these routes. */
  use(work: Promise<unknown>): void
  /** Ends the connections that are kept for later. */
  close(): Promise<void>
  /** The same, after those that use them are done. */
  retire(): Promise<void>
}

/** @throws {ConfigError} naming the route that is wrong */
export function createSelection(routes: Routes, receiver: Receiver, mounts: readonly Mount[]): Selection {
  const checked = checkRoutes(routes, receiver)
  checkMounts(mounts, checked)
  const find = createFinder(checked)
  const sources = new Set(checked.map(({ source }) => source))
  const running = new Set<Promise<unknown>>()
  const close = async () => {
    await Promise.all([...sources].map((source) => source.close()))
  }
  return {
    find,
    use(work) {
      running.add(work)
      void work.finally(() => running.delete(work))
    },
    close,
    async retire() {
      await Promise.allSettled(running)
      await close()
    },
  }
}
