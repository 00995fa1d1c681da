/** One purchase: the unpaid request first, and the account only if it costs something. */
import type { Hash, Hex } from 'viem'
import { payment } from '../dialect/payment.ts'
import type { Budget } from '../sender/budget.ts'
import type { Client } from '../sender/client.ts'
import type { Progress } from '../sender/context.ts'
import { fits, planFor, type Plan } from '../sender/fund.ts'
import { sessionSigner } from '../sender/session-key.ts'
import { inTurn, withClient, withStore } from './open.ts'
import { short, type Say } from './print.ts'
import type { OutgoingRequest } from './request.ts'
import type { Settings } from './settings.ts'
import type { Offer } from '../channel/messages.ts'

export type Spend = { readonly budget: Budget; readonly deposit?: bigint }

/** An answer and what it cost. */
export type Purchase = {
  readonly response: Response
  /** Base units of this request; 0 for one that was free. */
  readonly price: bigint
  readonly channel?: Hash
  /** What the channel was charged so far, this request included. */
  readonly charged?: bigint
  /** Those that this purchase sent. */
  readonly transactions: readonly string[]
}

export type Context = {
  readonly settings: Settings
  readonly spend: Spend
  readonly say: Say
  readonly by: typeof fetch
}

export function freeOf(response: Response): Purchase {
  return { response, price: 0n, transactions: [] }
}

/** Pays for `unpaid`, a 402, and asks again. @throws {SpendingError} | {@link NoAnswerError} */
export async function buy(
  request: OutgoingRequest,
  unpaid: Response,
  offer: Offer,
  context: Context,
): Promise<Purchase> {
  const { settings, say } = context
  const work = () => pay(request, unpaid, context)
  const { way } = await planOf(offer, context)
  // Whoever sends no transaction need not wait for others.
  return way === 'pay' ? work() : inTurn(settings, say, work)
}

/** What would be done to pay an offer, by what is known here. @throws {OverBudgetError} */
export async function planOf(offer: Offer, { settings, spend }: Pick<Context, 'settings' | 'spend'>): Promise<Plan> {
  const deposit = depositFor(spend)
  const { chainId } = settings
  const { address } = settings.account
  return withStore(settings, async (store) => {
    const session = await sessionSigner(store, { chainId, address: offer.escrow })
    const usable = []
    for await (const channel of store.list()) {
      const isOurs = channel.sender === address && [address, session].includes(channel.signer)
      if (isOurs && fits(channel, offer)) usable.push(channel)
    }
    return planFor(offer, usable, { budget: spend.budget, deposit, topUpDeposit: deposit })
  })
}

async function pay(
  request: OutgoingRequest,
  unpaid: Response,
  { settings, spend, say, by }: Context,
): Promise<Purchase> {
  const transactions: string[] = []
  let paying: { price: bigint; channel: Hex } | undefined
  const onProgress = (progress: Progress) => {
    if (progress.step === 'sent') transactions.push(progress.transaction)
    if (progress.step === 'paying') paying = { price: progress.price, channel: progress.channel as Hex }
    say(inWords(progress))
  }
  const options = { budget: spend.budget, deposit: depositFor(spend), fetch: startingWith(unpaid, by), onProgress }
  return withClient(settings, options, async (client) => {
    const { url, init } = request
    const response = await client.session().request(init.method, url, init)
    if (!paying) return { response, price: 0n, transactions }
    const charged = payment().readReceipt(response.headers)?.charged ?? (await chargedOn(client, paying.channel))
    return { response, ...paying, transactions, ...(charged !== undefined && { charged }) }
  })
}

/** The session asks first without a payment, and has its answer already. */
function startingWith(answer: Response, by: typeof fetch): typeof fetch {
  let waiting: Response | undefined = answer
  return (...request) => {
    const first = waiting
    waiting = undefined
    return first ? Promise.resolve(first) : by(...request)
  }
}

async function chargedOn(client: Client, id: Hash): Promise<bigint | undefined> {
  for await (const channel of client.channels()) if (channel.id === id) return channel.charged
  return undefined
}

function depositFor({ deposit }: Spend): (price: bigint) => bigint {
  return (price) => deposit ?? price * 100n
}

function inWords(progress: Progress): string {
  switch (progress.step) {
    case 'opening':
      return `opening a channel to ${progress.receiver} with a deposit of ${progress.deposit} base units`
    case 'topping up':
      return `adding ${progress.deposit} base units to the channel to ${progress.receiver}`
    case 'signing':
      return (
        `signing the ${progress.what}: ${progress.amount} base units of token ${progress.token} ` +
        `for ${progress.receiver}, good until ${progress.until.toISOString()}`
      )
    case 'sent':
      return `sent the ${progress.what}, transaction ${progress.transaction}`
    case 'confirming':
      return `${progress.confirmations} of ${progress.needed} confirmations of ${short(progress.transaction)}`
    case 'waiting':
      return `${progress.reason} Asking again in ${progress.seconds} s`
    case 'paying':
      return `paying ${progress.price} base units on channel ${short(progress.channel)}`
  }
}
