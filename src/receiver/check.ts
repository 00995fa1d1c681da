/** What a receiver compares before it sells anything. */
import { ConfigError, ChainUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import type { Context } from './context.ts'
import type { AnyRail } from './rail.ts'

/** Shortest challenge period in seconds that leaves time for an answer. @see draft-evm-session-00, "Forced Close" */
const LEAST_CHALLENGE_PERIOD = 600n

/** The store is this receiver's own. @throws {ConfigError} */
export async function checkAgainstStore({ address, store }: Context): Promise<void> {
  await store.writeRecord('receiver:address', (owner) => {
    if (owner !== undefined && owner !== address) {
      throw new ConfigError(
        'store',
        `it holds the channels of ${owner}, this receiver is ${address}. Open that one's key, or give this one a store of its own`,
      )
    }
    return address
  })
}

/** Chain, contracts and tokens are what the rails say. Asks again as long as no node answers. @throws {ConfigError} */
export async function checkAgainstChain(receiver: Context, signal: AbortSignal): Promise<void> {
  for (const rail of receiver.rails) {
    while (!signal.aborted) {
      try {
        await checkRail(receiver, rail)
        break
      } catch (error) {
        if (!(error instanceof ChainUnavailableError)) throw error
        receiver.log('error', 'chain-unavailable', { message: messageOf(error) })
        await new Promise((resolve) => setTimeout(resolve, receiver.chain.pollMs))
      }
    }
  }
}

async function checkRail({ chain, address }: Context, rail: AnyRail): Promise<void> {
  const chainId = await chain.id()
  if (chainId !== rail.chainId) {
    throw new ConfigError(
      'rail.chainId',
      `is ${rail.chainId}, but the node is on chain ${chainId}. Use a node of chain ${rail.chainId}`,
    )
  }
  if ((await chain.code(rail.token)) === '0x') {
    throw new ConfigError(
      'rail.token',
      `there is no contract at ${rail.token} on chain ${chainId}. Use the token's address on this chain`,
    )
  }
  if ((await chain.code(rail.address)) === '0x') {
    throw new ConfigError(
      'rail.address',
      `there is no contract at ${rail.address} on chain ${chainId}. Deploy the escrow there, or use its address on this chain`,
    )
  }
  await checkEscrow(chain, rail, address)
}

/** The contract answers like the escrow that the rail names: its challenge period, and an id that both compute. */
async function checkEscrow(
  chain: Context['chain'],
  { escrow, ...at }: AnyRail,
  receiver: Context['address'],
): Promise<void> {
  const wrong = (why: string) =>
    new ConfigError(
      'rail.address',
      `the contract at ${at.address} is not the escrow "${escrow.name}" (${why}). Use the address of one`,
    )
  let period: bigint
  try {
    period = escrow.challengePeriod(await chain.call(escrow.queries.challengePeriod(at)))
    for (const { call, expected } of escrow.selfTest(receiver, at)) {
      if ((await chain.call(call)).toLowerCase() !== expected) throw wrong('it computes another channel id')
    }
  } catch (error) {
    if (error instanceof ChainUnavailableError || error instanceof ConfigError) throw error
    throw wrong('it does not answer its questions')
  }
  if (period < LEAST_CHALLENGE_PERIOD) {
    throw new ConfigError(
      'rail.address',
      `its challenge period is ${period} s, too short to answer a sender that leaves. Use an escrow with ${LEAST_CHALLENGE_PERIOD} s or more`,
    )
  }
}
