/** One way to be paid: a dialect, an escrow at one address, a token. */
import type { Address, Hash } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { lower } from '../base/read.ts'
import { channelKey, type ChannelKey } from '../channel/channel.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Deployment, Digest, Escrow } from '../escrow/escrow.ts'

/** A {@link Deployment} whose token is named. */
export type Rail<terms = unknown> = {
  readonly chainId: number
  readonly address: Address
  readonly dialect: Dialect<terms>
  readonly escrow: Escrow<terms>
  readonly token: Address
  readonly digest: Digest
  /** The block in which the escrow was deployed: nothing of ours is older. */
  readonly fromBlock: bigint
}

/** The rails of one receiver have different terms. What needs them goes through one rail at a time. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place where rails of different terms meet
export type AnyRail = Rail<any>

type RailOptions<terms> = Pick<Rail<terms>, 'chainId' | 'address' | 'dialect' | 'escrow' | 'token'> & {
  readonly fromBlock?: bigint
}

/**
 * Ties a dialect to an escrow contract. The compiler refuses a pair that does not fit.
 *
 * @throws {ConfigError} for a chain id or an address that cannot be one
 */
export function rail<terms>(options: RailOptions<terms>): Rail<terms> {
  const { chainId, dialect, escrow } = options
  if (!Number.isSafeInteger(chainId) || chainId < 1)
    throw new ConfigError('rail.chainId', 'use the id of a chain, for example 8453')
  const address = contractAt(options.address, 'rail.address')
  const token = contractAt(options.token, 'rail.token')
  return {
    chainId,
    address,
    token,
    dialect,
    escrow,
    digest: escrow.digester({ chainId, address }),
    fromBlock: options.fromBlock ?? 0n,
  }
}

/**
 * Payments are read by the first dialect that speaks their protocol, and belong to the rails that have it.
 *
 * @throws {ConfigError} if there are none, or two rails speak a protocol by different dialects
 */
export function checkRails(rails: readonly AnyRail[]): void {
  if (rails.length === 0) throw new ConfigError('rails', 'give at least one rail')
  for (const { dialect } of rails) {
    const first = rails.find((rail) => rail.dialect.name === dialect.name)
    if (first?.dialect === dialect) continue
    throw new ConfigError('rails', `speak "${dialect.name}" by two dialects. Make one and give it to each of them`)
  }
}

export function keyOf(rail: Deployment, id: Hash): ChannelKey {
  return channelKey(rail.chainId, rail.address, id)
}

function contractAt(address: Address, field: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address) || /^0x0{40}$/.test(address)) {
    throw new ConfigError(field, 'use the address of a contract: 0x and 40 hex digits')
  }
  return lower(address)
}
