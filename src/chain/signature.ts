/**
 * Asks a contract whether a signature is good, exactly as the escrow does.
 *
 * What we accept and the escrow refuses is a service given away. So the wallet
 * gets the same gas, sees the same caller, and one word of its answer counts.
 * It is a stranger's code all the same: it can change its mind, and it may try
 * to keep the node busy. ECDSA is not tried here; the escrow tries it first.
 */
import { bytesToHex, encodeFunctionData, hexToBytes, numberToHex, parseAbi, type Hex } from 'viem'
import { CallRevertedError } from '../base/faults.ts'
import { bigintOf, hexOf } from './answer.ts'
import type { SignatureQuestion } from './chain.ts'
import type { Nodes } from './node.ts'
import { createReader, failuresOf } from './reader.ts'

/** Units of gas that a wallet may use. `SIGNATURE_GAS_LIMIT` of the escrow. */
export const SIGNATURE_GAS_LIMIT = 500_000n

/** How long a node may need to ask the wallet. */
const TIME_LIMIT_MS = 1_000

/**
 * Whether the contract at `signer` answers with the magic value.
 *
 * A wallet that reverts, runs out of gas or takes longer than a second has not accepted.
 *
 * @throws {ChainUnavailableError} when no node answers, so that nothing is known
 * @see ERC-1271
 */
export async function acceptsSignature(nodes: Nodes, question: SignatureQuestion): Promise<boolean> {
  const ask = createReader(nodes, { once: true, timeoutMs: TIME_LIMIT_MS })
  const data = encodeFunctionData({ abi: ABI, args: [bytesToHex(question.digest), question.signature] })
  const gas = numberToHex(SIGNATURE_GAS_LIMIT + intrinsicGas(data))
  const call = { from: question.escrow, to: question.signer, data, gas }
  try {
    return await ask((node) => node.request({ method: 'eth_call', params: [call, 'latest'] }), isMagic)
  } catch (error) {
    if (error instanceof CallRevertedError) return false
    if (!failuresOf(error).some(({ kind }) => kind === 'timeout')) throw error
    // A node that answers everything else in time was kept busy by the wallet.
    await ask((node) => node.request({ method: 'eth_blockNumber' }), bigintOf)
    return false
  }
}

const ABI = parseAbi(['function isValidSignature(bytes32 digest, bytes signature) view returns (bytes4)'])

/** The function's selector, left-aligned in the first word. */
const MAGIC = `0x1626ba7e${'0'.repeat(56)}`

function isMagic(answer: unknown): boolean {
  return hexOf(answer).slice(0, 66).toLowerCase() === MAGIC
}

/** What a transaction with this data costs before the first instruction, which a call inside the escrow does not pay. */
function intrinsicGas(data: Hex): bigint {
  return hexToBytes(data).reduce((gas, byte) => gas + (byte === 0 ? 4n : 16n), 21_000n)
}
