/** What a receiver said when it did not take a payment. */
import type { Code, Details } from '../base/errors.ts'
import type { Dialect } from '../dialect/dialect.ts'

export type Said = {
  readonly status: number
  /** Our code, whether the receiver is a Farthing or says it with its protocol's word; undefined: something else. */
  readonly code: Code | undefined
  readonly detail: string
  readonly details: Details
  readonly retryAfterSeconds: number | undefined
}

/** Longest refusal that is read, in bytes. */
const MOST = 65_536

/** undefined: the answer is the resource's own. Reads a copy, so the caller can still return the response. */
export async function readRefusal(
  response: Response,
  dialect: Dialect<unknown> | undefined,
): Promise<Said | undefined> {
  const type = response.headers.get('content-type') ?? ''
  const said: Readonly<Record<string, unknown>> = type.includes('problem+json') ? await readJson(response.clone()) : {}
  const flagged = response.status === 402 ? dialect?.readRefusal(response.headers) : undefined
  const code = codeOf(said, dialect) ?? flagged?.code
  if (response.status !== 402 && (code === undefined || response.ok)) return undefined
  const wait = Number(response.headers.get('retry-after') ?? NaN)
  return {
    status: response.status,
    code,
    detail: typeof said.detail === 'string' ? said.detail.slice(0, 500) : (code ?? response.statusText),
    details: {
      ...flagged?.details,
      ...Object.fromEntries(
        Object.entries(said).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
    },
    retryAfterSeconds: Number.isFinite(wait) && wait >= 0 ? wait : undefined,
  }
}

async function readJson(response: Response): Promise<Record<string, unknown>> {
  try {
    if (Number(response.headers.get('content-length') ?? 0) > MOST) return {}
    const value: unknown = JSON.parse((await response.text()).slice(0, MOST))
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function codeOf(said: Readonly<Record<string, unknown>>, dialect: Dialect<unknown> | undefined): Code | undefined {
  if (!dialect) return undefined
  const codes = Object.keys(dialect.refusals) as Code[]
  return codes.find((code) => code === said.code) ?? codes.find((code) => dialect.refusals[code].word === said.type)
}
