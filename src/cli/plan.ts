/** What a purchase would do, found out without doing it. */
import type { Address } from 'viem'
import { OverBudgetError, NoAcceptableOfferError } from '../base/spending.ts'
import { available, type Channel } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import { payment } from '../dialect/payment.ts'
import { rdn } from '../dialect/rdn.ts'
import { checkPrice, objection, type Budget } from '../sender/budget.ts'
import type { Settings } from './settings.ts'

/** Says so at once when an answer offers nothing that this program speaks. @throws {NoAcceptableOfferError} */
export function requireOffers(response: Response): void {
  if (offersOf(response, 0).length === 0) throw new NoAcceptableOfferError([])
}

/** The offers of a 402 that this program can read; `chainId` is for protocols that do not name their chain. */
export function offersOf(response: Response, chainId: number): readonly Offer[] {
  return [payment(), rdn()].flatMap((dialect) => dialect.readOffers(response.headers, chainId))
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

export type Plan =
  | { readonly way: 'pay'; readonly channel: Channel }
  | { readonly way: 'top up'; readonly channel: Channel; readonly deposit: bigint }
  | { readonly way: 'open'; readonly deposit: bigint }

type Means = {
  readonly channels: readonly Channel[]
  readonly sender: Address
  readonly budget: Budget
  /** The deposit that a channel for this price should get. */
  readonly wanted: bigint
}

/** As `sender/fund.ts` decides: a channel with room, else one to top up, else a new one. @throws {OverBudgetError} */
export function planFor(offer: Offer, { channels, sender, budget, wanted }: Means): Plan {
  const byRoom = channels
    .filter((channel) => fits(channel, offer, sender))
    .sort((a, b) => (available(a) < available(b) ? -1 : 1))
  const enough = byRoom.find((channel) => available(channel) >= offer.price)
  if (enough) return { way: 'pay', channel: enough }
  const fullest = byRoom.at(-1)
  const shortfall = fullest ? offer.price - available(fullest) : 0n
  if (fullest && fullest.deposit + shortfall <= budget.deposit) {
    const room = budget.deposit - fullest.deposit
    return { way: 'top up', channel: fullest, deposit: smaller(larger(wanted, shortfall), room) }
  }
  if (offer.price > budget.deposit) throw new OverBudgetError('deposit', budget.deposit, offer.price)
  return { way: 'open', deposit: smaller(larger(wanted, offer.price), budget.deposit) }
}

function fits(channel: Channel, offer: Offer, sender: Address): boolean {
  const { status, receiver, token, escrow, chainId, signer } = channel
  return (
    status === 'open' &&
    receiver === offer.receiver &&
    token === offer.token &&
    escrow === offer.escrow &&
    chainId === offer.chainId &&
    channel.sender === sender &&
    signer === sender
  )
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
