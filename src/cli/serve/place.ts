/** Where a receiver is paid: the chain, and one rail for each contract that was named. */
import { size, type Address } from 'viem'
import { CallRevertedError, ChainUnavailableError, ConfigError } from '../../base/faults.ts'
import { messageOf } from '../../base/log.ts'
import type { Chain } from '../../chain/chain.ts'
import { createChain } from '../../chain/rpc.ts'
import { payment } from '../../dialect/payment.ts'
import { rdn } from '../../dialect/rdn.ts'
import { deploymentOn } from '../../escrow/deployments.ts'
import { addressIn } from '../../escrow/escrow.ts'
import { raiden } from '../../escrow/raiden.ts'
import { session } from '../../escrow/session.ts'
import { rail, type AnyRail } from '../../receiver/rail.ts'
import type { Say } from '../print.ts'
import { isLoopback } from '../running.ts'
import type { SellerOptions } from './options.ts'

export type Place = {
  readonly chain: Chain
  readonly chainId: number
  /** At least one, in the order in which they are offered. */
  readonly rails: readonly AnyRail[]
}

/** For those who wait until a node answers. */
export type Patience = { readonly signal: AbortSignal; readonly say: Say }

/** @throws {ConfigError} naming the option that is missing or wrong. @throws {ChainUnavailableError} without patience */
export async function findPlace(options: SellerOptions, patience?: Patience): Promise<Place> {
  checkNamed(options)
  const { chain, chainId } = await openChain(options, patience)
  const wanted = wantedRails(await withUsualEscrow(options, chain, chainId))
  const token = options.token ?? (await tokenOf(chain, chainId, options.contract))
  const fromBlock = options.fromBlock ?? wanted.fromBlock ?? 0n
  const rails: AnyRail[] = []
  if (wanted.escrow) {
    const at = { chainId, address: wanted.escrow, token, fromBlock }
    rails.push(rail({ ...at, dialect: payment(), escrow: session }))
  }
  if (wanted.contract) {
    const at = { chainId, address: wanted.contract, token, fromBlock }
    rails.push(rail({ ...at, dialect: rdn(), escrow: raiden }))
  }
  return { chain, chainId, rails }
}

/** Chains that forget, and whose blocks come when there is something to put in. */
const forDevelopment = new Set([1337, 31337])

/** @throws {ConfigError} without a node. @throws {ChainUnavailableError} without patience */
export async function openChain(
  { rpc, confirmations }: { readonly rpc?: readonly string[] | undefined; readonly confirmations?: number },
  patience?: Patience,
): Promise<Omit<Place, 'rails'>> {
  if (!rpc)
    throw new ConfigError('--rpc', 'is needed: the URL of a node of the chain, for example http://127.0.0.1:8545')
  const chainId = await idOf(createChain({ rpc }), patience)
  const local = rpc.every((url) => isLoopback(new URL(url)))
  const chain = createChain({
    rpc,
    chainId,
    confirmations: confirmations ?? (forDevelopment.has(chainId) ? 1 : 3),
    ...(local && { pollMs: 100 }),
  })
  return { chain, chainId }
}

const RETRY_MS = 1_000

async function idOf(chain: Chain, patience: Patience | undefined): Promise<number> {
  for (let told = ''; ;) {
    try {
      return await chain.id()
    } catch (error) {
      if (!patience || !(error instanceof ChainUnavailableError)) throw error
      const message = messageOf(error)
      if (message !== told) patience.say(`waiting for a node: ${message}`)
      told = message
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      patience.signal.throwIfAborted()
    }
  }
}

/** @throws {ConfigError} for a contract that has to be named and is not */
function checkNamed({ rail, contract, token }: SellerOptions): void {
  if ((rail === 'rdn' || rail === 'both') && !contract)
    throw new ConfigError('--contract', `is needed for --rail ${rail}`)
  if (!contract && !token)
    throw new ConfigError('--token', 'is needed: the token to be paid in. Only a RaidenChannels contract names its own')
}

type Wanted = Pick<SellerOptions, 'rail' | 'escrow' | 'contract' | 'fromBlock'>

/** With the escrow that is at one address on every chain, where one is needed and none is named. @throws {ConfigError} */
async function withUsualEscrow(options: SellerOptions, chain: Chain, chainId: number): Promise<Wanted> {
  const { rail, escrow, contract } = options
  const isNeeded = rail === 'payment' || rail === 'both' || (rail === undefined && !contract)
  if (escrow || !isNeeded) return options
  const { address, fromBlock } = deploymentOn(chainId)
  if ((await chain.code(address)) !== '0x') return { ...options, escrow: address, ...(fromBlock && { fromBlock }) }
  throw new ConfigError(
    '--escrow',
    `is needed, or --contract: the usual escrow, ${address}, is not on chain ${chainId}. \`farthing deploy escrow\` puts it there`,
  )
}

function wantedRails({ rail, escrow, contract, fromBlock }: Wanted) {
  return {
    ...(rail !== 'rdn' && escrow && { escrow }),
    ...(rail !== 'payment' && contract && { contract }),
    ...(fromBlock !== undefined && { fromBlock }),
  }
}

/** A contract of µRaiden holds one token and says which. */
async function tokenOf(chain: Chain, chainId: number, contract: Address | undefined): Promise<Address> {
  const question = contract && raiden.queries.token({ chainId, address: contract })
  if (!question) throw new ConfigError('--token', 'is needed: the token to be paid in')
  try {
    const answer = await chain.call(question)
    if (size(answer) === 32) return addressIn(answer)
  } catch (error) {
    if (!(error instanceof CallRevertedError)) throw error
  }
  throw new ConfigError(
    '--contract',
    `there is no RaidenChannels at ${contract} on chain ${chainId}. Use its address on this chain`,
  )
}
