/** Fetching from servers that may not answer, and saying which one did not, and why. */
import { NoAnswerError } from './faults.ts'

/** `by`, with a {@link NoAnswerError} where it has no answer. What else it throws, an abort too, is passed on. */
export function createReachingFetch(by: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    try {
      return await by(input, init)
    } catch (error) {
      // The Fetch standard throws a TypeError for every network error, and Node says beneath it what happened.
      if (!(error instanceof TypeError) || !(error.cause instanceof Error)) throw error
      throw noAnswer(new URL(input instanceof Request ? input.url : input), error.cause)
    }
  }
}

/** There was no connection at all. */
const unsent = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOTFOUND', 'name not found'],
  ['EAI_AGAIN', 'the name could not be looked up'],
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
])

const reasons = new Map([
  ['ECONNRESET', 'the connection broke off'],
  ['UND_ERR_SOCKET', 'the connection broke off'],
  ['EPIPE', 'the connection broke off'],
  ['ETIMEDOUT', 'no answer in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no answer in time'],
])

function noAnswer(url: URL, cause: Error): NoAnswerError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const reason = unsent.get(code) ?? reasons.get(code) ?? (code || cause.message)
  return new NoAnswerError(url, reason, { cause, isSent: !unsent.has(code) })
}
