/**
 * Who used a nonce: which transaction, if it was none of ours.
 *
 * Nodes cannot be asked for a transaction by its nonce. But they know how many
 * an account had sent at each block, so the block is found by halving.
 */
import type { Address } from 'viem'
import { ChainUnavailableError } from '../base/faults.ts'
import type { Chain, Sent } from './chain.ts'

type Asked = Pick<Chain, 'head' | 'nonce' | 'sent'>

/**
 * undefined: the transaction is not `confirmations` deep yet, or no node knows the state of its block any more.
 * That a node does not know ours proves nothing, as it may lag behind; that it has another one does.
 */
export async function findTaker(
  chain: Asked,
  address: Address,
  { nonce, confirmations }: { readonly nonce: number; readonly confirmations: number },
): Promise<Sent | undefined> {
  const isUsed = async (block: bigint) => (await chain.nonce(address, block)) > nonce
  try {
    const { number } = await chain.head()
    const deep = number - BigInt(confirmations - 1)
    if (deep < 0n || !(await isUsed(deep))) return undefined
    const block = await firstBlock(deep, isUsed)
    return await chain.sent(address, nonce, block)
  } catch (error) {
    if (error instanceof ChainUnavailableError) return undefined
    throw error
  }
}

/** The first block of which `isTrue`, given that it is true of `known` and of every block between. */
async function firstBlock(known: bigint, isTrue: (block: bigint) => Promise<boolean>): Promise<bigint> {
  let yes = known
  let no = -1n
  // In growing steps from the newest: it was lately, and nodes forget what is old.
  for (let step = 1n; yes - step >= 0n; step *= 2n) {
    if (await isTrue(yes - step)) yes -= step
    else {
      no = yes - step
      break
    }
  }
  while (yes - no > 1n) {
    const middle = (yes + no) / 2n
    if (await isTrue(middle)) yes = middle
    else no = middle
  }
  return yes
}
