/**
 * The watcher: defends a receiver's channels while its server does not.
 *
 * It follows the chain by itself, into a store of its own, and knows nothing of
 * what was charged until a sender leaves and the server has let a part of the
 * challenge period go by without an answer. Then it asks for the newest
 * vouchers, wherever those are, and closes the channel as the server would.
 *
 * Server and watcher may both run: the chain is asked right before anything is
 * sent, and of two answers the contract takes one.
 */
import type { Address } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { messageOf, type Log } from '../base/log.ts'
import type { Chain, Wallet } from '../chain/chain.ts'
import { pause } from '../chain/pause.ts'
import type { ChannelKey } from '../channel/channel.ts'
import type { Store } from '../store/store.ts'
import type { AlarmSink } from './alarm.ts'
import { elapsedOf, OVERDUE } from './alarm-closes.ts'
import { watchGasMoney } from './alarm-money.ts'
import { checkAgainstChain } from './check.ts'
import { answerClose } from './close.ts'
import type { Context } from './context.ts'
import { findRailOf } from './find.ts'
import type { AnyRail } from './rail.ts'
import { createReceiver } from './receiver.ts'
import type { TakeLedgers } from './watch-intake.ts'
import { createLedgers, learn, vouchersOf, type Vouchers } from './watch-ledgers.ts'

export type WatcherConfig = {
  /** Who is paid. Default: the address of the wallet. */
  readonly address?: Address
  /** Sends the answers: the receiver's key, or that of its operator. */
  readonly wallet: Wallet
  readonly rails: readonly AnyRail[]
  /** The watcher's own. */
  readonly store: Store
  readonly chain: Chain
  /** Default: those that it was sent, see {@link Watcher.take}. */
  readonly vouchers?: Vouchers
  /** The part of the challenge period that the server is given, from 0 to 0.5. Default: 0.25. */
  readonly after?: number
  /** Default: warnings and errors as JSON lines on standard error. */
  readonly log?: Log
  readonly alarms?: readonly AlarmSink[]
}

export type Watcher = Pick<Context, 'alarms' | 'live' | 'address'> & {
  /** Compares everything, and resolves when the chain was read up to now. @throws {ConfigError} */
  start(): Promise<void>
  /** Keeps what a server knows of channels. Each voucher is verified against the channel as the chain has it. */
  readonly take: TakeLedgers
  /** Stops after what is under way. The store stays open. */
  stop(): Promise<void>
}

/** How often it looks who has to be answered. */
const LOOK_MS = 1_000
/** How long a channel is left alone after vouchers were asked for it: they may be in a large file. */
const ASK_MS = 10_000
const PURSE_MS = 60_000

/** @throws {ConfigError} naming the setting that is missing or wrong */
export function createWatcher({ wallet, after = OVERDUE, ...config }: WatcherConfig): Watcher {
  if (!(after >= 0 && after <= 0.5)) throw new ConfigError('after', 'must be from 0 to 0.5 of the challenge period')
  // What follows the chain has no key, so that nothing is sent before its time.
  const following = createReceiver({ ...config, address: config.address ?? wallet.address })
  const acting: Context = { ...following, wallet }
  const { vouchers = vouchersOf(acting) } = config
  const intake = createLedgers(acting)
  const stopping = new AbortController()
  const running: Promise<unknown>[] = []
  return {
    alarms: following.alarms,
    live: following.live,
    address: following.address,
    take: intake.take,
    start: async () => {
      await checkAgainstChain(acting, stopping.signal)
      await following.start()
      running.push(
        repeat(acting, LOOK_MS, defender(acting, vouchers, after), stopping.signal),
        repeat(acting, LOOK_MS, intake.takeEarly, stopping.signal),
        repeat(acting, PURSE_MS, () => watchGasMoney(acting), stopping.signal),
      )
    },
    stop: async () => {
      stopping.abort()
      await Promise.all([following.stop(), ...running])
    },
  }
}

async function repeat(
  { log }: Context,
  everyMs: number,
  work: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      log('error', 'watching-failed', { message: messageOf(error) })
    }
    await pause(everyMs, signal)
  }
}

/** Answers each close that the server has had its time for. */
function defender(acting: Context, vouchers: Vouchers, after: number): () => Promise<void> {
  const asked = new Map<ChannelKey, number>()
  return async () => {
    const { live } = acting
    for (const key of asked.keys()) if (!live.closing.has(key)) asked.delete(key)
    const nowMs = Date.now()
    const due: ChannelKey[] = []
    for (const key of live.closing) {
      if (nowMs - (asked.get(key) ?? 0) >= ASK_MS && (await isDue(acting, key, after))) due.push(key)
    }
    if (due.length === 0) return
    for (const key of due) asked.set(key, nowMs)
    const known = await vouchers(due)
    await Promise.all(known.map((ledger) => learn(acting, ledger)))
    await Promise.all(known.map(({ key }) => answerClose(acting, key)))
  }
}

async function isDue(acting: Context, key: ChannelKey, after: number): Promise<boolean> {
  const channel = await acting.store.get(key)
  const rail = channel && findRailOf(acting, channel)
  if (!rail || channel.status !== 'closing') return false
  return (await elapsedOf(acting, { rail, channel })) >= after
}
