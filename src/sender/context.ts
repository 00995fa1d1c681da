/** What the parts of a sender share. */
import type { Address, Hash } from 'viem'
import { ownRecord } from '../base/read.ts'
import type { Chain, Wallet } from '../chain/chain.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { Dialect } from '../dialect/dialect.ts'
import type { Deployment, Escrow } from '../escrow/escrow.ts'
import type { Store } from '../store/store.ts'
import type { Allowed, Budget } from './budget.ts'
import type { Signer } from './signer.ts'

/** A dialect and the kind of escrow behind it. */
export type Protocol<terms> = { readonly dialect: Dialect<terms>; readonly escrow: Escrow<terms> }

/** Protocols of different terms stand side by side in a client; what needs their terms handles one at a time. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as AnyRail of the receiver
export type AnyProtocol = Protocol<any>

export type Context = {
  /** Whose deposits and channels these are. Lower case. */
  readonly address: Address
  readonly signer: Signer
  readonly wallet: Wallet
  readonly chain: Chain
  readonly store: Store
  readonly protocols: readonly AnyProtocol[]
  readonly budget: Budget
  readonly allowed: Allowed
  /** The deposit for a channel that shall pay `price` again and again. */
  readonly deposit: (price: bigint) => bigint
  readonly fetch: typeof fetch
  /** No other process uses the same state, so what is in flight here is all that is in flight. */
  readonly alone: boolean
  readonly onProgress: (progress: Progress) => void
  readonly live: Live
}

/** What a person who waits would like to know. */
export type Progress =
  | { readonly step: 'opening' | 'topping up'; readonly deposit: bigint; readonly receiver: Address }
  | { readonly step: 'sent'; readonly transaction: string; readonly what: string }
  | {
      readonly step: 'confirming'
      readonly transaction: string
      readonly confirmations: number
      readonly needed: number
    }
  | { readonly step: 'waiting'; readonly seconds: number; readonly reason: string }
  | { readonly step: 'paying'; readonly price: bigint; readonly channel: string }

export type Live = {
  /** Channels that are being opened or topped up, by receiver and token: whoever comes meanwhile waits. */
  readonly funding: Map<string, Promise<Channel>>
  /** Requests on their way, by channel. */
  readonly inFlight: Map<ChannelKey, Set<{ overlapped: boolean }>>
  /** Escrows and tokens that were asked what they can do. */
  readonly transferKinds: Map<Address, 'transferAndCall' | 'transfer' | 'approve'>
}

/** What a sender files about a channel, beside the ledger. */
export type About = {
  /** Where the channel was used last, and how: where a close can be asked for. */
  readonly url?: string
  readonly method?: string
  /** The transaction that opened it, and whether the receiver has acknowledged it. */
  readonly opened?: Hash
  readonly acknowledged?: boolean
  /** A top up that the receiver has not heard of yet. */
  readonly toppingUp?: { readonly hash: Hash; readonly amount: string }
}

export function aboutName(key: ChannelKey): string {
  return `about:${key}`
}

export async function readAbout(store: Store, key: ChannelKey): Promise<About> {
  const record = await store.readRecord(aboutName(key))
  return record === undefined ? {} : ownRecord<About>(record)
}

export function writeAbout(store: Store, key: ChannelKey, change: (about: About) => About): Promise<void> {
  return store.writeRecord(aboutName(key), (record) => {
    return JSON.stringify(change(record === undefined ? {} : ownRecord<About>(record)))
  })
}

export function deploymentOf({ chainId, escrow }: Channel): Deployment {
  return { chainId, address: escrow }
}
