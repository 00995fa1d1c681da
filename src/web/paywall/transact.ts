/** Sending transactions through the wallet, and waiting for them. */
import type { Hash } from 'viem'
import * as read from '../../base/read.ts'
import type { Call, Desk } from './escrow.ts'
import { ask, pause, WalletError } from './wallet.ts'

/** Called with words for the person who waits. */
export type Say = (words: string) => void

/** The code of an error for a transaction that is in a block and did nothing. */
export const FAILED = 3

const LOOK_MS = 1_000
/** A transaction that takes longer than this is for its wallet to speed up or to cancel. */
const MOST_LOOKS = 900

/** Sends one after the other, and resolves to the receipt of the last. @throws {DeniedError} | {@link WalletError} */
export async function transact(
  desk: Desk,
  calls: readonly Call[],
  say: Say,
  sent: (hash: Hash, call: Call) => void = () => undefined,
): Promise<read.JsonObject> {
  let receipt: read.JsonObject = {}
  for (const [index, one] of calls.entries()) {
    const count = calls.length > 1 ? ` (${index + 1} of ${calls.length})` : ''
    say(`Confirm ${one.what} in your wallet${count}.`)
    const { to, data } = one
    const hash = read.hash(
      await ask(desk.wallet, 'eth_sendTransaction', [{ from: desk.account, to, data }]),
      'transaction',
    )
    sent(hash, one)
    receipt = await mined(desk, hash, one.what, say)
  }
  return receipt
}

/** @throws {WalletError} if it failed, or is not mined for a long time */
export async function mined({ wallet }: Desk, hash: Hash, what: string, say: Say): Promise<read.JsonObject> {
  say(`Sent. Waiting until ${what} is in a block.`)
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const receipt = await ask(wallet, 'eth_getTransactionReceipt', [hash])
    if (receipt !== null && receipt !== undefined) {
      const fields = read.object(receipt, 'receipt')
      if (BigInt(read.text(read.member(fields, 'status'), 'status')) === 1n) return fields
      throw new WalletError(`The transaction failed on the chain: ${hash}. Only its fee is gone.`, FAILED)
    }
    await pause(LOOK_MS)
  }
  throw new WalletError(`The transaction is not in a block yet. Look for it in your wallet: ${hash}.`, -32000)
}
