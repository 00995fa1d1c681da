/** What goes into the paid path, and what comes out. */
import type { HeaderReader } from '../base/read.ts'
import type { Answer } from './answer.ts'
import type { Connection } from './door.ts'
import type { Sale } from './sale.ts'

/** What the paid path asks of a request. */
export type Ask = {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  readonly headers: HeaderReader
  /** What it came on, where that can be told. */
  readonly connection?: Connection
  /** Reads the body without taking it from the handler. Asked for only with an Idempotency-Key. @throws {BodyTooLargeError} */
  body(mostBytes: number): Promise<Uint8Array>
  /** The route may run again after a crash although its method is not safe. */
  readonly repeatable?: boolean
}

/** Either the answer is settled already, or the request is paid and the handler runs. */
export type Admission = { readonly answer: Answer } | { readonly sale: Sale }
