/** Asks the chain about one channel: where a deposit is new, and where something is about to cost money. */
import { CallRevertedError } from '../base/faults.ts'
import type { Chain } from '../chain/chain.ts'
import type { Channel } from '../channel/channel.ts'
import type { Named } from '../escrow/escrow.ts'
import type { AnyRail } from './rail.ts'

/** A channel, or what one is made of. */
type At = { readonly rail: AnyRail; readonly channel: Named<unknown> }

/**
 * The channel as a block has it, by default the newest one. undefined: the contract does not know it, or not any more.
 *
 * @throws {ChainUnavailableError}
 */
export async function lookAt(chain: Chain, { rail, channel }: At, block?: bigint): Promise<Channel | undefined> {
  const at = block ?? (await chain.head()).number
  try {
    const answer = await chain.call(rail.escrow.queries.channel(channel, rail), { block: at })
    return rail.escrow.channel(channel, answer, at, rail)
  } catch (error) {
    if (error instanceof CallRevertedError) return undefined
    throw error
  }
}
