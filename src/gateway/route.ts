/** One row of the table from which the gateway is served and described. */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import type { Gateway } from './context.ts'
import type { SchemaName } from './schemas.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** `token`: what was shown instead of a password. */
export type Administrator = { readonly name: string; readonly token: string | undefined }

/** A request that has found its route. */
export type Visit = {
  readonly request: IncomingMessage
  /** The parts of the path that the route leaves open, as they came. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly client: string
  readonly administrator: Administrator | undefined
}

export type Run = (gateway: Gateway, visit: Visit) => Answer | Promise<Answer>

/** What is said of a route. */
export type Described = {
  readonly id: string
  readonly summary: string
  readonly access: Access
  readonly answer: SchemaName | 'redirect'
  /** Statuses of refusals, besides those that follow from `access`. */
  readonly refusals?: readonly number[]
  readonly takes?: 'status' | 'balance'
}

/** Who may ask, and who is told more than others. */
export type Access = 'anyone' | 'anyone, and administrators' | 'anyone, and senders' | 'administrator'

export type Route = Described & {
  readonly method: Method
  /** From the root, with `{sender}` and `{block}` where a request says which. */
  readonly path: string
  readonly run: Run
}

export type Matched = { readonly route: Route; readonly params: Readonly<Record<string, string>> }

/** The routes of a path, for all methods. Nothing is decoded: nothing that a path here may say needs that. */
export function matching(routes: readonly Route[], path: string): Matched[] {
  const given = path.split('/')
  return routes.flatMap((route) => {
    const params = paramsOf(route.path.split('/'), given)
    return params ? [{ route, params }] : []
  })
}

/** A block is digits and a sender is anything, as a router of 2018 saw it; an empty part is never either. */
function paramsOf(pattern: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const value = given[index] ?? ''
    if (!part.startsWith('{')) {
      if (part !== value) return undefined
      continue
    }
    if (value === '' || (part === '{block}' && !/^\d+$/.test(value))) return undefined
    params[part.slice(1, -1)] = value
  }
  return params
}
