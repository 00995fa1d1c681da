/** Answers that the paid path itself gives, in a form that every adapter can send. */
import type { Code, PaymentError } from '../base/errors.ts'
import type { HeaderLines, Refusal } from '../dialect/dialect.ts'

export type Answer = { readonly status: number; readonly headers: HeaderLines; readonly body: string | Uint8Array }

/**
 * A refusal as problem details.
 *
 * `code` is ours and the same in every dialect; `type` is the protocol's; the other members are the numbers
 * from which a program computes the fix.
 * @see RFC 9457
 */
export function problem(
  error: PaymentError,
  { status, word }: Refusal,
  headers: HeaderLines,
  more: object = {},
): Answer {
  const retry: HeaderLines = error.retryAfter === undefined ? [] : [['Retry-After', `${error.retryAfter}`]]
  const body = {
    type: word,
    title: titleOf(error.code),
    status,
    detail: error.message,
    code: error.code,
    ...error.details,
    ...more,
  }
  return {
    status,
    headers: [['Content-Type', 'application/problem+json'], ['Cache-Control', 'no-store'], ...retry, ...headers],
    body: `${JSON.stringify(body, null, 2)}\n`,
  }
}

/** Whatever broke on our side: no detail leaves the house. */
export function failure(): Answer {
  const body = {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    detail: 'The request failed and was not charged.',
  }
  return {
    status: 500,
    headers: [
      ['Content-Type', 'application/problem+json'],
      ['Cache-Control', 'no-store'],
    ],
    body: `${JSON.stringify(body, null, 2)}\n`,
  }
}

function titleOf(code: Code): string {
  const words = code.replaceAll('-', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
