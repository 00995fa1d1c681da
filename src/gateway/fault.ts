/** From whatever was thrown to the answer that says it. What nobody should hear stays in the log. */
import { ChannelNotOpenError, PaymentError, type Code } from '../base/errors.ts'
import {
  CallRevertedError,
  ChainUnavailableError,
  NoGasError,
  StoreUnavailableError,
  TransactionRevertedError,
  TransactionUnknownError,
} from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { failure, problem } from '../receiver/answer.ts'
import { RefusedError, type Answer } from './answer.ts'
import type { Gateway } from './context.ts'

export function answerTo({ rail, receiver }: Gateway, error: unknown): Answer {
  if (error instanceof RefusedError) return error.answer
  if (error instanceof PaymentError) {
    const { word } = rail.dialect.refusals[error.code]
    const detail = error.message.replace(/^The payment is malformed: /, 'The request is malformed: ')
    return asText(problem(error, { status: statusOf(error), word }, [], { detail }))
  }
  receiver.log('error', 'request-failed', { message: messageOf(error) })
  return faultOf(error)?.answer ?? asText(failure())
}

/**
 * What an administrator can do about something that is neither the request's fault nor ours; undefined: nothing that
 * we know of. The message of the error may name a node, so it is not said.
 */
export function faultOf(error: unknown): RefusedError | undefined {
  if (error instanceof CallRevertedError) {
    return new RefusedError(409, `The contract does not take this (${error.reason}). Nothing was sent.`)
  }
  if (error instanceof TransactionRevertedError) {
    const more = { transaction: error.hash }
    return new RefusedError(409, 'The transaction was mined and changed nothing. Look at it, then ask again.', { more })
  }
  if (error instanceof TransactionUnknownError) {
    const more = { transaction: error.hash }
    return new RefusedError(504, 'The transaction is not mined yet, and may still be. Look before asking again.', {
      more,
    })
  }
  if (error instanceof NoGasError)
    return later("The receiver cannot pay for gas. Send it some of the chain's own coin.")
  if (isFeeTooHigh(error)) return later('Gas is dearer than maxFeePerGas. Ask again later, or raise it.')
  if (error instanceof ChainUnavailableError) return later('No node of the chain answers. Ask again later.')
  if (error instanceof StoreUnavailableError) return later('The store cannot be used at the moment. Ask again later.')
  return undefined
}

/** Where the same thing has another status than in answer to a payment. */
const statuses: Partial<Record<Code, number>> = {
  'channel-not-found': 404,
  'channel-pending': 409,
  'channel-not-open': 409,
  'invalid-signature': 403,
  'payment-unsupported': 501,
  'receiver-unavailable': 503,
}

function statusOf(error: PaymentError): number {
  if (error instanceof ChannelNotOpenError && error.details.state === 'closed') return 410
  return statuses[error.code] ?? 400
}

/** By its name: its class is in a folder that nothing here has to do with. */
function isFeeTooHigh(error: unknown): boolean {
  return error instanceof Error && error.name === 'FeeTooHighError'
}

function later(detail: string): RefusedError {
  return new RefusedError(503, detail, { headers: [['Retry-After', '5']] })
}

function asText({ status, headers, body }: ReturnType<typeof failure>): Answer {
  return { status, headers, body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') }
}
