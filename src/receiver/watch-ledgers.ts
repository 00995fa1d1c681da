/** What a watcher knows of a receiver's ledger: from the receiver's store, or from what a server has sent. */
import { InvalidSignatureError } from '../base/errors.ts'
import type { ChannelKey } from '../channel/channel.ts'
import { authorize } from '../channel/ledger.ts'
import type { Context } from './context.ts'
import { findRailOf } from './find.ts'
import { verifyVoucher } from './verify.ts'
import type { Ledger, TakeLedgers } from './watch-intake.ts'

/** Where the vouchers are: what the receiver knew last of these channels. Those it does not know are left out. */
export type Vouchers = (keys: readonly ChannelKey[]) => Promise<readonly Ledger[]>

/** Those that it was sent. */
export function vouchersOf({ store }: Context): Vouchers {
  return async (keys) => {
    const known = await Promise.all(keys.map((key) => store.get(key)))
    // Of one without a voucher nothing is known yet.
    return known.flatMap((channel) => (channel?.voucher ? [channel] : []))
  }
}

/** What the chain says is the watcher's own; what was authorized and charged is the receiver's. Neither ever falls. */
export async function learn({ store }: Context, { key, voucher, charged, closeAgreed }: Ledger): Promise<void> {
  await store.update(key, (now) => {
    if (!now) throw new Error(`the chain knows no channel ${key}`)
    const known = voucher && voucher.cumulativeAmount <= now.deposit ? authorize(now, voucher) : now
    return {
      ...known,
      charged: charged > known.charged ? charged : known.charged,
      ...(closeAgreed !== undefined && { closeAgreed }),
    }
  })
}

/** A server may see a channel a moment before its watcher does. */
const MOST_EARLY = 10_000

export function createLedgers(acting: Context): {
  readonly take: TakeLedgers
  readonly takeEarly: () => Promise<void>
} {
  const early = new Set<Ledger>()

  async function takeOne(ledger: Ledger): Promise<void> {
    const channel = await acting.store.get(ledger.key)
    const rail = channel && findRailOf(acting, channel)
    if (!rail) {
      early.add(ledger)
      const [oldest] = early
      if (early.size > MOST_EARLY && oldest) early.delete(oldest)
      return
    }
    // Only itself: what came later for the same channel may be worth nothing.
    early.delete(ledger)
    try {
      const { voucher: _known, ...bare } = channel
      if (ledger.voucher) await verifyVoucher(acting, { rail, channel: bare }, ledger.voucher)
      await learn(acting, ledger)
    } catch (error) {
      if (!(error instanceof InvalidSignatureError)) throw error
      acting.alarms.raise('voucher-refused', ledger.key, FORGED, { channel: channel.id })
    }
  }

  return {
    take: async (ledgers) => {
      await Promise.all(ledgers.map(takeOne))
    },
    takeEarly: async () => {
      await Promise.all([...early].map(takeOne))
    },
  }
}

const FORGED = 'The server has sent a voucher of which the contract would not take the signature. It was not kept.'
