/**
 * Follows one escrow contract and yields what happened to our channels, in order.
 *
 * Events come out once they are `confirmations` deep, exactly once across
 * restarts: the caller stores `cursor` in the same transaction as the change.
 * A reorg shorter than `confirmations` is invisible in them. A longer one throws
 * {@link DeepReorgError}: balances may have to be recomputed, and a process
 * that guesses would serve requests nobody paid for.
 *
 * Nodes that cannot be reached are news and not the end: that is told, and the
 * look-out goes on. Every other error is thrown to the consumer.
 */
import { ChainUnavailableError, ConfigError } from '../base/faults.ts'
import { advance, type Cursor, type Followed, type Progress, type View } from './advance.ts'
import type { Chain } from './chain.ts'
import { pause, unlessAborted } from './pause.ts'

export type FollowSettings = Followed & {
  /** The last block whose events were handed out. {@link cursorAt} makes a first one. */
  readonly from: Cursor
  /** Ends the generator. */
  readonly signal?: AbortSignal
  /** Told at every answer of a node, also when there is no new block: a quiet chain is not a dead one. */
  readonly onHeard?: () => void
}

export type Seen = Progress & { readonly type: 'seen' }

export type Unseen = {
  readonly type: 'unseen'
  /** When the chain was seen last, in ms since 1970. */
  readonly sinceMs: number
  readonly error: ChainUnavailableError
}

/**
 * Yields at each new head, and after each attempt at which no node answered.
 *
 * @throws {DeepReorgError} when the block at the cursor is not on the chain any more
 */
export async function* follow({
  from,
  signal: callOff,
  onHeard,
  ...followed
}: FollowSettings): AsyncGenerator<Seen | Unseen, void, void> {
  // One of our own: Node warns of a leak when a dozen followers listen to the same one.
  const signal = callOff && AbortSignal.any([callOff])
  let view: View = { cursor: from, links: [] }
  let sinceMs = Date.now()
  let failures = 0
  while (!signal?.aborted) {
    try {
      const step = await unlessAborted(advance(followed, view), signal)
      sinceMs = Date.now()
      failures = 0
      onHeard?.()
      view = step.view
      if (step.progress) yield { type: 'seen', ...step.progress }
      if (step.progress?.caughtUp !== false) await pause(followed.chain.pollMs, signal)
    } catch (error) {
      if (signal?.aborted) return
      if (!(error instanceof ChainUnavailableError)) throw error
      failures += 1
      // Without the head, seeing the same one again is news.
      view = { cursor: view.cursor, links: view.links }
      yield { type: 'unseen', sinceMs, error }
      await pause(Math.min(2 ** failures * 125, MOST_BACKOFF_MS), signal)
    }
  }
}

/**
 * A cursor for who has seen nothing: events after `block` will come.
 *
 * @throws {ConfigError} if the chain has no such block
 */
export async function cursorAt(chain: Chain, block: bigint): Promise<Cursor> {
  const found = await chain.block(block)
  if (!found) throw new ConfigError('block', `The chain has no block ${block} yet.`)
  return { block, hash: found.hash }
}

const MOST_BACKOFF_MS = 5_000
