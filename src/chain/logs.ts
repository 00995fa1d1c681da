/**
 * Logs of any number of blocks.
 *
 * How many blocks a node lets one ask for, or how many logs it gives, is
 * different everywhere and told in no standard way. So whatever a node says
 * against a range, half of it is tried, as long as the node says anything.
 */
import { numberToHex, type Log } from 'viem'
import { verifyLogs } from './agree.ts'
import { bigintOf, logsOf } from './answer.ts'
import type { LogQuery } from './chain.ts'
import type { Nodes } from './node.ts'
import { createReader, failuresOf } from './reader.ts'

type RangeQuery = Extract<LogQuery, { fromBlock: bigint }>

/** `logRange` is the most blocks asked for at once. */
export function createLogReader(nodes: Nodes, logRange: number): (query: LogQuery) => Promise<Log[]> {
  const read = createReader(nodes)
  const readOnce = createReader(nodes, { once: true })
  const most = BigInt(logRange)
  let range = most

  const readRange = async ({ address, topics, fromBlock, toBlock }: RangeQuery): Promise<Log[] | undefined> => {
    const filter = { address, topics, fromBlock: numberToHex(fromBlock), toBlock: numberToHex(toBlock) }
    try {
      const logs = await readOnce((node) => node.request({ method: 'eth_getLogs', params: [filter] }), logsOf)
      await verifyLogs(nodes, filter, logs)
      return logs
    } catch (error) {
      if (fromBlock === toBlock || !mayBeTheRange(error)) throw error
      await read((node) => node.request({ method: 'eth_blockNumber' }), bigintOf)
      return undefined
    }
  }

  return async (query) => {
    if ('blockHash' in query) {
      const logs = await read((node) => node.request({ method: 'eth_getLogs', params: [query] }), logsOf)
      await verifyLogs(nodes, query, logs)
      return logs
    }
    const found: Log[] = []
    let fromBlock = query.fromBlock
    while (fromBlock <= query.toBlock) {
      const toBlock = smaller(fromBlock + range - 1n, query.toBlock)
      const logs = await readRange({ ...query, fromBlock, toBlock })
      // Slowly back to more after a refusal, so that a node with a limit refuses seldom.
      range = logs ? smaller(range + range / 8n + 1n, most) : (toBlock - fromBlock + 1n) / 2n
      if (!logs) continue
      for (const log of logs) found.push(log)
      fromBlock = toBlock + 1n
    }
    return found
  }
}

/** Not when every node is away or asks us to slow down: more questions would not help. */
function mayBeTheRange(error: unknown): boolean {
  return failuresOf(error).some(({ kind }) => kind !== 'unreachable' && kind !== 'limited')
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
