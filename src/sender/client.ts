/**
 * A sender: an account, its channels, the chain.
 *
 * Deposits and transactions are the account's; vouchers are signed by another
 * key, which is worth no more than the deposits it signs for.
 */
import type { Address, Hex, LocalAccount } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { ConfigError } from '../base/faults.ts'
import { createReachingFetch } from '../base/reach.ts'
import { lower } from '../base/read.ts'
import { NoAcceptableOfferError, NoSuchChannelError } from '../base/spending.ts'
import type { Chain, Mined } from '../chain/chain.ts'
import { createWallet } from '../chain/wallet.ts'
import type { Channel as ChannelState, ChannelKey } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import { payment } from '../dialect/payment.ts'
import { rdn } from '../dialect/rdn.ts'
import { raiden } from '../escrow/raiden.ts'
import { session } from '../escrow/session.ts'
import type { Store } from '../store/store.ts'
import type { Budget } from './budget.ts'
import { closeTogether, requestClose, withdraw, type Closed } from './close.ts'
import {
  protocolOf,
  readAbout,
  type AnyProtocol,
  type Context,
  type Live,
  type Place,
  type Progress,
} from './context.ts'
import { balanceOf } from './deposit.ts'
import { channelFor, topUp } from './fund.ts'
import { checkAhead, type Ahead } from './ahead.ts'
import { findPlace } from './places.ts'
import { createSession, type Session, type SessionOptions } from './session.ts'
import { fileSessionSigner, sessionKey } from './session-key.ts'
import { createSigner, type Signer } from './signer.ts'
import { sync } from './sync.ts'

export type ClientConfig = {
  /** A private key, or a viem account that signs here. */
  readonly account: Hex | LocalAccount
  readonly chain: Chain
  /** Survives a kill if it is a durable one. */
  readonly store: Store
  readonly budget: Budget
  /** Escrow contracts that may hold deposits, and tokens that may be spent. All others are refused. */
  readonly escrows: readonly Address[]
  readonly tokens: readonly Address[]
  /** Signs vouchers. Default: a key for each escrow that is made from the account; `'account'`: the account itself. */
  readonly signer?: Hex | LocalAccount | 'account'
  /** The deposit for a channel that pays `price` per request. Default: a hundred times the price, within the budget. */
  readonly deposit?: (price: bigint) => bigint
  /** What a top up adds. Default: as `deposit`. */
  readonly topUpDeposit?: (price: bigint) => bigint
  /** What a voucher authorizes beyond the request at hand: at risk until it is used. Default: nothing. */
  readonly ahead?: Ahead
  /** How long to wait before the same payment is sent again, where the receiver does not say. Default 1,000. */
  readonly retryMs?: number
  /** Default: every protocol, in the order of `docs/reference/words.md`. */
  readonly protocols?: readonly AnyProtocol[]
  /** Set to false when several processes share `store`. */
  readonly alone?: boolean
  readonly fetch?: typeof fetch
  readonly onProgress?: (progress: Progress) => void
}

/** Everything that a sender can do with one channel. */
export type Channel = {
  /** As it is stored now. */
  state(): Promise<ChannelState>
  /** Adds base units to the deposit. */
  topUp(amount: bigint): Promise<ChannelState>
  /** Together with the receiver, asked at `url` or where it was paid last. */
  close(url?: string | URL): Promise<Closed>
  /** Alone; states and pays what is owed (default: all that may have been charged) and starts the challenge period. */
  requestClose(owed?: bigint): Promise<Mined>
  /** After the challenge period. @throws {NotWithdrawableError} before */
  withdraw(): Promise<Mined>
  /** Where it was paid last. */
  url(): Promise<string | undefined>
}

export type Client = {
  readonly address: Address
  /** Buys over HTTP. */
  session(options?: SessionOptions): Session
  /** All channels of the account, closed ones too. */
  channels(): AsyncIterable<ChannelState>
  /** @throws {NoSuchChannelError} */
  channel(key: ChannelKey): Promise<Channel>
  /** A channel with room for `offer`: found, topped up or opened. */
  channelFor(offer: Offer): Promise<Channel>
  /** Reads from the chain what happened since. */
  sync(): Promise<void>
  /** Base units of a token that the account holds. @throws {ConfigError} if there is no token at that address */
  balance(token: Address): Promise<bigint>
}

