/**
 * Puts a question to the nodes in turn until one answers.
 *
 * We stay with the node that answered last: two nodes are rarely at the same
 * block, and an answer about block 100 beside one about block 98 is how events
 * get lost. Every node is asked once which chain it is on before it is
 * believed.
 */
import { getHttpRpcClient } from 'viem/utils'
import { ConfigError } from '../base/faults.ts'
import {
  failureOf,
  isRefusal,
  NodesFailedError,
  RefusedError,
  rpcErrorOf,
  rpcFailure,
  type Failure,
} from './failure.ts'
import { pause } from './pause.ts'
import { createRest, type Rest } from './rest.ts'

export type Question = { readonly method: string; readonly params?: unknown }

export type AskOptions = {
  readonly timeoutMs?: number
  /** Asks every node once; otherwise those that failed quickly are asked once more, a moment later. */
  readonly once?: boolean
  /** Stops at a failure after which a node may have acted, for a question that is a deed. */
  readonly stopAtDelivered?: boolean
}

export type Nodes = {
  /** Of the one that is asked first. */
  readonly host: string
  /** Each of those that are asked only if that one fails, by itself. */
  others(): readonly Nodes[]
  /**
   * @throws {NodesFailedError} when none answers
   * @throws {RefusedError} when one answers that the call reverts or the transaction is not taken
   * @throws {ConfigError} when a node is on another chain
   */
  ask(question: Question, options?: AskOptions): Promise<unknown>
}

export type NodesConfig = {
  readonly urls: readonly URL[]
  readonly timeoutMs: number
  readonly chainId: number | undefined
}

type Node = {
  readonly url: URL
  readonly rest: Rest
  readonly post: (question: Question, timeoutMs: number) => Promise<unknown>
}

export function createNodes({ urls, timeoutMs, chainId }: NodesConfig): Nodes {
  const verify = createVerifier(chainId)
  const post: Post = async (node, question, options) => {
    await verify(node, timeoutMs)
    return node.post(question, options.timeoutMs ?? timeoutMs)
  }
  return among(urls.map(createNode), post)
}

type Post = (node: Node, question: Question, options: AskOptions) => Promise<unknown>

function among(nodes: readonly Node[], post: Post): Nodes {
  let current = 0
  const ring = () => [...nodes.slice(current), ...nodes.slice(0, current)]
  const askAll = async (question: Question, options: AskOptions, some: readonly Node[]) => {
    const answer = await firstAnswer(some, (node) => post(node, question, options), options)
    if ('node' in answer) current = nodes.indexOf(answer.node)
    return answer
  }
  return {
    get host() {
      return nodes[current]?.url.host ?? ''
    },
    others: () =>
      ring()
        .slice(1)
        .map((node) => among([node], post)),
    async ask(question, options = {}) {
      const all = ring()
      const ready = await rested(all)
      if (ready.length === 0) throw new NodesFailedError(all.flatMap(({ rest }) => rest.failure() ?? []))
      const first = await askAll(question, options, ready)
      if ('value' in first) return first.value
      const quick = [...first.failures].filter(([, failure]) => failure.kind !== 'timeout').map(([node]) => node)
      const deed = options.stopAtDelivered && [...first.failures.values()].some(({ delivered }) => delivered)
      if (options.once || deed || quick.length === 0) throw new NodesFailedError([...first.failures.values()])
      await pause(SECOND_LOOK_MS)
      const second = await askAll(question, options, await rested(quick))
      if ('value' in second) return second.value
      throw new NodesFailedError([...new Map([...first.failures, ...second.failures]).values()])
    },
  }
}

async function firstAnswer(
  some: readonly Node[],
  ask: (node: Node) => Promise<unknown>,
  { stopAtDelivered }: AskOptions,
): Promise<Answer> {
  const failures = new Map<Node, Failure>()
  for (const node of some) {
    try {
      return { node, value: await ask(node) }
    } catch (error) {
      if (!(error instanceof NodesFailedError)) throw error
      for (const failure of error.failures) failures.set(node, failure)
      if (stopAtDelivered && error.failures.some(({ delivered }) => delivered)) break
    }
  }
  return { failures }
}

type Answer = { readonly node: Node; readonly value: unknown } | { readonly failures: ReadonlyMap<Node, Failure> }

const SECOND_LOOK_MS = 200

/** A question waits this long for a node that wants to be left alone, if no other can be asked. */
const MOST_WAIT_MS = 2_000

/** Those that may be asked now, or in a moment. */
async function rested(some: readonly Node[]): Promise<readonly Node[]> {
  const untilMs = performance.now() + MOST_WAIT_MS
  for (;;) {
    const leftMs = Math.min(...some.map(({ rest }) => rest.leftMs()))
    if (leftMs === 0 || performance.now() + leftMs > untilMs) break
    // Again afterwards: timers are early by a fraction, and another question may have made the node ask for more.
    await pause(Math.ceil(leftMs))
  }
  return some.filter(({ rest }) => rest.leftMs() === 0)
}

function createNode(url: URL): Node {
  const client = getHttpRpcClient(url.href)
  const rest = createRest()
  const failed = (failure: Failure) => {
    rest.note(failure)
    return new NodesFailedError([failure])
  }
  return {
    url,
    rest,
    async post(question, timeout) {
      const body = { method: question.method, params: question.params ?? [] }
      let answer: unknown
      try {
        answer = await client.request({ body, timeout })
      } catch (error) {
        answer = error
      }
      const refusal = rpcErrorOf(answer)
      if (refusal) {
        const failure = rpcFailure(refusal, url)
        if (!isRefusal(question.method, refusal)) throw failed(failure)
        rest.end()
        throw new RefusedError(failure.reason, refusal.data)
      }
      if (typeof answer !== 'object' || answer === null || !('result' in answer)) throw failed(failureOf(answer, url))
      rest.end()
      return answer.result
    },
  }
}

/** All nodes must be on one chain: the configured one, or else that of the node that answers first. */
function createVerifier(configured: number | undefined) {
  const verified = new Set<Node>()
  let expected = configured
  return async (node: Node, timeoutMs: number) => {
    if (verified.has(node)) return
    const answer = await node.post({ method: 'eth_chainId' }, timeoutMs)
    const got = Number(answer)
    if (!Number.isSafeInteger(got) || got < 1) throw new NodesFailedError([failureOf(answer, node.url)])
    expected ??= got
    if (got !== expected) throw new ConfigError('rpc', `${node.url.host} is on chain ${got}, not on ${expected}.`)
    verified.add(node)
  }
}
