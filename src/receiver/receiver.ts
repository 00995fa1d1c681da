/**
 * A receiver: a list of rails, a store and a chain.
 *
 * Until `start` has compared them with each other and read the chain up to now,
 * paid routes answer 503. Whatever does not fit is refused at `create` or
 * `start`, with the setting's name and the fix.
 */
import type { Address } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { lower } from '../base/read.ts'
import { jsonLog, type Log } from '../base/log.ts'
import type { Chain, Mined, Wallet } from '../chain/chain.ts'
import type { Channel, ChannelKey } from '../channel/channel.ts'
import type { Store } from '../store/store.ts'
import { createAlarms, toLog, type AlarmSink } from './alarm.ts'
import { checkAgainstChain, checkAgainstStore } from './check.ts'
import { doChores } from './chores.ts'
import { close } from './close.ts'
import { defaultLimits, freshLive, type Context, type Limits } from './context.ts'
import { createExposure, type Caps } from './exposure.ts'
import { findRailOf } from './find.ts'
import { forecast, type Forecast } from './forecast.ts'
import { plainPage, type Page } from './page.ts'
import { checkRails, type AnyRail } from './rail.ts'
import { noticeRestores } from './restore.ts'
import { checkPolicy, type SettlePolicy } from './settle-policy.ts'
import { settle, type Settlement } from './settle.ts'
import { sync } from './sync.ts'
import { varyBy } from './vary.ts'

export type ReceiverConfig = {
  /** Who is paid. Default: the address of the `wallet`. */
  readonly address?: Address
  /**
   * Sends the receiver's transactions. Without one it sells, and cannot settle or close. Of another key than the
   * receiver's it must be the operator that the receiver has named in the escrow.
   */
  readonly wallet?: Wallet
  /** In the order in which they are offered. */
  readonly rails: readonly AnyRail[]
  readonly store: Store
  readonly chain: Chain
  readonly settle?: SettlePolicy
  /** How much may be delivered and not settled. Default: any amount. */
  readonly caps?: Caps
  readonly limits?: Partial<Limits>
  /** For the first start after the store was put back from a backup, where nothing beside it tells. */
  readonly restored?: boolean
  /** What browsers see that have not paid. Default: a page in words, without a script. */
  readonly page?: Page
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log
  /** Who else hears of alarms, besides the log: a webhook, or a function of your own. */
  readonly alarms?: readonly AlarmSink[]
}

export type Receiver = Context & {
  /**
   * Checks everything against the chain and the store, catches up, then sells. Waits as long as no node answers.
   *
   * @throws {ConfigError} if something does not fit: chain id, contract, token, or the state of another receiver
   */
  start(): Promise<void>
  /** Stops selling and following. The store stays open: whoever opened it closes it. */
  stop(): Promise<void>
  /**
   * Settles every channel that has something to take, or those that `wanted` picks. The channels stay open. One that
   * could not be settled is in the result with its reason.
   */
  settle(wanted?: (channel: Channel) => boolean): Promise<Settlement[]>
  /** What {@link settle} would bring and cost now. Sends nothing. @throws {ChainUnavailableError} */
  forecast(wanted?: (channel: Channel) => boolean): Promise<Forecast>
  /** Closes one channel for what was charged. @throws {ConfigError} for a channel that is not ours */
  close(key: ChannelKey): Promise<Mined>
  channels(): AsyncIterable<Channel>
}

/** @throws {ConfigError} naming the setting that is missing or wrong */
export function createReceiver(config: ReceiverConfig): Receiver {
  const context = contextOf(config)
  const stopping = new AbortController()
  const running: Promise<unknown>[] = []
  return {
    ...context,
    start: async () => {
      await checkAgainstStore(context)
      await context.exposure?.load()
      await noticeRestores(context, config.restored === true)
      await checkAgainstChain(context, stopping.signal)
      if (stopping.signal.aborted) return
      await Promise.all(escrowsOf(context).map((rail) => caughtUp(context, rail, stopping.signal, running)))
      if (context.live.phase === 'starting') context.live.phase = 'ready'
      running.push(doChores(context, stopping.signal))
    },
    stop: async () => {
      context.live.phase = 'stopping'
      stopping.abort()
      context.live.recovery.stop()
      await Promise.allSettled(running)
    },
    settle: (wanted) => settle(context, wanted),
    forecast: (wanted) => forecast(context, wanted),
    close: async (key) => {
      const channel = await context.store.get(key)
      const rail = channel && findRailOf(context, channel)
      if (!channel || !rail) throw new ConfigError('key', `${key} is not a channel of this receiver`)
      return close(context, rail, channel)
    },
    channels: () => context.store.list(),
  }
}

function contextOf(config: ReceiverConfig): Context {
  const { address, wallet, rails, chain, caps, limits, page = plainPage, log = jsonLog() } = config
  const given = address ?? wallet?.address
  if (!given) throw new ConfigError('address', 'give the address that is paid, or a wallet')
  const paid = lower(given)
  checkRails(rails)
  const bounds = { ...defaultLimits, ...limits }
  const vary = varyBy(rails)
  const exposure = caps && createExposure(config.store, caps)
  const policy = config.settle
  if (policy) checkPolicy(policy)
  return {
    address: paid,
    wallet,
    rails,
    store: exposure?.store ?? config.store,
    chain,
    limits: bounds,
    policy,
    caps,
    exposure,
    page,
    vary,
    log,
    alarms: createAlarms([toLog(log), ...(config.alarms ?? [])]),
    live: freshLive(bounds),
  }
}

/** One rail per contract: several tokens or dialects on one escrow are followed together. */
function escrowsOf({ rails }: Context): AnyRail[] {
  return [...new Map(rails.map((rail) => [`${rail.chainId}:${rail.address}`, rail])).values()]
}

/** Starts to follow an escrow; resolves when the store is level with the chain. */
function caughtUp(context: Context, rail: AnyRail, signal: AbortSignal, running: Promise<unknown>[]): Promise<void> {
  return new Promise((resolve, reject) => {
    running.push(sync(context, rail, signal, resolve).then(resolve, reject))
  })
}
