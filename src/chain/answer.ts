/** Readers for what nodes answer. Each throws at anything else, so that nonsense never becomes a number. */
import { formatLog, type Address, type Hash, type Log, type RpcLog } from 'viem'
import { lower } from '../base/read.ts'
import type { Block, Mined, Sent } from './chain.ts'

type Fields<names extends string> = { readonly [name in names]: unknown }

export function hexOf(value: unknown): `0x${string}` {
  if (typeof value === 'string' && isHex(value)) return value
  throw new Error('not hex')
}

export function bigintOf(value: unknown): bigint {
  return BigInt(hexOf(value))
}

export function numberOf(value: unknown): number {
  const number = Number(hexOf(value))
  if (Number.isSafeInteger(number)) return number
  throw new Error('not a number')
}

export function blockOf(block: Fields<'number' | 'hash' | 'parentHash' | 'timestamp'> | null): Block {
  if (!block) throw new Error('no block')
  return {
    number: bigintOf(block.number),
    hash: hexOf(block.hash),
    parentHash: hexOf(block.parentHash),
    time: bigintOf(block.timestamp),
  }
}

type Receipt = Fields<'transactionHash' | 'status' | 'blockNumber' | 'gasUsed'> & { readonly logs: RpcLog[] }

export function minedOf({ transactionHash, status, blockNumber, gasUsed, logs }: Receipt): Mined {
  return {
    hash: hexOf(transactionHash),
    status: numberOf(status) === 1 ? 'success' : 'reverted',
    block: bigintOf(blockNumber),
    gasUsed: bigintOf(gasUsed),
    logs: logsOf(logs),
  }
}

type Transaction = Fields<'from' | 'nonce' | 'hash' | 'to' | 'input'>

/** The transaction of `address` with this nonce, of a block with its transactions. */
export function sentOf(
  block: { readonly transactions: readonly (Transaction | Hash)[] } | null,
  address: Address,
  nonce: number,
): Sent | undefined {
  for (const one of block?.transactions ?? []) {
    if (typeof one === 'string') throw new Error('no transactions, only hashes')
    if (lower(hexOf(one.from)) !== lower(address) || numberOf(one.nonce) !== nonce) continue
    const { hash, to, input } = one
    return { hash: lower(hexOf(hash)), ...(to !== null && { to: lower(hexOf(to)) }), data: lower(hexOf(input)) }
  }
  return undefined
}

/** In the order of the chain, without what a reorganisation took back. */
export function logsOf(logs: readonly RpcLog[]): Log[] {
  return logs
    .filter(({ removed }) => !removed)
    .map((log) => ({ log: formatLog(log), place: (bigintOf(log.blockNumber) << 32n) + bigintOf(log.logIndex) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ log }) => log)
}

function isHex(value: string): value is `0x${string}` {
  return /^0x[0-9a-f]*$/i.test(value)
}
