/** Gets one call from "please" to "a node has it". Whatever is thrown here means that nothing was sent. */
import { NoGasError } from '../base/faults.ts'
import type { Call } from '../escrow/escrow.ts'
import type { Broadcast, SendOptions } from './chain.ts'
import { TransactionRefusedError } from './errors.ts'
import { priced } from './fees.ts'
import { dueMs, sign, type Outgoing, type Sender } from './outgoing.ts'
import { pause } from './pause.ts'
import { WAIT_MS } from './wait.ts'

export type Nonces = {
  /** The first nonce that nothing of ours has. */
  next(): Promise<number>
  take(tx: Outgoing): void
}

/** Simulates `call`, gives it a nonce, signs it and hands it to a node. One launch at a time. */
export async function launch(sender: Sender, nonces: Nonces, call: Call, options: SendOptions): Promise<Outgoing> {
  const { chain, account, cap, outgoing } = sender
  await waitForRoom(sender, options)
  const gas = await simulate(sender, call, options)
  let least = 0
  let refusal: Broadcast | undefined
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const nonce = Math.max(least, await nonces.next())
    const price = priced(await chain.fees(), cap)
    const { raw, hash } = await sign(sender, { nonce, call, gas }, price)
    const sent = await chain.broadcast(raw)
    if (sent.outcome === 'accepted' || sent.outcome === 'unknown') {
      const { onSent } = options
      const tx = {
        nonce,
        call,
        gas,
        price,
        raw,
        hashes: [hash],
        mined: false,
        dueMs: dueMs(sender, sent),
        onSent,
      } as const
      nonces.take(tx)
      outgoing.set(nonce, tx)
      return tx
    }
    if (sent.outcome === 'no-gas') throw new NoGasError(account.address, gas * price.maxFeePerGas)
    if (sent.outcome === 'nonce-used' || sent.outcome === 'nonce-taken') least = nonce + 1
    refusal = sent
    if (sent.outcome === 'refused') break
  }
  throw new TransactionRefusedError(refusal?.reason ?? 'no reason was given')
}

/**
 * Our own count is right as long as something of ours waits; after that the
 * node's is, unless it lags behind a transaction of ours that it has mined.
 */
export function createNonces({ chain, account, outgoing }: Sender): Nonces {
  let next = 0
  let last: Outgoing | undefined
  return {
    async next() {
      if (outgoing.size > 0) return next
      const counted = await chain.nonce(account.address, 'pending')
      if (counted >= next || !last) return counted
      const receipts = await Promise.all(last.hashes.map((hash) => chain.mined(hash)))
      return receipts.some((receipt) => receipt !== undefined) ? next : counted
    },
    take(tx) {
      next = tx.nonce + 1
      last = tx
    },
  }
}

/** Nodes keep few transactions of one account that are not mined yet (geth: 16 for sure). */
const MOST_WAITING = 16

/** Each but the first because the node knows better about nonce or fee. */
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
