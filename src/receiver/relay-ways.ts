/** Which signed deposits a token takes, and so which a receiver offers to send. */
import { CallRevertedError } from '../base/faults.ts'
import type { Funding } from '../channel/messages.ts'
import { PERMIT2 } from '../escrow/session-signed.ts'
import { tokenFacts } from '../escrow/session-token.ts'
import type { Context } from './context.ts'
import type { AnyRail } from './rail.ts'
import type { TokenWays } from './relay-state.ts'

/** Asked from the chain once. @throws {ChainUnavailableError} */
export async function findWays({ chain, live }: Context, rail: AnyRail): Promise<TokenWays> {
  const known = live.relays.ways.get(rail)
  if (known) return known
  const ask = async (call: Parameters<typeof chain.call>[0]) => {
    try {
      return await chain.call(call)
    } catch (error) {
      if (error instanceof CallRevertedError) return undefined
      throw error
    }
  }
  const [facts, code] = await Promise.all([tokenFacts(rail.token, rail.chainId, ask), chain.code(PERMIT2)])
  const ways = { facts, permit2: code !== '0x' }
  live.relays.ways.set(rail, ways)
  return ways
}

/**
 * How a deposit may come on a rail, best first; undefined: by a transaction of the sender alone.
 *
 * Asked for at the start. An offer never waits for the chain.
 */
export function offeredWays(receiver: Context, rail: AnyRail): readonly Funding['by'][] | undefined {
  const { limits, wallet, live } = receiver
  if (!limits.relay || !wallet || !rail.escrow.signed) return undefined
  const ways = live.relays.ways.get(rail)
  if (ways) {
    const { facts, permit2 } = ways
    return [...(facts.authorizes ? ['eip3009' as const] : []), ...(permit2 ? ['permit2' as const] : []), 'transaction']
  }
  // Whoever follows the chain says that it is away.
  findWays(receiver, rail).catch(() => undefined)
  return undefined
}
