/** From an error to the answer that says it, with an offer per rail: for a program, or for a person with a browser. */
import Negotiator from 'negotiator'
import { PaymentError, PaymentRequiredError, ReceiverUnavailableError } from '../base/errors.ts'
import { ChainUnavailableError, StoreUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import type { Dialect, HeaderLines } from '../dialect/dialect.ts'
import { problem, type Answer } from './answer.ts'
import type { Ask } from './ask.ts'
import type { Context } from './context.ts'
import { firstDialect, headersOf, offersFor, refusalLines } from './offer.ts'
import { pageAnswer } from './page.ts'
import type { Tariff } from './price.ts'

type Asked = { readonly ask: Ask; readonly tariff: Tariff }

/** The answer to a request without a payment: for programs, the same to all who ask within a second. */
export function offer(receiver: Context, asked: Asked): Answer {
  if (!prefersHtml(asked.ask)) return offersFor(receiver, asked.tariff).unpaid
  return refuse(receiver, undefined, asked, new PaymentRequiredError(asked.tariff.price))
}

/** @throws whatever is no refusal: it is a bug or a fault, and ends as a 500 without details */
export function refuse(
  receiver: Context,
  dialect: Dialect<unknown> | undefined,
  { ask, tariff }: Asked,
  error: unknown,
): Answer {
  const refusal = asRefusal(receiver, error)
  const spoken = dialect ?? firstDialect(receiver)
  const said = spoken.refusals[refusal.code]
  if (said.status !== 402 && said.status !== 410) return problem(refusal, said, [receiver.vary])
  const { offers, lines: offered } = offersFor(receiver, tariff)
  const lines = [...offered, ...refusalLines(spoken, refusal)]
  const answer = problem(refusal, said, headersOf(receiver, lines), { offers })
  if (!prefersHtml(ask)) return answer
  const cookies = lines.flatMap(({ dialect, line }) => (dialect.usesCookies ? [cookieOf(line)] : []))
  const facts = { status: said.status, target: ask.target, offers, message: refusal.message }
  return pageAnswer(receiver.page, facts, answer, cookies)
}

/** A browser asks for HTML by name. Whoever takes anything gets what a program can read. */
function prefersHtml({ headers }: Ask): boolean {
  const accept = headers.get('accept')
  if (!accept?.includes('text/html')) return false
  const negotiator = new Negotiator({ headers: { accept } })
  return negotiator.mediaType(['application/problem+json', 'application/json', 'text/html']) === 'text/html'
}

/** Read by the page, so not hidden from it; gone when the browser is closed. */
function cookieOf([name, value]: HeaderLines[number]): HeaderLines[number] {
  return ['Set-Cookie', `${name}=${value}; Path=/; SameSite=Lax`]
}

/** What cannot be judged because the chain or the store fails is refused for now; the reason stays in the log. */
function asRefusal({ log }: Context, error: unknown): PaymentError {
  if (error instanceof PaymentError) return error
  if (error instanceof ChainUnavailableError) {
    log('error', 'chain-unavailable', { message: messageOf(error) })
    return new ReceiverUnavailableError('chain')
  }
  if (error instanceof StoreUnavailableError) {
    log('error', 'store-unavailable', { message: messageOf(error) })
    return new ReceiverUnavailableError('store')
  }
  throw error
}
