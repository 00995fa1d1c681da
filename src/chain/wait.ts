/** Waits for transactions to become part of the chain. */
import type { Hash } from 'viem'
import { ChainUnavailableError, TransactionUnknownError } from '../base/faults.ts'
import type { Chain, Mined, WaitOptions } from './chain.ts'
import { inTime, pause } from './pause.ts'

/** How long a transaction may take before the caller is told that nothing is known. */
export const WAIT_MS = 120_000

/** What of a chain is needed to watch a transaction. */
type Watched = Pick<Chain, 'confirmations' | 'pollMs' | 'head' | 'mined'>

/** `depth` counts from 1, the newest block; 0 is not mined. */
export type Place = { readonly depth: number; readonly mined?: Mined }

export function waitMined(chain: Watched, hash: Hash, options: WaitOptions = {}): Promise<Mined> {
  const { confirmations = chain.confirmations, timeoutMs = WAIT_MS, signal, onProgress } = options
  return inTime({ timeoutMs, signal, late: () => new TransactionUnknownError(hash) }, async (stop) => {
    let reported: number | undefined
    for (;;) {
      const place = await findPlace(chain, [hash])
      stop.throwIfAborted()
      if (place && place.depth !== reported) onProgress?.((reported = place.depth))
      if (place?.mined && place.depth >= confirmations) return place.mined
      await pause(chain.pollMs, stop)
    }
  })
}

/** Where on the chain one of `hashes` is, of which at most one can be mined. undefined while no node answers. */
export async function findPlace(chain: Watched, hashes: readonly Hash[]): Promise<Place | undefined> {
  try {
    const receipts = await Promise.all(hashes.map((hash) => chain.mined(hash)))
    const found = receipts.find((receipt) => receipt !== undefined)
    if (!found) return { depth: 0 }
    // Once more after the head, so that what happens in between makes the depth too small, never too large.
    const head = await chain.head()
    const mined = await chain.mined(found.hash)
    return mined ? { depth: Math.max(1, Number(head.number - mined.block) + 1), mined } : { depth: 0 }
  } catch (error) {
    if (error instanceof ChainUnavailableError) return undefined
    throw error
  }
}
