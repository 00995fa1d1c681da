/**
 * What a program may watch, and decide, in the conversation of one request.
 *
 * Every hook may be left out; then what happens is what the sender does by
 * itself. None of them can spend more than the budget.
 */
import type { Code } from '../base/errors.ts'
import type { Offer } from '../channel/messages.ts'
import type { Said } from './refusal.ts'

/** The request that the conversation is about. */
export type Subject = { readonly url: URL; readonly method: string }

/** `stop`: the answer at hand is given to the caller as it is. Anything else: what is usual. */
export type Decision = 'stop' | undefined

/** Why a payment was not taken, in the receiver's words and ours. */
export type Refusing = (said: Said, response: Response, subject: Subject) => Decision

export type Hooks = {
  /** Before the first request goes out. */
  readonly onInit?: (subject: Subject) => void
  /** After the last answer, or with none if an error is thrown. */
  readonly onExit?: (subject: Subject, response: Response | undefined) => void
  /** Every answer, before it is looked at. */
  readonly onResponse?: (response: Response, subject: Subject) => Decision
  /** The resource is there. */
  readonly onSuccess?: (response: Response, subject: Subject) => void
  /** An answer that is neither the resource nor about a payment. */
  readonly onHttpError?: (response: Response, subject: Subject) => void
  /** A 402 with an offer that can be taken, before a channel is found or opened for it. */
  readonly onPaymentRequested?: (offer: Offer, response: Response, subject: Subject) => Decision
  /** A 402 whose offers name no escrow, token or chain that this client may use. */
  readonly onNoAcceptableOffer?: (response: Response, subject: Subject) => Decision
  /** The receiver does not know the channel, or not any more. */
  readonly onChannelNotFound?: Refusing
  /** The deposit is not deep enough for the receiver. */
  readonly onChannelPending?: Refusing
  readonly onInvalidSignature?: Refusing
  /** The receiver says that the voucher is for a wrong amount, and shows what it holds. */
  readonly onWrongAmount?: Refusing
  /** The receiver does not agree to close. `stop`: do not request the close alone. */
  readonly onCloseRefused?: (error: Error) => Decision
}

const refusals: Partial<
  Record<Code, 'onChannelNotFound' | 'onChannelPending' | 'onInvalidSignature' | 'onWrongAmount'>
> = {
  'channel-not-found': 'onChannelNotFound',
  'channel-not-open': 'onChannelNotFound',
  'channel-pending': 'onChannelPending',
  'invalid-signature': 'onInvalidSignature',
  underpaid: 'onWrongAmount',
  overpaid: 'onWrongAmount',
}

export function decisionOf(hooks: Hooks, said: Said, response: Response, { url, method }: Subject): Decision {
  const name = said.code && refusals[said.code]
  return name && hooks[name]?.(said, response, { url, method })
}
