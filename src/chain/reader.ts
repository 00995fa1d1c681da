/** Typed questions to the nodes, with this project's errors for what goes wrong. */
import { createClient, custom, type Abi } from 'viem'
import { CallRevertedError, ChainUnavailableError } from '../base/faults.ts'
import { NodesFailedError, RefusedError, type Failure } from './failure.ts'
import type { AskOptions, Nodes, Question } from './node.ts'
import { revertReason } from './revert.ts'

export type Client = ReturnType<typeof createNodeClient>

export type Reader = {
  /**
   * Asks `question` and gives `decode` the answer.
   *
   * @throws {ChainUnavailableError} when no node answers, or one answers what `decode` cannot take
   * @throws {CallRevertedError} named by `abi`
   */
  <raw, T>(question: (client: Client) => Promise<raw>, decode: (answer: raw) => T, abi?: Abi): Promise<T>
}

export function createReader(nodes: Nodes, options?: AskOptions): Reader {
  const client = createNodeClient(nodes, options)
  return async (question, decode, abi) => {
    const answer = await question(client).catch((error: unknown) => {
      throw faultOf(error, abi)
    })
    try {
      return decode(answer)
    } catch {
      throw new ChainUnavailableError(
        'A node gives answers that make no sense. Check that the URL is that of an Ethereum node.',
      )
    }
  }
}

/** How each node failed, if that is what `error` is about. */
export function failuresOf(error: unknown): readonly Failure[] {
  return error instanceof ChainUnavailableError && error.cause instanceof NodesFailedError ? error.cause.failures : []
}

function faultOf(error: unknown, abi: Abi | undefined): unknown {
  const cause = innermost(error)
  if (cause instanceof NodesFailedError) return new ChainUnavailableError(cause.message, { cause })
  if (cause instanceof RefusedError) return new CallRevertedError(revertReason(cause, abi))
  return cause
}

/** viem wraps what a transport throws. */
function innermost(error: unknown): unknown {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  return at
}

/** Retries are the business of `nodes`. */
function createNodeClient(nodes: Nodes, options: AskOptions | undefined) {
  return createClient({
    transport: custom({ request: (question: Question) => nodes.ask(question, options) }, { retryCount: 0 }),
  })
}
