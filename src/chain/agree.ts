/**
 * Compares what one node says with what the others say, where money is credited on it.
 *
 * A node that is away, behind, or asks to be left alone says nothing. One that
 * has the block and says otherwise makes the answer worth nothing: one of the
 * two lies or is broken, and which one is not for a program to guess.
 */
import type { Hash, Hex, Log } from 'viem'
import { CallRevertedError, ChainUnavailableError } from '../base/faults.ts'
import { hexOf, logsOf } from './answer.ts'
import type { Nodes } from './node.ts'
import { createReader, type Client } from './reader.ts'

/** How long another node may take. */
const TIME_LIMIT_MS = 2_000

/** Logs by a range of blocks or by the hash of one. */
type Filter = {
  readonly address: Hex
  readonly topics: (Hex | Hex[] | null)[]
} & ({ readonly fromBlock: Hex; readonly toBlock: Hex } | { readonly blockHash: Hash })

/**
 * Whether each other node that has their blocks tells of these logs too. What a node keeps silent about is not noticed.
 *
 * @throws {ChainUnavailableError}
 */
export async function verifyLogs(nodes: Nodes, filter: Filter, logs: readonly Log[]): Promise<void> {
  if (logs.length === 0) return
  await Promise.all(
    nodes.others().map(async (other) => {
      const theirs = await askOne(other, (node) => node.request({ method: 'eth_getLogs', params: [filter] }), logsOf)
      if (!theirs) return
      const told = new Set(theirs.map(printed))
      const missing = new Map(logs.filter((log) => !told.has(printed(log))).map((log) => [log.blockHash, log]))
      for (const [hash, { blockNumber }] of missing) {
        if (hash && (await hasBlock(other, hash)))
          throw contradiction(nodes, other, `the events of block ${blockNumber}`)
      }
    }),
  )
}

/** Whether each other node that can answer a call answers the same. @throws {ChainUnavailableError} */
export async function verifyCall(nodes: Nodes, question: (node: Client) => Promise<Hex>, answer: Hex): Promise<void> {
  await Promise.all(
    nodes.others().map(async (other) => {
      const theirs = await askOne(other, question, hexOf).catch((error: unknown) => {
        if (error instanceof CallRevertedError) return error.reason
        throw error
      })
      if (theirs !== undefined && theirs !== answer) throw contradiction(nodes, other, 'the state of a contract')
    }),
  )
}

/** undefined: the node cannot say. */
async function askOne<raw, T>(
  other: Nodes,
  question: (node: Client) => Promise<raw>,
  decode: (answer: raw) => T,
): Promise<T | undefined> {
  try {
    return await createReader(other, { once: true, timeoutMs: TIME_LIMIT_MS })(question, decode)
  } catch (error) {
    if (error instanceof ChainUnavailableError) return undefined
    throw error
  }
}

function hasBlock(other: Nodes, hash: Hash): Promise<boolean | undefined> {
  return askOne(
    other,
    (node) => node.request({ method: 'eth_getBlockByHash', params: [hash, false] }),
    (block) => block !== null,
  )
}

function contradiction(nodes: Nodes, other: Nodes, about: string): ChainUnavailableError {
  return new ChainUnavailableError(
    `${nodes.host} and ${other.host} contradict each other about ${about}, so neither is believed. ` +
      'Find out which one is wrong, and leave it out.',
  )
}

/** What has to be the same, in one case. */
function printed({ blockHash, logIndex, transactionHash, topics, data }: Log): string {
  return [blockHash, logIndex, transactionHash, ...topics, data].join().toLowerCase()
}
