/** Leaves a node alone that asked us to slow down: as long as it said, else longer each time. */
import type { Failure } from './failure.ts'

export type Rest = {
  /** How long the node is not to be asked, in ms. */
  leftMs(): number
  /** Why not. */
  failure(): Failure | undefined
  /** What the node did instead of answering. */
  note(failure: Failure): void
  /** The node answered. */
  end(): void
}

export function createRest(): Rest {
  let untilMs = 0
  let inARow = 0
  let why: Failure | undefined
  const leftMs = () => Math.max(0, untilMs - performance.now())
  return {
    leftMs,
    failure: () => why && { ...why, reason: `${why.reason}; it is asked again in ${Math.ceil(leftMs() / 1000)} s` },
    note(failure) {
      if (failure.kind !== 'limited' && failure.retryAfterMs === undefined) return
      const restMs = failure.retryAfterMs ?? FIRST_MS * 2 ** inARow
      untilMs = performance.now() + Math.min(restMs, MOST_MS)
      inARow += 1
      why = failure
    },
    end() {
      untilMs = 0
      inARow = 0
    },
  }
}

const FIRST_MS = 500

/** Also of what the node asks for: who says an hour may mean it, and may be open again before. */
const MOST_MS = 60_000
