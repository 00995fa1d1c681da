/** What a check found, and how one that fails or takes too long says so without stopping the others. */
import { ChainUnavailableError } from '../../base/faults.ts'
import { messageOf } from '../../base/log.ts'
import { inTime } from '../../chain/pause.ts'

/** `slow`: it works, and costs time with each payment. `warn`: it works, and will not do for long, or not for all. */
export type Verdict = 'ok' | 'slow' | 'warn' | 'BAD'

export type Finding = {
  readonly name: string
  readonly verdict: Verdict
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
  /** No node gave an answer; nothing may be wrong with the configuration. */
  readonly isOffline?: true
}

/** What a check returns: its finding without the name, and what later checks build on. */
export type Seen<T> = Omit<Finding, 'name' | 'isOffline'> & { readonly value: T }

export type Looked<T> = { readonly finding: Finding; readonly value?: T }

/** How long one check may take. */
const LIMIT_MS = 10_000

/** Runs a check. Whatever it throws is its finding. `late` is thrown when its time is over. */
export async function look<T>(
  name: string,
  work: (signal: AbortSignal) => Promise<Seen<T>>,
  late = () => new Error(`It took longer than ${LIMIT_MS / 1_000} s.`),
): Promise<Looked<T>> {
  try {
    const { value, ...seen } = await inTime({ timeoutMs: LIMIT_MS, late }, work)
    return { finding: { name, ...seen }, value }
  } catch (error) {
    return { finding: { name, ...faultOf(error) } }
  }
}

/** A check that asks a node. */
export function lookAtChain<T>(name: string, work: (signal: AbortSignal) => Promise<Seen<T>>): Promise<Looked<T>> {
  return look(name, work, () => new ChainUnavailableError(`There was no answer in ${LIMIT_MS / 1_000} s.`))
}

/** Errors say what is wrong, then what to do. */
function faultOf(error: unknown): Omit<Finding, 'name'> {
  const [, detail = '', fix] = /^(.*?[^.])(?:\.\s+(\S.*?))?\.?$/s.exec(messageOf(error)) ?? []
  const fault = { verdict: 'BAD', detail } as const
  if (!(error instanceof ChainUnavailableError)) return { ...fault, ...(fix !== undefined && { fix }) }
  return {
    ...fault,
    fix: fix ?? 'Look whether it runs and is reached from here, and whether --rpc is right',
    isOffline: true,
  }
}
