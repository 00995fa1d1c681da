/** What everybody in a benchmark agrees on: a chain with the contracts, who is paid, and who pays. */
import { createHash } from 'node:crypto'
import type { Address, Hash, Hex } from 'viem'
import { lower } from '../src/base/read.ts'
import { addressOfKey } from '../src/base/secp256k1.ts'
import { channelKey, type Channel } from '../src/channel/channel.ts'
import type { LocalChain } from '../src/cli/local-chain.ts'
import { channelId as raidenId } from '../src/escrow/raiden-state.ts'
import { session } from '../src/escrow/session.ts'

export type RailName = 'payment' | 'rdn'

/** Enough of a local chain for a process that did not start it. */
export type World = {
  readonly rpc: string
  readonly chainId: number
  /** The contract of each rail. */
  readonly escrows: Readonly<Record<RailName, Address>>
  readonly token: Address
  readonly receiver: Address
}

/** Base units that each request costs. */
export const PRICE = 100n
export const DEPOSIT = 10n ** 18n
/** Binds the offers of rail `payment`, so that the load can make some of its own. */
export const SECRET = 'known to the server and to the load'
export const REALM = 'bench.test'
/** What every handler answers. */
export const BODY = '{"sky":"clear"}'

export function worldOf({ anvil, chainId, escrow, raiden, token, accounts }: LocalChain): World {
  const [, receiver] = accounts
  if (!receiver) throw new Error('anvil has no second account')
  const escrows = { payment: lower(escrow), rdn: lower(raiden) }
  return { rpc: anvil.url, chainId, escrows, token: lower(token), receiver: lower(receiver.address) }
}

/** The same key for the same number in every process. */
export function keyNumber(index: number): Hex {
  return `0x${createHash('sha256').update(`buyer ${index}`).digest('hex')}`
}

/** An open channel without a voucher, as it would be after its opening was seen on the chain. */
export function channelOf(rail: RailName, world: World, sender: Address, index: number): Channel {
  const { chainId, token, receiver, escrows } = world
  const escrow = escrows[rail]
  const parties = { sender, receiver, token, signer: sender }
  const salt: Hash = `0x${index.toString(16).padStart(64, '0')}`
  const openBlock = 1_000 + index
  const [terms, id] =
    rail === 'payment'
      ? [{ salt }, session.channelId({ ...parties, terms: { salt } }, { chainId, address: escrow })]
      : [{ openBlock }, raidenId({ sender, receiver, terms: { openBlock } })]
  return {
    ...parties,
    key: channelKey(chainId, escrow, id),
    id,
    chainId,
    escrow,
    terms,
    status: 'open',
    deposit: DEPOSIT,
    settled: 0n,
    charged: 0n,
    block: 1n,
  }
}

/** The channels of the first `count` buyers. */
export function channelsOf(rail: RailName, world: World, count: number): Channel[] {
  return Array.from({ length: count }, (_, index) => channelOf(rail, world, addressOfKey(keyNumber(index)), index))
}
