/** What a purchase would do, found out without doing it. */
import type { Address } from 'viem'
import { OverBudgetError, NoAcceptableOfferError } from '../base/spending.ts'
import { available, type Channel } from '../channel/channel.ts'
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
