/** Whether a channel can be settled, asked of the contract before anything is sent. */
import { CallRevertedError } from '../base/faults.ts'
import type { Channel } from '../channel/channel.ts'
import type { Context } from './context.ts'
import type { AnyRail } from './rail.ts'

/** `settled`: what the voucher is for was taken before. */
export type Verdict =
  { readonly is: 'sound' } | { readonly is: 'settled' } | { readonly is: 'refused'; readonly reason: string }

/** Questions at the same time: more is quicker, and what public nodes refuse. */
const AT_ONCE = 8

/** Of each channel, what the contract would say to its voucher. @throws {ChainUnavailableError} */
export async function simulate(
  receiver: Pick<Context, 'chain' | 'address' | 'wallet'>,
  rail: AnyRail,
  channels: readonly Channel[],
): Promise<{ readonly channel: Channel; readonly verdict: Verdict }[]> {
  const verdicts: { channel: Channel; verdict: Verdict }[] = []
  for (let from = 0; from < channels.length; from += AT_ONCE) {
    const some = channels.slice(from, from + AT_ONCE)
    verdicts.push(
      ...(await Promise.all(
        some.map(async (channel) => ({ channel, verdict: await verdictOn(receiver, rail, channel) })),
      )),
    )
  }
  return verdicts
}

async function verdictOn(
  { chain, address, wallet }: Pick<Context, 'chain' | 'address' | 'wallet'>,
  { escrow }: AnyRail,
  channel: Channel,
): Promise<Verdict> {
  const caller = wallet?.address ?? address
  try {
    for (const { call } of escrow.calls.settle([channel], caller)) {
      await chain.call(call, { from: caller, abi: escrow.abi })
    }
    return { is: 'sound' }
  } catch (error) {
    if (!(error instanceof CallRevertedError)) throw error
    return error.reason === escrow.alreadySettled ? { is: 'settled' } : { is: 'refused', reason: error.message }
  }
}
