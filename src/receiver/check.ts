/** What a receiver compares before it sells anything. */
import type { Address } from 'viem'
import { ConfigError, ChainUnavailableError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'
import { lower } from '../base/read.ts'
import type { Chain } from '../chain/chain.ts'
import { addressIn, type ChallengePeriod } from '../escrow/escrow.ts'
import type { Context } from './context.ts'
import type { AnyRail } from './rail.ts'
import { findWays } from './relay-ways.ts'

/** Shortest challenge periods that leave time for an answer. @see draft-evm-session-00, "Forced Close" */
const LEAST_CHALLENGE_PERIOD = { seconds: 600n, blocks: 100n }

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

async function checkRail(receiver: Context, rail: AnyRail): Promise<void> {
  const { chain, address, wallet, limits } = receiver
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
  if (wallet) await checkOperator(chain, rail, { receiver: address, operator: lower(wallet.address) })
  // So that the first offer says it already.
  if (wallet && limits.relay && rail.escrow.signed) await findWays(receiver, rail)
}

/** The contract answers like the escrow that the rail names, and holds the token that the rail names. */
async function checkEscrow(chain: Chain, rail: AnyRail, receiver: Address): Promise<void> {
  const { escrow } = rail
  const wrong = (why: string) =>
    new ConfigError(
      'rail.address',
      `the contract at ${rail.address} is not the escrow "${escrow.name}" (${why}). Use the address of one`,
    )
  try {
    for (const { call, what, passes } of escrow.selfTest(receiver, rail)) {
      if (!passes(await chain.call(call))) throw wrong(what)
    }
    requireTime(escrow.challengePeriod(await chain.call(escrow.queries.challengePeriod(rail))))
    await checkToken(chain, rail)
  } catch (error) {
    if (error instanceof ChainUnavailableError || error instanceof ConfigError) throw error
    throw wrong('it does not answer its questions')
  }
}

/** @throws {ConfigError} unless there is time to answer a sender that leaves */
function requireTime(period: ChallengePeriod): void {
  const [length, least, unit] =
    'seconds' in period
      ? ([period.seconds, LEAST_CHALLENGE_PERIOD.seconds, 's'] as const)
      : ([period.blocks, LEAST_CHALLENGE_PERIOD.blocks, 'blocks'] as const)
  if (length >= least) return
  throw new ConfigError(
    'rail.address',
    `its challenge period is ${length} ${unit}, too short to answer a sender that leaves. Use an escrow with ${least} ${unit} or more`,
  )
}

/** A key that is not the receiver's may act for it. @throws {ConfigError} */
async function checkOperator(
  chain: Chain,
  rail: AnyRail,
  { receiver, operator }: { readonly receiver: Address; readonly operator: Address },
): Promise<void> {
  if (operator === receiver) return
  const question = rail.escrow.queries.operator(receiver, rail)
  if (!question)
    throw new ConfigError(
      'wallet',
      `has the key of ${operator}, but the escrow "${rail.escrow.name}" lets nobody act for ${receiver}. Use the receiver's own key on this rail`,
    )
  const named = addressIn(await chain.call(question))
  if (named === operator) return
  throw new ConfigError(
    'wallet',
    `has the key of ${operator}, which is not the operator of ${receiver} at ${rail.address}. Name it with a transaction of the receiver: farthing operator ${operator}`,
  )
}

async function checkToken(chain: Chain, rail: AnyRail): Promise<void> {
  const question = rail.escrow.queries.token(rail)
  if (!question) return
  const held = addressIn(await chain.call(question))
  if (held !== rail.token)
    throw new ConfigError(
      'rail.token',
      `is ${rail.token}, but the contract at ${rail.address} holds ${held}. Use that one`,
    )
}
