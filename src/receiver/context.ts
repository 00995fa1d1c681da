/** What the parts of a receiver share: its configuration, and what it knows right now. */
import type { Address } from 'viem'
import { ReceiverUnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { recent } from '../base/recent.ts'
import { createRecovery, type Recovery } from '../base/recovery.ts'
import type { Chain, Wallet } from '../chain/chain.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { ChallengePeriod } from '../escrow/escrow.ts'
import type { Store } from '../store/store.ts'
import type { Alarms } from './alarm.ts'
import type { Aside } from './aside.ts'
import { createDoor, type Door } from './door.ts'
import { createEarnings, type Earnings } from './earnings.ts'
import type { Caps, Exposure } from './exposure.ts'
import { createOffered } from './offered.ts'
import type { Page } from './page.ts'
import type { AnyRail } from './rail.ts'
import { createRelays, type RelayLimits, type Relays } from './relay-state.ts'
import type { SettlePolicy } from './settle-policy.ts'
import { createShelf, type Shelf } from './shelf.ts'
import { createAnswers, type Answers } from './watch-answers.ts'

export type Context = {
  readonly address: Address
  readonly rails: readonly AnyRail[]
  readonly store: Store
  readonly chain: Chain
  /** Without one the receiver sells, and cannot settle or close. */
  readonly wallet: Wallet | undefined
  readonly limits: Limits
  /** When to settle without being told; undefined: only by hand. */
  readonly policy: SettlePolicy | undefined
  /** What browsers see that have not paid. */
  readonly page: Page
  /** The header with the names of those on which an answer depends. */
  readonly vary: readonly [string, string]
  readonly log: Log
  /** How much may be delivered and not settled; undefined: any amount. */
  readonly caps: Caps | undefined
  /** What is; kept where there are caps. */
  readonly exposure: Exposure | undefined
  /** What an operator has to hear. */
  readonly alarms: Alarms
  readonly live: Live
}

export type Limits = {
  /** How long an offer can be paid. */
  readonly offerMs: number
  /** Deposit that offers suggest, as a multiple of the price. */
  readonly depositFactor: bigint
  /** How long a request with funding waits for its transaction before it is told to come back. */
  readonly fundingWaitMs: number
  /** Chain look-ups on behalf of requests that may run at once. */
  readonly lookups: number
  /** Up to what deposits are sent that senders have only signed; false: none are. Needs a wallet. */
  readonly relay: RelayLimits | false
  /** After this long without a new word from the chain, new credit is limited to `exposure`. */
  readonly chainSilenceMs: number
  /** Base units that each open channel may still be charged while the chain is silent. */
  readonly exposure: bigint
  /** Base units that a contract signer may authorize before they are settled: it may change its mind. */
  readonly contractSignerExposure: bigint
  /** Charges of one channel given back in a row before its requests are refused for a while. */
  readonly failures: number
  /** How long an answer is kept for a retry with the same Idempotency-Key. */
  readonly answerMs: number
  /** How long a request is known by its Idempotency-Key. A retry that comes later is a new request. */
  readonly requestMs: number
  /** Room for all kept answers together, in bytes. */
  readonly answersBytes: number
  /** Longest answer kept, and longest body compared, in bytes. */
  readonly answerBytes: number
  readonly bodyBytes: number
}

export const defaultLimits: Limits = {
  offerMs: 300_000,
  depositFactor: 100n,
  fundingWaitMs: 5_000,
  lookups: 8,
  relay: false,
  chainSilenceMs: 60_000,
  exposure: 0n,
  contractSignerExposure: 1_000_000n,
  failures: 100,
  answerMs: 86_400_000,
  requestMs: 2_592_000_000,
  answersBytes: 268_435_456,
  answerBytes: 65_536,
  bodyBytes: 1_048_576,
}

/** In memory only: all of it is rebuilt from the chain and the store after a restart. */
export type Live = {
  phase: 'starting' | 'ready' | 'reorg' | 'stopping'
  /** The newest block that was seen. */
  head: bigint
  /** Its time, in seconds since 1970. */
  headTime: bigint
  /** When the chain was last heard, in milliseconds since 1970. */
  chainHeardMs: number
  /** Channels and top ups that are on chain and not deep enough. */
  pending: ReadonlyMap<ChannelKey, PendingDeposit>
  /** Channels whose end was asked for, by whomever: seen on chain, even unconfirmed, or under way here. */
  readonly leaving: Set<ChannelKey>
  /** Which channels have something to settle. */
  readonly earnings: Earnings
  /** What of them is in the store: since when the oldest has been unsettled. */
  filedSinceMs: number | undefined
  /** What a unit of gas costs, and when that was heard. */
  gasPrice?: { readonly wei: bigint; readonly atMs: number }
  /** When all channels were weighed against it. */
  weighedMs: number
  /** When the last settlement by the clock was due; absent: not read from the store yet. */
  scheduledMs?: number
  /** Channels whose sender has requested a close that may still have to be answered. */
  readonly closing: Set<ChannelKey>
  /** What was done about those. */
  readonly answers: Answers
  /** When books and chain are compared next, in milliseconds since 1970. */
  reconcileMs: number
  /** How long senders have to wait, where it was asked. */
  readonly periods: Map<AnyRail, ChallengePeriod>
  /** What our own transactions settled that is not confirmed yet. */
  readonly settling: Map<ChannelKey, bigint>
  /** Channels that could not be settled, and when they are tried again. */
  readonly aside: Map<ChannelKey, Aside>
  readonly failures: Map<ChannelKey, { count: number; untilMs: number }>
  readonly chargedInSilence: Map<ChannelKey, bigint>
  /** How often the store was put back from a backup. */
  restores: number
  /** Where those wait who have not paid. */
  readonly door: Door
  /** Offers that are ready. */
  readonly offered: ReturnType<typeof createOffered>
  /** Who signed what, found on other cores where that helps. */
  readonly recovery: Recovery
  /** Vouchers that were refused for their signature, so that one costs a check once. */
  readonly badVouchers: ReturnType<typeof recent<string, true>>
  /** What could not be given back to senders because the store failed; tried again until it can. */
  readonly owed: Set<() => Promise<unknown>>
  /** Room for answers that are kept. */
  readonly shelf: Shelf
  /** Requests with an Idempotency-Key that are running here. */
  readonly running: Map<string, Promise<void>>
  /** Look-ups that are under way, by what they look for. */
  readonly lookups: Map<string, Promise<Channel>>
  /** Deposits that are sent for others. */
  readonly relays: Relays
  /** Whether a signer has code, and so may sign as a contract. */
  readonly contractSigners: Map<Address, boolean>
  /** Contracts that are being asked about a signature, and channels of such signers that are being settled. */
  readonly contracts: { asked: number; readonly settling: Set<ChannelKey> }
}

/** How deep the last of it is, and the whole deposit that it will make, in base units. */
export type PendingDeposit = { readonly confirmations: number; readonly deposit: bigint }

/** How many vouchers with a bad signature are known again; some 3 MB of them. */
const BAD_VOUCHERS = 10_000

/** A receiver that has just started has other work. */
const RECONCILE_AFTER_MS = 600_000

export function freshLive(limits: Limits): Live {
  return {
    phase: 'starting',
    head: 0n,
    headTime: 0n,
    chainHeardMs: 0,
    pending: new Map(),
    leaving: new Set(),
    earnings: createEarnings(),
    filedSinceMs: undefined,
    weighedMs: 0,
    closing: new Set(),
    answers: createAnswers(),
    reconcileMs: Date.now() + RECONCILE_AFTER_MS,
    periods: new Map(),
    settling: new Map(),
    aside: new Map(),
    failures: new Map(),
    chargedInSilence: new Map(),
    restores: 0,
    door: createDoor(),
    offered: createOffered(),
    recovery: createRecovery(),
    badVouchers: recent(BAD_VOUCHERS),
    owed: new Set(),
    shelf: createShelf(limits),
    running: new Map(),
    lookups: new Map(),
    relays: createRelays(),
    contractSigners: new Map(),
    contracts: { asked: 0, settling: new Set() },
  }
}

/** @throws {ReceiverUnavailableError} unless payments can be judged now */
export function requireReady({ live }: Context): void {
  if (live.phase === 'starting') throw new ReceiverUnavailableError('starting')
  if (live.phase === 'reorg') throw new ReceiverUnavailableError('reorg')
  if (live.phase === 'stopping') throw new ReceiverUnavailableError('stopping')
}

export function chainIsSilent({ live, limits }: Context): boolean {
  return Date.now() - live.chainHeardMs > limits.chainSilenceMs
}
