/**
 * Which channels a receiver settles without being told.
 *
 * Every rule alone is a reason to settle. Where the price of gas is known, what would cost more than it brings waits all
 * the same: unsettled money is worth as much later, as long as its channel is open. A sender that asks to leave is
 * answered whatever that costs; that is `close.ts`.
 */
import { messageOf } from '../base/log.ts'
import { unsettled, type Channel, type ChannelKey } from '../channel/channel.ts'
import type { Context } from './context.ts'
import { feeOf, inToken } from './cost.ts'
import { findRailOf } from './find.ts'
import type { AnyRail } from './rail.ts'
import { lastTime, type GasShare, type SettlePolicy } from './settle-policy.ts'

/** The channels that the policy wants settled now. Asks the chain and the store only about those that may be. */
export async function dueByPolicy(receiver: Context, policy: SettlePolicy): Promise<Channel[]> {
  const { earnings } = receiver.live
  const found = new Map<ChannelKey, Channel>()
  const look = async (keys: readonly ChannelKey[], wanted: (channel: Channel) => boolean) => {
    for (const key of keys) {
      const channel = found.get(key) ?? (await earner(receiver, key))
      if (channel && wanted(channel)) found.set(key, channel)
    }
  }
  const { amount, ageMs, gas } = policy
  // Those that could not be settled were due, and are.
  await look([...receiver.live.aside.keys()], () => true)
  await look(earnings.takeChanged(), (channel) => amount !== undefined && unsettled(channel) >= amount)
  if (ageMs !== undefined) await look(earnings.olderThan(Date.now() - ageMs), () => true)
  if (await isScheduled(receiver, policy)) await look(earnings.all(), () => true)
  return gas ? weighed(receiver, gas, [...found.values()]) : [...found.values()]
}

/** A channel that has something unsettled; others are forgotten until they earn again. */
async function earner({ live, store }: Context, key: ChannelKey): Promise<Channel | undefined> {
  const channel = await store.get(key)
  if (channel && channel.status !== 'closed' && unsettled(channel) > 0n) return channel
  live.earnings.drop(key)
  return undefined
}

/** How often all channels are weighed against the price of gas. */
const WEIGH_MS = 15_000

/** Without those that are not worth their gas, and with those that are cheap enough by now. */
async function weighed(receiver: Context, gas: GasShare, due: readonly Channel[]): Promise<Channel[]> {
  const { live, log } = receiver
  try {
    const found = new Map(due.map((channel) => [channel.key, channel]))
    for (const channel of due) if (!(await isWorthIt(receiver, gas, channel))) found.delete(channel.key)
    if (Date.now() < live.weighedMs + WEIGH_MS) return [...found.values()]
    live.weighedMs = Date.now()
    for (const channel of await cheapEnough(receiver, gas)) found.set(channel.key, channel)
    return [...found.values()]
  } catch (error) {
    // Who cannot know what gas costs still has the other rules.
    log('warn', 'gas-not-weighed', { message: messageOf(error) })
    return [...due]
  }
}

async function isWorthIt(receiver: Context, { coinPrice }: GasShare, channel: Channel): Promise<boolean> {
  const rail = findRailOf(receiver, channel)
  if (!rail) return false
  const fee = await feeOf(receiver, rail.escrow.calls.settleGas.each)
  return inToken(fee, await coinPrice(rail.token)) <= unsettled(channel)
}

/** Of each rail the channels with the most to take, as many as cost no more gas than their share of it. */
async function cheapEnough(receiver: Context, { share, coinPrice }: GasShare): Promise<Channel[]> {
  const byRail = new Map<AnyRail, Channel[]>()
  for (const key of receiver.live.earnings.all()) {
    const channel = await earner(receiver, key)
    const rail = channel && findRailOf(receiver, channel)
    if (rail) byRail.set(rail, [...(byRail.get(rail) ?? []), channel])
  }
  const chosen: Channel[] = []
  for (const [rail, channels] of byRail) {
    const { fixed, each } = rail.escrow.calls.settleGas
    const price = await coinPrice(rail.token)
    const [fixedCost, eachCost] = [await feeOf(receiver, fixed), await feeOf(receiver, each)]
    const cost = { fixed: inToken(fixedCost, price), each: inToken(eachCost, price) }
    chosen.push(...affordable(channels, cost, share))
  }
  return chosen
}

/** Millionths, so that no fraction of a number ever holds money. */
const PARTS = 1_000_000n

/** `cost` in base units. None, unless together they bear the transaction as well. */
export function affordable(
  channels: readonly Channel[],
  cost: { readonly fixed: bigint; readonly each: bigint },
  share: number,
): Channel[] {
  const parts = BigInt(Math.max(1, Math.round(share * Number(PARTS))))
  const bears = (amount: bigint, price: bigint) => price * PARTS <= amount * parts
  const cheap = channels.filter((channel) => bears(unsettled(channel), cost.each))
  const total = cheap.reduce((sum, channel) => sum + unsettled(channel), 0n)
  return bears(total, cost.fixed + cost.each * BigInt(cheap.length)) ? cheap : []
}

/** When the last settlement by the clock was due, in milliseconds since 1970. A first start waits for the next time. */
const SCHEDULED = 'settle:scheduled'

/** Whether a time of the schedule has come since the last one; one that was slept through counts. */
async function isScheduled({ store, live }: Context, { at = [] }: SettlePolicy): Promise<boolean> {
  if (at.length === 0) return false
  const last = lastTime(at, Date.now())
  live.scheduledMs ??= Number((await store.readRecord(SCHEDULED)) ?? NEVER)
  if (last <= live.scheduledMs) return false
  const isFirst = live.scheduledMs === NEVER
  await store.writeRecord(SCHEDULED, () => `${last}`)
  live.scheduledMs = last
  return !isFirst
}

const NEVER = 0
