/** A request as its route sees it, and what a route makes of it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Paid } from '../receiver/sale.ts'

export type Visit = {
  readonly request: IncomingMessage
  /** Decoded values of the pattern's `:names`; what `*` stands for is under `'*'`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
}

/** Writes one answer. */
export type Serve = (request: IncomingMessage, response: ServerResponse, paid?: Paid) => unknown

/** undefined: there is nothing at this address, and nothing is charged for that. */
export type Find = (visit: Visit) => Serve | undefined | Promise<Serve | undefined>

/** Where a route's content comes from. */
export type Source = {
  readonly find: Find
  /** Ends connections that are kept for later. */
  close(): Promise<void>
}
