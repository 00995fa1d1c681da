/** Which of a receiver's offers is taken. */
import { NoAcceptableOfferError } from '../base/spending.ts'
import type { Offer } from '../channel/messages.ts'
import { checkPrice, objection } from './budget.ts'
import type { AnyProtocol, Context } from './context.ts'

/** An offer and the protocol that it was made in. */
export type Chosen = {
  readonly offer: Offer
  readonly protocol: AnyProtocol
  /** It was made for another address of the same route. */
  readonly byRoute?: true
}

/** All offers of a 402 that this client can read, in its own order of protocols and then the receiver's. */
export function offersIn({ protocols, allowed }: Context, response: Response): Chosen[] {
  return protocols.flatMap((protocol) =>
    protocol.dialect.readOffers(response.headers, allowed.chainId).map((offer) => ({ offer, protocol })),
  )
}

/** An offer that this client may take; `toBuy`: at its price. @throws {NoAcceptableOfferError} | {@link OverBudgetError} */
export function choose(context: Context, response: Response, toBuy = true): Chosen {
  const objections: string[] = []
  for (const chosen of offersIn(context, response)) {
    const problem = objection(chosen.offer, context.allowed) ?? wrongKind(context, chosen)
    if (problem !== undefined) {
      objections.push(problem)
      continue
    }
    if (toBuy) checkPrice(context.budget, chosen.offer.price)
    return chosen
  }
  throw new NoAcceptableOfferError(objections)
}

/** A contract is of one kind, whatever protocol an offer names it in. */
function wrongKind({ places }: Context, { offer, protocol }: Chosen): string | undefined {
  const place = places.find(({ at }) => at.address === offer.escrow)
  if (place?.protocol.escrow === protocol.escrow) return undefined
  return `Escrow contract ${offer.escrow} is not of the kind "${protocol.escrow.name}" that this offer takes it for.`
}
