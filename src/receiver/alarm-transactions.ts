/** Transactions of the receiver that wait for too long. */
import { StoreUnavailableError } from '../base/faults.ts'
import type { Context } from './context.ts'

/** Long enough for a few versions with higher fees. */
const STUCK_MS = 600_000

/** Raises an alarm for each that is not mined after `stuckMs`, whatever the wallet tried. Without a key there are none. */
export async function watchTransactions({ alarms, wallet }: Context, stuckMs = STUCK_MS): Promise<void> {
  if (!wallet) return
  const stuck = new Map<string, { readonly hash: string; readonly minutes: string; readonly replaced: string }>()
  try {
    for (const { nonce, hash, sinceMs, replaced, mined } of await wallet.pending()) {
      const ageMs = Date.now() - sinceMs
      if (mined || ageMs < stuckMs) continue
      const minutes = `${Math.floor(ageMs / 60_000)}`
      stuck.set(`${wallet.address}:${nonce}`, { hash, minutes, replaced: `${replaced}` })
    }
  } catch (error) {
    // A store that is away has its own line in the log, and a later turn.
    if (!(error instanceof StoreUnavailableError)) throw error
    return
  }
  for (const { name, subject } of alarms.standing())
    if (name === 'transaction-stuck' && !stuck.has(subject)) alarms.clear(name, subject)
  for (const [subject, facts] of stuck) {
    const message = `Transaction ${facts.hash} has waited for ${facts.minutes} minutes, and was sent again ${facts.replaced} times. Those behind it wait too.`
    alarms.raise('transaction-stuck', subject, message, facts)
  }
}
