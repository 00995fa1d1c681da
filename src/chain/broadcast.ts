/** Hands transactions to a node, and reads what it says about them. */
import type { Hex } from 'viem'
import { CallRevertedError, ChainUnavailableError } from '../base/faults.ts'
import { bigintOf } from './answer.ts'
import type { Broadcast, Fees } from './chain.ts'
import type { Nodes } from './node.ts'
import { createReader, failuresOf } from './reader.ts'

/**
 * Hands over a signed transaction. Another node is asked only if the one before
 * surely did not get it: of two answers, the second would be about a
 * transaction that the first has mined meanwhile.
 *
 * @throws {ChainUnavailableError} if it surely reached no node
 */
export async function broadcast(nodes: Nodes, transaction: Hex): Promise<Broadcast> {
  const send = createReader(nodes, { stopAtDelivered: true })
  try {
    return await send(
      (node) => node.request({ method: 'eth_sendRawTransaction', params: [transaction] }),
      () => ({ outcome: 'accepted' }),
    )
  } catch (error) {
    if (error instanceof CallRevertedError) return { outcome: outcomeOf(error.reason), reason: error.reason }
    const delivered = failuresOf(error).some((failure) => failure.delivered)
    if (error instanceof ChainUnavailableError && delivered) return { outcome: 'unknown', reason: error.message }
    throw error
  }
}

/** What the next block takes at least, and what is customary on top. */
export async function readFees(nodes: Nodes): Promise<Fees> {
  const read = createReader(nodes)
  const [base, tip] = await Promise.all([
    read(
      (node) => node.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }),
      (block) => bigintOf(block?.baseFeePerGas ?? '0x0'),
    ),
    read((node) => node.request({ method: 'eth_maxPriorityFeePerGas' }), bigintOf),
  ])
  return { base, tip }
}

function outcomeOf(reason: string): Broadcast['outcome'] {
  return OUTCOMES.find(([, pattern]) => pattern.test(reason))?.[0] ?? 'refused'
}

/** The words of geth, reth, Nethermind, Besu, Erigon and anvil, the more special ones first. */
const OUTCOMES: readonly (readonly [Broadcast['outcome'], RegExp])[] = [
  ['accepted', /already ?(known|imported|exists)|known transaction/i],
  ['no-gas', /insufficient (funds|balance)|upfront cost|InsufficientFunds/i],
  ['nonce-used', /nonce (is )?too low|old ?nonce|nonce already used|nonce below current/i],
  ['nonce-taken', /replacement|replaced|FeeTooLowToCompete/i],
  [
    'fee-too-low',
    /underpriced|less than (the )?(block )?base ?fee|fee ?too ?low|gas ?price.*(below|too low|less)|FeeTooLow/i,
  ],
]
