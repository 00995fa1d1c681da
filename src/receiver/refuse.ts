/** From an error to the answer that says it, with an offer per rail. */
import { PaymentError, ReceiverUnavailableError } from '../base/errors.ts'
import { ChainUnavailableError, StoreUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import type { Offer } from '../channel/messages.ts'
import type { Dialect } from '../dialect/dialect.ts'
import { problem, type Answer } from './answer.ts'
import type { Context } from './context.ts'
import type { Tariff } from './price.ts'
import type { AnyRail } from './rail.ts'

/** @throws whatever is no refusal: it is a bug or a fault, and ends as a 500 without details */
export function refuse(
  receiver: Context,
  dialect: Dialect<unknown> | undefined,
  tariff: Tariff,
  error: unknown,
): Answer {
  const refusal = asRefusal(receiver, error)
  const spoken = dialect ?? receiver.rails[0]?.dialect
  if (!spoken) throw error
  const said = spoken.refusals[refusal.code]
  if (said.status !== 402 && said.status !== 410) return problem(refusal, said, [vary(receiver)])
  const made = receiver.rails.map((rail) => ({ rail, offer: offerOf(receiver, rail, tariff) }))
  const headers = made.flatMap(({ rail, offer }) => rail.dialect.writeOffer(offer))
  const offers = made.map(({ rail, offer }) => readable(rail, offer))
  return problem(refusal, said, [...headers, vary(receiver)], { offers })
}

/** An answer may differ for whoever pays. */
export function vary(receiver: Context): readonly [string, string] {
  const names = new Set(receiver.rails.flatMap((rail) => rail.dialect.requestHeaders))
  return ['Vary', [...names, 'Idempotency-Key'].join(', ')]
}

function offerOf({ address, limits }: Context, rail: AnyRail, { price, resource }: Tariff): Offer {
  const { chainId, token } = rail
  return {
    price,
    token,
    receiver: address,
    chainId,
    escrow: rail.address,
    deposit: price * limits.depositFactor,
    expiresAtMs: Date.now() + limits.offerMs,
    resource,
  }
}

/** An offer for people: what the headers say in their own ways. */
function readable({ dialect }: AnyRail, { price, token, receiver, escrow, chainId }: Offer) {
  return { protocol: dialect.name, price: `${price}`, token, receiver, escrow, chainId }
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
