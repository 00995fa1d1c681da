/** What a paid answer tells the sender's own books. */
import type { Channel } from '../channel/channel.ts'
import { readAbout, writeAbout, type Context } from './context.ts'
import type { Chosen } from './choose.ts'
import { believeLess, takeBack, type Spending } from './spend.ts'
import type { Outgoing } from './transmit.ts'

type Delivered = {
  readonly response: Response
  /** No other request was on its way on this channel meanwhile. */
  readonly alone: boolean
}

/** Remembers where the channel was used, and believes a receiver that charged less than was offered. */
export async function settleUp(
  context: Context,
  request: Outgoing,
  { offer, protocol }: Chosen,
  spending: Spending,
  { response, alone }: Delivered,
): Promise<void> {
  const { dialect } = protocol
  const receipt = dialect.readReceipt(response.headers)
  const { id, key } = spending.channel
  if (receipt?.channelId === id || (!dialect.carriesFunding && response.ok)) {
    await remember(context, request, spending.channel, dialect.carriesFunding ? undefined : offer.echo)
  }
  if (!receipt || (receipt.channelId !== undefined && receipt.channelId !== id)) return
  const { charged, price } = receipt
  if (charged !== undefined) {
    if (alone && context.alone) await believeLess(context, key, charged)
  } else if (price !== undefined && price < spending.price) {
    await takeBack(context, { ...spending, price: spending.price - price })
  }
}

/** From now on the receiver knows the channel with all that was put in. */
async function remember(
  { store }: Context,
  { url: { href: url }, method }: Outgoing,
  { key }: Channel,
  echo: unknown,
): Promise<void> {
  const about = await readAbout(store, key)
  const seenTopUp = echo !== undefined && about.toppingUp !== undefined
  if (about.acknowledged === true && about.url === url && about.method === method && !seenTopUp) return
  await writeAbout(store, key, ({ toppingUp, ...now }) => ({
    ...now,
    ...(toppingUp && !seenTopUp && { toppingUp }),
    ...(echo !== undefined && { echo }),
    acknowledged: true,
    url,
    method,
  }))
}
