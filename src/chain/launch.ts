/** Gets one call from "please" to "a node has it". Whatever is thrown here means that nothing was sent. */
import type { Hash } from 'viem'
import { NoGasError, StoreUnavailableError, TransactionUnknownError } from '../base/faults.ts'
import type { Call } from '../escrow/escrow.ts'
import type { Broadcast, SendOptions } from './chain.ts'
import { TransactionRefusedError } from './errors.ts'
import { priced } from './fees.ts'
import { dueMs, sign, type Outgoing, type Sender } from './outgoing.ts'
import { pause } from './pause.ts'
import { WAIT_MS } from './wait.ts'
import { watch } from './watch.ts'

/** Simulates `call`, gives it a nonce, files it and hands it to a node. One launch at a time. */
export async function launch(sender: Sender, call: Call, options: SendOptions): Promise<Outgoing> {
  await waitForRoom(sender, options)
  const gas = await simulate(sender, call, options)
  let least = 0
  let reason = 'other wallets of this key were quicker'
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const nonce = Math.max(least, await nextNonce(sender))
    const tx = await draft(sender, { nonce, call, gas }, options)
    if (!(await file(sender, tx))) continue
    const sent = await handOver(sender, tx)
    if (sent.outcome === 'accepted' || sent.outcome === 'unknown') {
      sender.outgoing.set(nonce, { ...tx, dueMs: dueMs(sender, sent) })
      void watch(sender, nonce)
      return tx
    }
    if (sent.outcome === 'no-gas') throw new NoGasError(sender.account.address, gas * tx.price.maxFeePerGas)
    if (sent.outcome === 'nonce-used' || sent.outcome === 'nonce-taken') least = nonce + 1
    reason = sent.reason ?? 'no reason was given'
    if (sent.outcome === 'refused') break
  }
  throw new TransactionRefusedError(reason)
}

async function draft(
  sender: Sender,
  to: Pick<Outgoing, 'nonce' | 'call' | 'gas'>,
  { urgent = false, confirmations = 1, intent }: SendOptions,
): Promise<Outgoing> {
  const { chain, caps } = sender
  const cap = urgent ? caps.urgent : caps.usual
  const price = priced(await chain.fees(), cap, urgent ? 'urgentMaxFeePerGas' : 'maxFeePerGas')
  const { raw, hash } = await sign(sender, to, price)
  const deep = Math.max(chain.confirmations, confirmations)
  const now = Date.now()
  const hashes: Outgoing['hashes'] = [hash]
  return { ...to, price, raw, hashes, cap, confirmations: deep, sinceMs: now, intent, mined: false, dueMs: now }
}

/** @throws {StoreUnavailableError} if it cannot be filed: what a crash would make us forget is not sent */
async function file({ journal }: Sender, tx: Outgoing): Promise<boolean> {
  try {
    return await journal.add(tx)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new StoreUnavailableError(`The transaction could not be stored, so it was not sent. ${why}`, { cause })
  }
}

/** What surely reached no node is taken off the file again. */
async function handOver(sender: Sender, tx: Outgoing): Promise<Broadcast> {
  let sent: Broadcast
  try {
    sent = await sender.chain.broadcast(tx.raw)
  } catch (error) {
    await takeBack(sender, tx)
    throw error
  }
  if (sent.outcome !== 'accepted' && sent.outcome !== 'unknown') await takeBack(sender, tx)
  return sent
}

/** @throws {TransactionUnknownError} if it stays on file, and so would be sent after a restart: then it goes on now */
async function takeBack(sender: Sender, tx: Outgoing): Promise<void> {
  try {
    await sender.journal.remove(tx)
  } catch {
    sender.outgoing.set(tx.nonce, tx)
    void watch(sender, tx.nonce)
    throw new TransactionUnknownError(tx.hashes[0])
  }
}

/**
 * Our own count is right as long as something of ours waits; after that the
 * node's is, unless it lags behind a transaction of ours that it has mined.
 */
async function nextNonce({ chain, account, journal }: Sender): Promise<number> {
  const [{ outgoing, last }, counted] = await Promise.all([journal.read(), chain.nonce(account.address, 'pending')])
  const ours = Math.max(last ? last.nonce + 1 : 0, ...outgoing.map(({ nonce }) => nonce + 1))
  if (counted >= ours || outgoing.length > 0) return Math.max(counted, ours)
  const receipts = await Promise.all((last?.hashes ?? []).map((hash: Hash) => chain.mined(hash)))
  return receipts.some((receipt) => receipt !== undefined) ? ours : counted
}

/** Nodes keep few transactions of one account that are not mined yet (geth: 16 for sure). */
const MOST_WAITING = 16

/** Each but the first because the node, or the file, knows better about nonce or fee. */
const MOST_ATTEMPTS = 5

async function waitForRoom({ chain, outgoing }: Sender, { signal, timeoutMs = WAIT_MS }: SendOptions): Promise<void> {
  const deadline = Date.now() + timeoutMs
  signal?.throwIfAborted()
  while ([...outgoing.values()].filter(({ mined }) => !mined).length >= MOST_WAITING) {
    if (Date.now() >= deadline) throw new TransactionRefusedError(`${MOST_WAITING} others of this key wait to be mined`)
    await pause(chain.pollMs, signal)
    signal?.throwIfAborted()
  }
}

/** The gas to give, in units. The estimate is of a moment ago, so a fifth is added. */
async function simulate({ chain, account }: Sender, call: Call, { abi, gas }: SendOptions): Promise<bigint> {
  const asked = { from: account.address, ...(abi && { abi }) }
  await chain.call(call, asked)
  return gas ?? ((await chain.gas(call, asked)) * 6n) / 5n
}
