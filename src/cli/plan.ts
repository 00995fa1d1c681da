/** What a purchase would do, found out without doing it. */
import { NoAcceptableOfferError } from '../base/spending.ts'
import type { Channel } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import { payment } from '../dialect/payment.ts'
import { rdn } from '../dialect/rdn.ts'
import { raiden } from '../escrow/raiden.ts'
import { session } from '../escrow/session.ts'
import { checkPrice, objection, type Budget } from '../sender/budget.ts'
import type { AnyProtocol } from '../sender/context.ts'
import type { Settings } from './settings.ts'

/** What this program speaks, in the order in which offers are taken. */
const protocols: readonly AnyProtocol[] = [
  { dialect: payment(), escrow: session },
  { dialect: rdn(), escrow: raiden },
]

/** All of them, or the one that is named. */
export function protocolsOf(name: string | undefined): readonly AnyProtocol[] {
  return protocols.filter(({ dialect }) => name === undefined || dialect.name === name)
}

/** Says so at once when an answer offers nothing that this program speaks. @throws {NoAcceptableOfferError} */
export function requireOffers(response: Response, protocol: string | undefined): void {
  if (offersOf(response, 0, protocol).length > 0) return
  const others = offersOf(response, 0, undefined).length > 0
  throw new NoAcceptableOfferError(others ? [`It offers nothing in the protocol ${protocol}.`] : [])
}

/** The offers of a 402 that may be taken; `chainId` is for protocols that do not name their chain. */
export function offersOf(response: Response, chainId: number, protocol: string | undefined): readonly Offer[] {
  return protocolsOf(protocol).flatMap(({ dialect }) => dialect.readOffers(response.headers, chainId))
}

/** The protocol that a channel is paid by. */
export function protocolNameOf({ terms }: Channel): string {
  const isRaiden = typeof terms === 'object' && terms !== null && 'openBlock' in terms
  return (isRaiden ? rdn() : payment()).name
}

/** The offer that would be paid: the first that may be. @throws {NoAcceptableOfferError} | {@link OverBudgetError} */
export function chooseOffer(offers: readonly Offer[], { chainId, escrows, tokens }: Settings, budget: Budget): Offer {
  const objections: string[] = []
  for (const offer of offers) {
    const problem = objection(offer, { chainId, escrows, tokens })
    if (problem === undefined) {
      checkPrice(budget, offer.price)
      return offer
    }
    objections.push(problem)
  }
  throw new NoAcceptableOfferError(objections)
}
