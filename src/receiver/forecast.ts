/** What a settlement would bring and cost, asked of the contract. Nothing is signed and nothing is sent. */
import { unsettled, type Channel, type ChannelKey } from '../channel/channel.ts'
import type { Context } from './context.ts'
import { feeOf } from './cost.ts'
import { batchesOf } from './batch.ts'
import { simulate } from './simulate.ts'

export type Forecast = {
  /** One for each transaction. */
  readonly transactions: readonly ForecastTransaction[]
  /** What the escrow would not pay, and why. */
  readonly refused: readonly { readonly channel: ChannelKey; readonly reason: string }[]
}

export type ForecastTransaction = {
  readonly channels: readonly ChannelKey[]
  /** Base units that it would bring. */
  readonly amount: bigint
  /** Units of gas, and wei at today's price. */
  readonly gas: bigint
  readonly fee: bigint
}

/** @throws {ChainUnavailableError} */
export async function forecast(
  receiver: Context,
  wanted: (channel: Channel) => boolean = () => true,
): Promise<Forecast> {
  const { chain, wallet, address, store } = receiver
  const caller = wallet?.address ?? address
  const transactions: ForecastTransaction[] = []
  const refused: { channel: ChannelKey; reason: string }[] = []
  for (const { rail, channels } of await batchesOf(receiver, store.list('unsettled'), wanted)) {
    const { calls, abi } = rail.escrow
    const sound: Channel[] = []
    for (const { channel, verdict } of await simulate(receiver, rail, channels)) {
      if (verdict.is === 'sound') sound.push(channel)
      else if (verdict.is === 'refused') refused.push({ channel: channel.key, reason: verdict.reason })
    }
    for (const { call, channels } of calls.settle(sound, caller)) {
      const gas = await chain.gas(call, { from: caller, abi })
      const amount = channels.reduce((sum, channel) => sum + unsettled(channel), 0n)
      transactions.push({ channels: channels.map(({ key }) => key), amount, gas, fee: await feeOf(receiver, gas) })
    }
  }
  return { transactions, refused }
}
