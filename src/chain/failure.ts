/**
 * What a node can answer instead of an answer.
 *
 * A failure is the node's own trouble, and the next node is asked. A refusal is
 * about the question, and every node would say the same. Texts here name hosts
 * and never addresses: the path, the query and the user of an RPC URL are
 * credentials.
 */
import { HttpRequestError, ResponseBodyTooLargeError, RpcRequestError, TimeoutError } from 'viem'

export type Failure = {
  readonly host: string
  readonly kind: 'unreachable' | 'timeout' | 'http' | 'limited' | 'rpc' | 'malformed'
  readonly reason: string
  /** The node may have got the question, and acted on it. */
  readonly delivered: boolean
  /** How long the node wants to be left alone. @see RFC 9110, section 10.2.3 */
  readonly retryAfterMs?: number
}

/** Every node failed. */
export class NodesFailedError extends Error {
  override readonly name = 'NodesFailedError'
  readonly failures: readonly Failure[]
  constructor(failures: readonly Failure[]) {
    super(`No node answers: ${failures.map(({ host, reason }) => `${host} (${reason})`).join(', ')}.`)
    this.failures = failures
  }
}

/** A node answered: the call reverts, or the transaction is not taken. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly data: unknown
  constructor(message: string, data: unknown) {
    super(message)
    this.data = data
  }
}

type RpcError = { readonly code: number; readonly message: string; readonly data: unknown; readonly headers?: Headers }

/** Why no JSON-RPC answer came from the node at `url`, given what came or was thrown instead. */
export function failureOf(error: unknown, url: URL): Failure {
  const host = url.host
  if (error instanceof TimeoutError) return { host, kind: 'timeout', reason: 'did not answer in time', delivered: true }
  if (error instanceof ResponseBodyTooLargeError) {
    return { host, kind: 'http', reason: 'answered too much', delivered: true }
  }
  if (error instanceof HttpRequestError && error.status !== undefined) {
    const kind = error.status === 429 ? 'limited' : 'http'
    return { host, kind, reason: `HTTP ${error.status}`, delivered: error.status >= 500, ...waitOf(error.headers) }
  }
  const code = systemCode(error)
  if (code === undefined)
    return { host, kind: 'malformed', reason: 'answered something else than JSON-RPC', delivered: true }
  return { host, kind: 'unreachable', reason: code, delivered: !NEVER_CONNECTED.has(code) }
}

export function rpcFailure(error: RpcError, url: URL): Failure {
  const limited = LIMIT_CODES.has(error.code) || LIMITED.test(error.message)
  const reason = withoutSecrets(error.message, url).slice(0, 200)
  return { host: url.host, kind: limited ? 'limited' : 'rpc', reason, delivered: !limited, ...waitOf(error.headers) }
}

/** Seconds or a date. */
function waitOf(headers: Headers | undefined): Pick<Failure, 'retryAfterMs'> {
  const text = headers?.get('retry-after')
  if (text === null || text === undefined) return {}
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return waitMs > 0 ? { retryAfterMs: waitMs } : {}
}

/** The error member of a JSON-RPC answer, or undefined if the answer has none. */
export function rpcErrorOf(answer: unknown): RpcError | undefined {
  if (answer instanceof RpcRequestError) {
    const { details: message, data, headers, status } = answer
    return { code: status === 429 ? 429 : answer.code, message, data, ...(headers && { headers }) }
  }
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined
  const { error } = answer
  if (typeof error !== 'object' || error === null) return { code: 0, message: String(error), data: undefined }
  return {
    code: 'code' in error && typeof error.code === 'number' ? error.code : 0,
    message: 'message' in error && typeof error.message === 'string' ? error.message : 'gave no reason',
    data: 'data' in error ? error.data : undefined,
  }
}

/** Whether `method` with its parameters, and not the node, is what the error is about. */
export function isRefusal(method: string, error: RpcError): boolean {
  if (LIMIT_CODES.has(error.code) || LIMITED.test(error.message)) return false
  if (method === 'eth_sendRawTransaction') return !BROKEN.has(error.code)
  if (method !== 'eth_call' && method !== 'eth_estimateGas') return false
  return error.code === 3 || revertData(error.data) !== undefined || EXECUTION.test(error.message)
}

/** Nodes put the revert data into `data`, or one or two levels below. */
export function revertData(data: unknown): `0x${string}` | undefined {
  for (let at = data, depth = 0; depth < 3; depth++) {
    if (typeof at === 'string') return isHex(at) ? at : undefined
    if (typeof at !== 'object' || at === null || !('data' in at)) return undefined
    at = at.data
  }
  return undefined
}

function isHex(text: string): text is `0x${string}` {
  return /^0x([0-9a-f]{2})*$/i.test(text)
}

const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
const LIMIT_CODES = new Set([429, -32007, -32029])
const LIMITED = /rate.?limit|too many requests|request limit|throttl|quota|capacity/i
/** Parse error, invalid request, method not found, internal error: nothing was decided about the transaction. */
const BROKEN = new Set([-32700, -32600, -32601, -32603])
const EXECUTION =
  /revert|out ?of ?gas|EVM error|invalid (opcode|jump)|stack (under|over)flow|vm execution|gas required exceeds|intrinsic gas/i

function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return undefined
}

/** A node may quote the key that it was asked with. */
function withoutSecrets(message: string, url: URL): string {
  const parts = [url.username, url.password, ...url.pathname.split('/'), ...url.searchParams.values()]
  return parts.filter((part) => part.length >= 6).reduce((text, part) => text.replaceAll(part, '…'), message)
}