/** Synchronises with the chain, then is ready. @throws {ConfigError} | {@link ChainUnavailableError} */
export async function createClient(config: ClientConfig): Promise<Client> {
  const context = await contextOf(config)
  await sync(context)
  return {
    address: context.address,
    session: (options) => createSession(context, options),
    channels: () => context.store.list(),
    channel: async (key) => channelAt(context, await required(context, key)),
    channelFor: async (offer) => channelAt(context, await channelFor(context, protocolFor(context, offer), offer)),
    sync: () => sync(context),
    balance: (token) => balanceOf(context, token),
  }
}

async function contextOf(config: ClientConfig): Promise<Context> {
  const { chain, store, budget, protocols = everyProtocol() } = config
  const account = typeof config.account === 'string' ? privateKeyToAccount(config.account) : config.account
  for (const name of ['perRequest', 'deposit'] as const) {
    if (typeof budget[name] !== 'bigint' || budget[name] <= 0n) {
      throw new ConfigError(`budget.${name}`, 'set a positive bigint in base units of the token')
    }
  }
  checkAhead(config.ahead)
  const wallet = createWallet({ chain, account, intents: store })
  const chainId = await chain.id()
  const escrows = config.escrows.map(lower)
  const deposit = config.deposit ?? ((price) => price * 100n)
  const asking = { chain, store, protocols, chainId, sender: lower(account.address) }
  const places = await Promise.all(escrows.map((address) => findPlace(asking, address)))
  const voucherSigners = await signersFor(config, account, places)
  return {
    address: lower(account.address),
    account,
    signers: [createSigner(config.account), ...voucherSigners.values()],
    voucherSigners,
    wallet,
    chain,
    store,
    protocols,
    budget,
    allowed: { chainId, escrows, tokens: config.tokens.map(lower) },
    places,
    deposit,
    topUpDeposit: config.topUpDeposit ?? deposit,
    retryMs: config.retryMs ?? 1_000,
    ahead: config.ahead,
    hooks: {},
    onUsed: () => undefined,
    fetch: createReachingFetch(config.fetch),
    alone: config.alone ?? true,
    onProgress: config.onProgress ?? (() => undefined),
    live: newLive(),
  }
}

/** Who signs the vouchers of new channels, by escrow. */
async function signersFor(
  { signer, store }: ClientConfig,
  account: LocalAccount,
  places: readonly Place[],
): Promise<Map<Address, Signer>> {
  const signers = new Map<Address, Signer>()
  for (const { at, protocol } of places) {
    if (protocol.escrow.signedBySender || signer === 'account') continue
    const key = signer ?? (await sessionKey(account, at))
    if (signer === undefined && typeof key === 'string') await fileSessionSigner(store, at, key)
    if (key !== undefined) signers.set(at.address, createSigner(key))
  }
  return signers
}

function newLive(): Live {
  return {
    funding: new Map(),
    paidLast: new Map(),
    paidAt: new Map(),
    inFlight: new Map(),
    abilities: new Map(),
    lanes: new Map(),
  }
}

/** What this client speaks unless it is told: the standard of 2026 before the protocol of 2018. */
function everyProtocol(): readonly AnyProtocol[] {
  return [
    { dialect: payment(), escrow: session },
    { dialect: rdn(), escrow: raiden },
  ]
}

function channelAt(context: Context, channel: ChannelState): Channel {
  const { key } = channel
  const protocol = () => protocolOf(context, channel)
  const state = () => required(context, key)
  return {
    state,
    topUp: async (amount) => topUp(context, protocol(), await state(), amount),
    close: async (url) => closeTogether(context, protocol(), await state(), url),
    requestClose: async (owed) => requestClose(context, protocol(), await state(), owed),
    withdraw: async () => withdraw(context, protocol(), await state()),
    url: async () => context.live.paidAt.get(key)?.url ?? (await readAbout(context.store, key)).url,
  }
}

/** @throws {NoAcceptableOfferError} for an escrow that is not allowed */
function protocolFor({ places }: Context, { escrow }: Offer): AnyProtocol {
  const place = places.find(({ at }) => at.address === escrow)
  if (!place) throw new NoAcceptableOfferError([`Escrow contract ${escrow} is unknown.`])
  return place.protocol
}

async function required({ store }: Context, key: ChannelKey): Promise<ChannelState> {
  const channel = await store.get(key)
  if (!channel) throw new NoSuchChannelError(key)
  return channel
}
