/**
 * A chain behind one or several JSON-RPC nodes.
 *
 * Questions go out as raw `eth_*` requests: viem's own `call` would follow an
 * ERC-3668 revert to whatever URL a hostile contract names.
 */
import { numberToHex, type Abi, type Hash } from 'viem'
import type { Call } from '../escrow/escrow.ts'
import { verifyCall } from './agree.ts'
import { bigintOf, blockOf, hexOf, minedOf, numberOf, sentOf } from './answer.ts'
import { broadcast, readFees } from './broadcast.ts'
import type { CallOptions, Chain } from './chain.ts'
import { readChainConfig, type ChainConfig } from './config.ts'
import { createLogReader } from './logs.ts'
import { createNodes, type Nodes } from './node.ts'
import { createReader, type Client, type Reader } from './reader.ts'
import { acceptsSignature } from './signature.ts'
import { waitMined } from './wait.ts'

/**
 * Reads a chain and hands transactions to it. No node is asked before the first question.
 *
 * @throws {ConfigError} naming the setting that is wrong
 */
export function createChain(config: ChainConfig): Chain {
  const { confirmations, pollMs, logRange, abi, ...rest } = readChainConfig(config)
  const nodes = createNodes(rest)
  const read = createReader(nodes)
  const blocks = blockQuestions(read)
  const chain: Chain = {
    confirmations,
    pollMs,
    logRange,
    ...blocks,
    ...accountQuestions(read),
    ...callQuestions(nodes, read, abi),
    async confirmed() {
      const { number } = await blocks.head()
      const depth = BigInt(confirmations - 1)
      return number > depth ? number - depth : 0n
    },
    logs: createLogReader(nodes, logRange),
    acceptsSignature: (question) => acceptsSignature(nodes, question),
    waitMined: (hash, options) => waitMined(chain, hash, options),
    fees: () => readFees(nodes),
    broadcast: (transaction) => broadcast(nodes, transaction),
  }
  return chain
}

function blockQuestions(read: Reader) {
  return {
    id: () => read((node) => node.request({ method: 'eth_chainId' }), numberOf),
    head: () => read((node) => node.request({ method: 'eth_getBlockByNumber', params: ['latest', false] }), blockOf),
    block: (at: bigint | Hash) =>
      read(
        (node) =>
          typeof at === 'bigint'
            ? node.request({ method: 'eth_getBlockByNumber', params: [numberToHex(at), false] })
            : node.request({ method: 'eth_getBlockByHash', params: [at, false] }),
        (answer) => (answer === null ? undefined : blockOf(answer)),
      ),
    mined: (hash: Hash) =>
      read(
        (node) => node.request({ method: 'eth_getTransactionReceipt', params: [hash] }),
        (answer) => (answer === null ? undefined : minedOf(answer)),
      ),
  }
}

function accountQuestions(read: Reader): Pick<Chain, 'code' | 'balance' | 'nonce' | 'sent'> {
  return {
    code: (address) => read((node) => node.request({ method: 'eth_getCode', params: [address, 'latest'] }), hexOf),
    balance: (address) =>
      read((node) => node.request({ method: 'eth_getBalance', params: [address, 'latest'] }), bigintOf),
    nonce(address, counted) {
      const tag = typeof counted === 'bigint' ? numberToHex(counted) : counted === 'mined' ? 'latest' : 'pending'
      return read((node) => node.request({ method: 'eth_getTransactionCount', params: [address, tag] }), numberOf)
    },
    sent: (address, nonce, block) =>
      read(
        (node) => node.request({ method: 'eth_getBlockByNumber', params: [numberToHex(block), true] }),
        (answer) => sentOf(answer, address, nonce),
      ),
  }
}

function callQuestions(nodes: Nodes, read: Reader, known: Abi): Pick<Chain, 'call' | 'gas'> {
  return {
    async call(call, options = {}) {
      const block = options.block === undefined ? 'latest' : numberToHex(options.block)
      const transaction = transactionOf(call, options)
      const question = (node: Client) => node.request({ method: 'eth_call', params: [transaction, block] })
      const answer = await read(question, hexOf, [...known, ...(options.abi ?? [])])
      // Whoever names a block wants a fact, and all nodes must have the same one.
      if (options.block !== undefined) await verifyCall(nodes, question, answer)
      return answer
    },
    gas(call, options = {}) {
      const question = transactionOf(call, options)
      return read((node) => node.request({ method: 'eth_estimateGas', params: [question] }), bigintOf, [
        ...known,
        ...(options.abi ?? []),
      ])
    },
  }
}

function transactionOf(call: Call, { from, gas }: CallOptions) {
  return { to: call.to, data: call.data, ...(from && { from }), ...(gas !== undefined && { gas: numberToHex(gas) }) }
}
