/**
 * A transaction on its way: one nonce, one call, and every version of it that
 * a node may have.
 *
 * A call that was once handed to a node keeps its nonce for ever. Sent again
 * under another nonce it could take effect twice.
 */
import { keccak256, type Hash, type Hex, type LocalAccount } from 'viem'
import type { Call } from '../escrow/escrow.ts'
import type { Broadcast, Chain, Mined, Pending } from './chain.ts'
import type { GasPrice } from './fees.ts'

export type Outgoing = {
  readonly nonce: number
  readonly call: Call
  readonly gas: bigint
  readonly price: GasPrice
  readonly raw: Hex
  /** Of all versions, the newest first. At most one can be mined. */
  readonly hashes: readonly [Hash, ...Hash[]]
  /** Most wei per unit of gas that this one may come to offer. */
  readonly cap: bigint
  /** How deep it has to be before it is forgotten. */
  readonly confirmations: number
  /** Since when it has been on its way, in ms since 1970. */
  readonly sinceMs: number
  readonly intent: string | undefined
  readonly mined: boolean
  /** When it has waited long enough, in ms since 1970. */
  readonly dueMs: number
}

/** What must not be forgotten of a transaction. What was signed can be signed again. */
export type Filed = Omit<Outgoing, 'raw' | 'mined' | 'dueMs'>

/** How an intent took effect: the version that was mined is the first of `hashes`. Who asks for it again brings the call. */
export type Done = Omit<Filed, 'call'>

export type Journal = {
  /** `last` is the newest that has ended, so that a node which lags behind it is recognised. */
  read(): Promise<{ readonly outgoing: readonly Filed[]; readonly last: Last | undefined }>
  /** false: its nonce or its intent is on its way already. */
  add(tx: Filed): Promise<boolean>
  /** Adds a version, or a higher limit. What is gone stays gone. */
  change(tx: Filed): Promise<void>
  /** It was not sent, and will not be. */
  remove(tx: Filed): Promise<void>
  /** It took effect, by the transaction `done`; undefined: it was mined and changed nothing. */
  finish(tx: Filed, done: Hash | undefined): Promise<void>
  /** undefined: it did not, or that was too long ago. */
  findDone(intent: string): Promise<Done | undefined>
}

/** A transaction that has ended. */
export type Last = { readonly nonce: number; readonly hashes: readonly Hash[] }

/** A key and what is on its way from it, by nonce. */
export type Sender = {
  readonly chain: Chain
  readonly account: LocalAccount
  chainId(): Promise<number>
  /** Most wei per unit of gas, as a rule and when it is urgent. */
  readonly caps: { readonly usual: bigint; readonly urgent: bigint }
  readonly stuckMs: number
  readonly journal: Journal
  readonly outgoing: Map<number, Outgoing>
  /** Who waits to hear of a transaction, by nonce. */
  readonly hearers: Map<number, Set<Hearer>>
}

export type Hearer = {
  readonly confirmations: number
  readonly onDepth: (depth: number) => void
  /** A node has, or may have, another version. */
  readonly onSent: (hash: Hash) => void
  readonly onMined: (mined: Mined) => void
  readonly onLost: (error: unknown) => void
}

/** What is signed, and the bytes for the node. */
export async function sign(sender: Sender, to: Pick<Outgoing, 'nonce' | 'call' | 'gas'>, price: GasPrice) {
  const chainId = await sender.chainId()
  const { nonce, gas, call } = to
  const raw = await sender.account.signTransaction({ type: 'eip1559', chainId, nonce, gas, ...call, ...price })
  return { raw, hash: keccak256(raw) }
}

/** When to look after a transaction again. One that may not have arrived does not wait as long. */
export function dueMs({ stuckMs }: Sender, { outcome }: Pick<Broadcast, 'outcome'>): number {
  return Date.now() + (outcome === 'unknown' ? stuckMs / 6 : stuckMs)
}

/** Changes what is still on its way, on file first. */
export async function change(
  { outgoing, journal }: Pick<Sender, 'outgoing' | 'journal'>,
  nonce: number,
  changes: Partial<Outgoing>,
): Promise<void> {
  const before = outgoing.get(nonce)
  if (!before) return
  await journal.change({ ...before, ...changes })
  note({ outgoing }, nonce, changes)
}

/** Changes what is known of it, until the process ends. */
export function note({ outgoing }: Pick<Sender, 'outgoing'>, nonce: number, changes: Partial<Outgoing>): void {
  const now = outgoing.get(nonce)
  if (now) outgoing.set(nonce, { ...now, ...changes })
}

/** Resolves when the transaction is `confirmations` deep, whichever version of it. */
export function hear(
  { hearers }: Pick<Sender, 'hearers'>,
  nonce: number,
  hearer: Pick<Hearer, 'confirmations' | 'onDepth' | 'onSent'>,
): Promise<Mined> {
  const fate = new Promise<Mined>((onMined, onLost) => {
    const others = hearers.get(nonce) ?? new Set<Hearer>()
    hearers.set(nonce, others.add({ ...hearer, onMined, onLost }))
  })
  // The caller may be gone before the fate is known.
  fate.catch(() => undefined)
  return fate
}

/** The lowest nonce that is not mined: no other of ours is mined before it. */
export function firstWaiting({ outgoing }: Pick<Sender, 'outgoing'>): number {
  return Math.min(...[...outgoing.values()].filter(({ mined }) => !mined).map(({ nonce }) => nonce))
}

export function pendingOf({ nonce, hashes, sinceMs, intent }: Filed, mined: boolean): Pending {
  return { nonce, hash: hashes[0], sinceMs, intent, replaced: hashes.length - 1, mined }
}
