/** Goes on with what an earlier run of the program had on its way. */
import { ChainUnavailableError, TransactionUnknownError } from '../base/faults.ts'
import type { Call } from '../escrow/escrow.ts'
import { sign, type Done, type Filed, type Outgoing, type Sender } from './outgoing.ts'
import { idle } from './pause.ts'
import { watch } from './watch.ts'

/**
 * Hands every transaction on file to a node again, as it was, and looks after it. Whether one left us before the
 * end came is not known, and need not be: the bytes are the same, so it takes effect once.
 */
export async function resume(sender: Sender): Promise<void> {
  const { outgoing } = await sender.journal.read()
  for (const filed of outgoing) await goOnWith(sender, filed)
}

export async function goOnWith(sender: Sender, filed: Filed): Promise<void> {
  const { outgoing, chain, journal } = sender
  if (outgoing.has(filed.nonce)) return
  const { raw, hash } = await sign(sender, filed, filed.price)
  // A signer that never signs twice the same has made a new version.
  const isKnown = filed.hashes.includes(hash)
  const hashes: Outgoing['hashes'] = isKnown ? filed.hashes : [hash, ...filed.hashes]
  if (!isKnown) await journal.change({ ...filed, hashes })
  outgoing.set(filed.nonce, { ...filed, hashes, raw, mined: false, dueMs: Date.now() + sender.stuckMs })
  void watch(sender, filed.nonce)
  try {
    await chain.broadcast(raw)
  } catch (error) {
    if (!(error instanceof ChainUnavailableError)) throw error
    // It is sent again when it is due.
  }
}

/** Whether a reorganisation took back what was done: its nonce is free again. */
export async function isTakenBack({ chain, account }: Sender, { nonce, hashes }: Done): Promise<boolean> {
  return (await chain.mined(hashes[0])) === undefined && (await chain.nonce(account.address, 'mined')) <= nonce
}

/** Sends what was taken back again: with the same nonce, so that it takes effect once even if it comes back by itself. */
export async function sendAgain(sender: Sender, done: Done, call: Call): Promise<Outgoing> {
  const filed = { ...done, call, sinceMs: Date.now() }
  if (await sender.journal.add(filed)) await goOnWith(sender, filed)
  const tx = sender.outgoing.get(done.nonce)
  if (!tx || tx.intent !== done.intent) throw new TransactionUnknownError(done.hashes[0])
  return tx
}

/** Until it is done; the program may end before. */
export async function keepTrying(work: () => Promise<void>, pauseMs: number): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    try {
      await work()
      return
    } catch {
      await idle(pauseMs * Math.min(2 ** attempt, MOST_PAUSES))
    }
  }
}

const MOST_ATTEMPTS = 1_000
const MOST_PAUSES = 16
