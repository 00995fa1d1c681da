/** What is offered to those who have not paid: they are the many, so it is written once a second. */
import type { Dialect, HeaderLines } from '../dialect/dialect.ts'
import type { Answer } from './answer.ts'
import type { PageOffer } from './page.ts'

export type Line = { readonly dialect: Dialect<unknown>; readonly line: HeaderLines[number] }

/** An offer per rail: in headers, for people, and as the whole answer to a program that has not paid. */
export type Offers = {
  readonly lines: readonly Line[]
  readonly offers: readonly PageOffer[]
  readonly unpaid: Answer
}

/** How many may be ready at once: prices may depend on what strangers ask for. */
const MOST = 1_000

/** What `make` gives for a name, once a second. */
export function createOffered(): (name: string, make: () => Offers) => Offers {
  const ready = new Map<string, Offers>()
  let second = 0
  return (name, make) => {
    const now = Math.floor(Date.now() / 1000)
    if (second !== now || ready.size >= MOST) ready.clear()
    second = now
    const known = ready.get(name) ?? make()
    ready.set(name, known)
    return known
  }
}
