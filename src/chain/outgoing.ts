/**
 * A transaction on its way: one nonce, one call, and every version of it that
 * a node may have.
 *
 * A call that was once handed to a node keeps its nonce for ever. Sent again
 * under another nonce it could take effect twice.
 */
import { keccak256, type Address, type Hash, type Hex, type LocalAccount } from 'viem'
import { ChainUnavailableError, TransactionUnknownError } from '../base/faults.ts'
import type { Call } from '../escrow/escrow.ts'
import type { Broadcast, Chain, Mined } from './chain.ts'
import { FeeTooHighError } from './errors.ts'
import { doubled, priced, raised, type GasPrice } from './fees.ts'
import { idle } from './pause.ts'
import { findPlace } from './wait.ts'

export type Outgoing = {
  readonly nonce: number
  readonly call: Call
  readonly gas: bigint
  readonly price: GasPrice
  readonly raw: Hex
  /** Of all versions, the newest first. At most one can be mined. */
  readonly hashes: readonly [Hash, ...Hash[]]
  readonly mined: boolean
  /** When it has waited long enough, in ms since 1970. */
  readonly dueMs: number
  readonly onSent: ((hash: Hash) => void) | undefined
}

/** A key and what is on its way from it, by nonce. */
export type Sender = {
  readonly chain: Chain
  readonly account: LocalAccount
  chainId(): Promise<number>
  /** Most wei per unit of gas. */
  readonly cap: bigint
  readonly stuckMs: number
  readonly outgoing: Map<number, Outgoing>
}

/** What is signed, and the bytes for the node. */
export async function sign(sender: Sender, to: Pick<Outgoing, 'nonce' | 'call' | 'gas'>, price: GasPrice) {
  const chainId = await sender.chainId()
  const { nonce, gas, call } = to
  const raw = await sender.account.signTransaction({ type: 'eip1559', chainId, nonce, gas, ...call, ...price })
  return { raw, hash: keccak256(raw) }
}

/** When to look after a transaction again. One that may not have arrived does not wait as long. */
export function dueMs({ stuckMs }: Sender, { outcome }: Broadcast): number {
  return Date.now() + (outcome === 'unknown' ? stuckMs / 6 : stuckMs)
}

/**
 * Looks after the transaction with this nonce until one version is
 * `confirmations` deep, however long that takes and whoever still waits for it.
 *
 * @throws {TransactionUnknownError} when another transaction took its nonce
 */
export async function watch(
  sender: Sender,
  nonce: number,
  confirmations: number,
  onDepth: (depth: number) => void,
): Promise<Mined> {
  const { chain, outgoing } = sender
  try {
    for (let tx = outgoing.get(nonce); tx; tx = outgoing.get(nonce)) {
      const place = await findPlace(chain, tx.hashes)
      if (place) onDepth(place.depth)
      if (place?.mined && place.depth >= confirmations) return place.mined
      if (place) outgoing.set(nonce, { ...tx, mined: place.depth > 0 })
      if (place?.depth === 0 && Date.now() >= tx.dueMs) await tryToPush(sender, tx)
      await idle(chain.pollMs)
    }
    throw new Error(`Transaction ${nonce} is not ours to watch.`)
  } finally {
    outgoing.delete(nonce)
  }
}

async function tryToPush(sender: Sender, tx: Outgoing): Promise<void> {
  try {
    await push(sender, tx)
  } catch (error) {
    if (!(error instanceof ChainUnavailableError) && !(error instanceof FeeTooHighError)) throw error
    // It stays due, and is tried again at the next look.
  }
}

/** Sends `tx` again; with a higher fee if it is the one that holds up the others. */
async function push(sender: Sender, tx: Outgoing): Promise<void> {
  const { chain, account, outgoing, cap } = sender
  const used = await chain.nonce(account.address, 'mined')
  if (used > tx.nonce) return assertPlace(sender, tx)
  const first = Math.min(...[...outgoing.values()].filter(({ mined }) => !mined).map(({ nonce }) => nonce))
  if (tx.nonce === first && used < first) await fillNonce(sender, used)
  const price = used === tx.nonce ? raised(tx.price, await chain.fees(), cap) : undefined
  const version = price
    ? { price, ...(await sign(sender, tx, price)) }
    : { price: tx.price, raw: tx.raw, hash: tx.hashes[0] }
  const sent = await chain.broadcast(version.raw)
  const { hash, ...rest } = version
  const hashes: Outgoing['hashes'] = hash === tx.hashes[0] ? tx.hashes : [hash, ...tx.hashes]
  outgoing.set(tx.nonce, { ...tx, ...rest, hashes, dueMs: dueMs(sender, sent) })
  if (price) tx.onSent?.(hash)
}

/** The nonce is used: by one of the versions, or nothing can be said about the call any more. */
async function assertPlace({ chain }: Sender, { hashes }: Outgoing): Promise<void> {
  const place = await findPlace(chain, hashes)
  if (place?.depth === 0) throw new TransactionUnknownError(hashes[0])
}

/**
 * Puts an empty transaction where one is missing or stuck that we know nothing
 * about, of an earlier run of the program perhaps: nothing behind it is mined
 * before that nonce is used.
 */
async function fillNonce(sender: Sender, nonce: number): Promise<void> {
  const to: Address = sender.account.address
  let price = priced(await sender.chain.fees(), sender.cap)
  while (price.maxFeePerGas <= sender.cap) {
    const { raw } = await sign(sender, { nonce, gas: 21_000n, call: { to, data: '0x' } }, price)
    const { outcome } = await sender.chain.broadcast(raw)
    if (outcome !== 'nonce-taken') return
    price = doubled(price)
  }
}
