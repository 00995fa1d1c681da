/** How a request goes out: unpaid, paid, again when it got lost, and again while the receiver waits for the chain. */
import { NoAnswerError } from '../base/faults.ts'
import { DepositNotConfirmedError } from '../base/spending.ts'
import type { Payment } from '../channel/messages.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import { pause } from './announce.ts'
import type { Chosen } from './choose.ts'
import { readAbout, type About, type AnyProtocol, type Context } from './context.ts'
import { decisionOf } from './hooks.ts'
import { readRefusal, type Said } from './refusal.ts'
import type { Spending } from './spend.ts'

/** A request that can be sent more than once. */
export type Outgoing = {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | undefined
  readonly signal: AbortSignal | undefined
}

/** How long a deposit may take to be deep enough for the receiver. */
const CONFIRMING_MS = 600_000

export async function send(context: Context, request: Outgoing, payment: HeaderLines): Promise<Response> {
  const headers = new Headers(request.headers)
  // What the caller set itself stands, except where there is room for one thing only.
  for (const [name, value] of payment) {
    if (name === 'Authorization' || !request.headers.has(name)) headers.set(name, value)
  }
  const { method, body, signal } = request
  return context.fetch(request.url, {
    method,
    headers,
    redirect: 'manual',
    ...(body && { body }),
    ...(signal && { signal }),
  })
}

/** Sends the paid request; while the receiver waits for the deposit to be deep enough, so do we. */
export async function sendUntilConfirmed(
  context: Context,
  request: Outgoing,
  { offer, protocol }: Chosen,
  spending: Spending,
): Promise<{ readonly response: Response; readonly said: Said | undefined; readonly about: About }> {
  const { key } = spending.channel
  const about = await readAbout(context.store, key)
  const headers = protocol.dialect.writePayment(offer, paymentOf(spending, about))
  const until = Date.now() + CONFIRMING_MS
  for (;;) {
    const response = await sendAgainIfLost(context, request, headers)
    const said = await readRefusal(response, protocol.dialect)
    if (!said || !isEarly(said, protocol, about)) return { response, said, about }
    if (decisionOf(context.hooks, said, response, request) === 'stop') return { response, said: undefined, about }
    if (Date.now() > until) throw new DepositNotConfirmedError(about.opened ?? spending.channel.id)
    await response.body?.cancel()
    await pause(context, said, request.signal)
  }
}

/**
 * Whether the same payment will be good a little later: the deposit is not deep enough, or the receiver, which
 * this protocol does not tell of transactions, has not seen it yet.
 */
function isEarly({ code }: Said, { dialect }: AnyProtocol, { acknowledged, toppingUp }: About): boolean {
  if (code === 'channel-pending') return true
  if (dialect.carriesFunding) return false
  return (
    (code === 'channel-not-found' && acknowledged !== true) || (code === 'deposit-exceeded' && toppingUp !== undefined)
  )
}

/**
 * An answer that got lost is asked for again: the same Idempotency-Key is not charged twice. Only where running twice
 * would do no harm.
 *
 * @throws {NeverSentError} if no attempt can have reached the receiver
 */
async function sendAgainIfLost(context: Context, request: Outgoing, payment: HeaderLines): Promise<Response> {
  let sent = false
  for (let lost = 0; ; lost += 1) {
    try {
      return await send(context, request, payment)
    } catch (error) {
      sent ||= !(error instanceof NoAnswerError) || error.isSent
      const safe = request.method === 'GET' || request.method === 'HEAD'
      if (safe && lost < 2 && !request.signal?.aborted) continue
      throw sent ? error : new NeverSentError(error)
    }
  }
}

/** Nothing of the payment went out: whoever catches it can take the price back, and throws its cause. */
export class NeverSentError extends Error {
  constructor(cause: unknown) {
    super('the receiver could not be reached', { cause })
    this.name = 'NeverSentError'
  }
}

function paymentOf({ channel, voucher }: Spending, { opened, acknowledged }: About): Payment {
  const { id, sender, signer, terms } = channel
  const named = { channelId: id, sender, terms, voucher }
  return opened && acknowledged !== true
    ? { ...named, signer, funding: { by: 'transaction', action: 'open', hash: opened } }
    : named
}
