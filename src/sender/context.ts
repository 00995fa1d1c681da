/** What the parts of a sender share. */
import type { Address, Hash, LocalAccount } from 'viem'
import { ownRecord } from '../base/read.ts'
import type { Chain, Wallet } from '../chain/chain.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { Dialect } from '../dialect/dialect.ts'
import { NoSuchChannelError } from '../base/spending.ts'
import type { Deployment, Digest, Escrow, TransferKind } from '../escrow/escrow.ts'
import type { TokenFacts } from '../escrow/session-token.ts'
import type { Store } from '../store/store.ts'
import type { Allowed, Budget } from './budget.ts'
import type { Ahead } from './ahead.ts'
import type { Hooks } from './hooks.ts'
import type { Ticket } from './lane.ts'
import type { Signer } from './signer.ts'

/** A dialect and the kind of escrow behind it. */
export type Protocol<terms> = { readonly dialect: Dialect<terms>; readonly escrow: Escrow<terms> }

/** Protocols of different terms stand side by side in a client; what needs their terms handles one at a time. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as AnyRail of the receiver
export type AnyProtocol = Protocol<any>

/** One contract that may hold deposits, and the protocol whose kind of escrow it is. */
export type Place = {
  readonly at: Deployment
  readonly protocol: AnyProtocol
  /** What its vouchers sign. What all of them have in common is laid out once. */
  readonly digest: Digest
}

export type Context = {
  /** Whose deposits and channels these are. Lower case. */
  readonly address: Address
  /** Signs deposits. */
  readonly account: LocalAccount
  /** Who may sign vouchers: the account first, then the keys for new channels. */
  readonly signers: readonly [Signer, ...Signer[]]
  /** Who signs those of new channels, by escrow; where none is named, the account. */
  readonly voucherSigners: ReadonlyMap<Address, Signer>
  readonly wallet: Wallet
  readonly chain: Chain
  readonly store: Store
  readonly protocols: readonly AnyProtocol[]
  readonly budget: Budget
  readonly allowed: Allowed
  /** The allowed escrows, each of its kind. */
  readonly places: readonly Place[]
  /** The deposit for a channel that shall pay `price` again and again. */
  readonly deposit: (price: bigint) => bigint
  /** What a top up adds for a price. */
  readonly topUpDeposit: (price: bigint) => bigint
  /** What vouchers authorize beyond the request at hand; undefined: nothing. */
  readonly ahead: Ahead | undefined
  /** How long to wait before the same payment is sent again, where the receiver does not say. */
  readonly retryMs: number
  readonly hooks: Hooks
  /** Told which channels pay. */
  readonly onUsed: (key: ChannelKey) => void
  readonly fetch: typeof fetch
  /** No other process uses the same state, so what is in flight here is all that is in flight. */
  readonly alone: boolean
  readonly onProgress: (progress: Progress) => void
  readonly live: Live
}

/** What a person who waits would like to know. */
export type Progress =
  | { readonly step: 'opening' | 'topping up'; readonly deposit: bigint; readonly receiver: Address }
  /** Before the account signs a transfer or an approval, which is good until then. */
  | {
      readonly step: 'signing'
      readonly what: string
      readonly amount: bigint
      readonly token: Address
      readonly receiver: Address
      readonly until: Date
    }
  | { readonly step: 'sent'; readonly transaction: string; readonly what: string }
  | {
      readonly step: 'confirming'
      readonly transaction: string
      readonly confirmations: number
      readonly needed: number
    }
  | { readonly step: 'waiting'; readonly seconds: number; readonly reason: string }
  | { readonly step: 'paying'; readonly price: bigint; readonly channel: string }

/** What a token and an escrow can do together. */
export type Abilities = TokenFacts & {
  /** The transfer with data that puts in a deposit; absent: none does. */
  readonly transfer?: TransferKind
  /** Whether this chain has Permit2. */
  readonly permit2: boolean
}

/** Those that may turn out not to be there. */
export type Ability = 'transfer' | 'authorizes' | 'permit2' | 'permits'

export type Live = {
  /** Channels that are being opened or topped up, by receiver and token: whoever comes meanwhile waits. */
  readonly funding: Map<string, Promise<Channel>>
  /** Requests on their way, by channel. */
  readonly inFlight: Map<ChannelKey, Set<Ticket>>
  /** The channel that paid last, by receiver and token, and the price it paid. */
  readonly paidLast: Map<string, { readonly key: ChannelKey; readonly price: bigint }>
  /** Where each channel paid last. {@link About} holds this, or an earlier address of the same origin. */
  readonly paidAt: Map<ChannelKey, { readonly url: string; readonly method: string }>
  /** What a token and an escrow can do together. */
  readonly abilities: Map<string, Abilities>
  /** Requests that have to wait for each other, by lane. */
  readonly lanes: Map<string, Promise<void>>
}

/** What a sender files about a channel, beside the ledger. */
export type About = {
  /** Where the channel was used, and how: where a close can be asked for. */
  readonly url?: string
  readonly method?: string
  /** The transaction that opened it, and whether the receiver has acknowledged it. */
  readonly opened?: Hash
  readonly acknowledged?: boolean
  /** What offers of the receiver say beside the price; where a close has to be asked for elsewhere. */
  readonly echo?: unknown
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

export function deploymentOf({ chainId, escrow, token }: Channel): Deployment {
  return { chainId, address: escrow, token }
}

/** The protocol of the contract that holds a channel. @throws {NoSuchChannelError} for one that is not allowed any more */
export function protocolOf(context: Context, channel: Pick<Channel, 'escrow' | 'key'>): AnyProtocol {
  return placeOf(context, channel).protocol
}

/** The contract that holds a channel. @throws {NoSuchChannelError} for one that is not allowed any more */
export function placeOf({ places }: Context, { escrow, key }: Pick<Channel, 'escrow' | 'key'>): Place {
  const place = places.find(({ at }) => at.address === escrow)
  if (!place) throw new NoSuchChannelError(key)
  return place
}

/** The key whose vouchers a channel takes; undefined if it is not here. */
export function signerOf({ signers }: Context, { signer }: Pick<Channel, 'signer'>): Signer | undefined {
  return signers.find(({ address }) => address === signer)
}
