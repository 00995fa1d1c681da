/**
 * Looks after a transaction until its fate is known, however long that takes
 * and whoever still waits for it.
 */
import type { Address } from 'viem'
import { ChainUnavailableError, StoreUnavailableError } from '../base/faults.ts'
import type { Mined } from './chain.ts'
import { FeeTooHighError, KeyUsedElsewhereError } from './errors.ts'
import { doubled, priced, raised } from './fees.ts'
import { change, dueMs, firstWaiting, note, sign, type Outgoing, type Sender } from './outgoing.ts'
import { idle } from './pause.ts'
import { findTaker } from './taken.ts'
import { findPlace, type Place } from './wait.ts'

/** Ends when a version is deep enough, or when another transaction has taken its nonce for good. */
export async function watch(sender: Sender, nonce: number): Promise<void> {
  const { chain, outgoing, hearers } = sender
  for (let tx = outgoing.get(nonce); tx; tx = outgoing.get(nonce)) {
    try {
      if (await isOver(sender, tx)) break
    } catch (error) {
      tellLost(sender, nonce, error)
      if (error instanceof KeyUsedElsewhereError) break
      // Whatever else it was may be over at the next look, and nobody else looks.
    }
    await idle(chain.pollMs)
  }
  outgoing.delete(nonce)
  hearers.delete(nonce)
}

async function isOver(sender: Sender, { nonce, hashes }: Outgoing): Promise<boolean> {
  const { chain, outgoing, hearers } = sender
  const place = await findPlace(chain, hashes)
  const tx = outgoing.get(nonce)
  if (!place || !tx) return !tx
  tell(sender, nonce, place)
  note(sender, nonce, { mined: place.depth > 0 })
  if (place.mined && place.depth >= deepest(sender, tx)) {
    await conclude(sender, tx, place.mined)
    // Some may have joined meanwhile.
    tell(sender, nonce, place)
    return (hearers.get(nonce)?.size ?? 0) === 0
  }
  if (place.depth === 0 && Date.now() >= tx.dueMs) await tryToPush(sender, tx)
  return false
}

function tell({ hearers }: Sender, nonce: number, { depth, mined }: Place): void {
  const waiting = hearers.get(nonce)
  for (const hearer of waiting ?? []) {
    hearer.onDepth(depth)
    if (!mined || depth < hearer.confirmations) continue
    waiting?.delete(hearer)
    hearer.onMined(mined)
  }
}

function tellLost({ hearers }: Sender, nonce: number, error: unknown): void {
  for (const { onLost } of hearers.get(nonce) ?? []) onLost(error)
  hearers.delete(nonce)
}

function deepest({ hearers }: Sender, { nonce, confirmations }: Outgoing): number {
  return Math.max(confirmations, ...[...(hearers.get(nonce) ?? [])].map((hearer) => hearer.confirmations))
}

/**
 * Files the end. A store that stays away is no reason to wait: the next start
 * finds the transaction in it, and where it is on the chain.
 */
async function conclude({ journal, chain }: Sender, tx: Outgoing, mined: Mined): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    try {
      // What reverted changed nothing, so its intent may be sent again.
      await journal.finish(tx, mined.status === 'success' ? mined.hash : undefined)
      return
    } catch {
      await idle(chain.pollMs * 2 ** attempt)
    }
  }
}

const MOST_ATTEMPTS = 8

async function tryToPush(sender: Sender, tx: Outgoing): Promise<void> {
  try {
    await push(sender, tx)
  } catch (error) {
    const isForNow =
      error instanceof ChainUnavailableError ||
      error instanceof FeeTooHighError ||
      error instanceof StoreUnavailableError
    if (!isForNow) throw error
    // It stays due, and is tried again at the next look.
  }
}

/** Sends `tx` again; with a higher fee if it is the one that holds up the others. */
async function push(sender: Sender, tx: Outgoing): Promise<void> {
  const { chain, account, hearers } = sender
  const { nonce } = tx
  const used = await chain.nonce(account.address, 'mined')
  if (used > nonce) return verifyFree(sender, tx)
  const first = firstWaiting(sender)
  const cap = capOf(sender, tx)
  if (nonce === first && used < first) await fillNonce(sender, used, cap)
  const dearer = used === nonce ? await makeDearer(sender, tx, cap) : undefined
  const sent = await chain.broadcast(dearer?.raw ?? tx.raw)
  note(sender, nonce, { dueMs: dueMs(sender, sent) })
  if (dearer) for (const { onSent } of hearers.get(nonce) ?? []) onSent(dearer.hash)
}

/** A version that pays more, on file before any node hears of it. undefined: there can be none. */
async function makeDearer(
  sender: Sender,
  tx: Outgoing,
  cap: bigint,
): Promise<Awaited<ReturnType<typeof sign>> | undefined> {
  const price = raised(tx.price, await sender.chain.fees(), cap)
  if (!price) return undefined
  const { raw, hash } = await sign(sender, tx, price)
  try {
    await change(sender, tx.nonce, { price, raw, hashes: [hash, ...tx.hashes] })
    return { raw, hash }
  } catch (error) {
    if (error instanceof StoreUnavailableError) return undefined
    throw error
  }
}

/** Those behind it wait for it: it may cost what the most urgent of them may. */
function capOf({ outgoing }: Sender, { nonce, cap }: Outgoing): bigint {
  const behind = [...outgoing.values()].filter((other) => other.nonce > nonce && !other.mined)
  return behind.reduce((most, other) => (other.cap > most ? other.cap : most), cap)
}

/**
 * The nonce is used, and no node knows any of the versions.
 *
 * @throws {KeyUsedElsewhereError} once another transaction has it for good
 */
async function verifyFree(sender: Sender, tx: Outgoing): Promise<void> {
  const { chain, account, journal } = sender
  const { nonce, call, confirmations, intent } = tx
  const there = (await journal.read()).outgoing.find((other) => other.nonce === nonce)
  const hashes = there?.hashes ?? tx.hashes
  note(sender, nonce, { hashes, dueMs: dueMs(sender, { outcome: 'accepted' }) })
  const taker = await findTaker(chain, account.address, { nonce, confirmations })
  if (!taker || hashes.includes(taker.hash)) return
  const isSameCall = taker.to === call.to.toLowerCase() && taker.data === call.data.toLowerCase()
  if (isSameCall && (intent !== undefined || !there)) {
    // A version that the file has lost, or another wallet's on this store: what was intended is done.
    note(sender, nonce, { hashes: [taker.hash, ...hashes] })
    return
  }
  await journal.remove(tx)
  throw new KeyUsedElsewhereError(account.address, nonce, { ours: hashes[0], theirs: taker.hash })
}

/**
 * Puts an empty transaction where one is missing or stuck that we know nothing
 * about: nothing behind it is mined before that nonce is used.
 */
async function fillNonce(sender: Sender, nonce: number, cap: bigint): Promise<void> {
  const { outgoing } = await sender.journal.read()
  // That of another wallet on this store, which looks after it.
  if (outgoing.some((other) => other.nonce === nonce)) return
  const to: Address = sender.account.address
  let price = priced(await sender.chain.fees(), cap)
  while (price.maxFeePerGas <= cap) {
    const { raw } = await sign(sender, { nonce, gas: 21_000n, call: { to, data: '0x' } }, price)
    const { outcome } = await sender.chain.broadcast(raw)
    if (outcome !== 'nonce-taken') return
    price = doubled(price)
  }
}
