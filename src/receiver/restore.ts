/**
 * A store that was put back from a backup has forgotten what was authorized and charged since.
 *
 * The next voucher of each sender brings its channel up to date: what it authorizes beyond the backup counts as served,
 * so that nothing is sold twice for it. Until then nobody is trusted to have credit that the backup does not know.
 */
import { RequestInterruptedError } from '../base/errors.ts'
import type { Channel, Voucher } from '../channel/channel.ts'
import { catchUp } from '../channel/ledger.ts'
import { RESTORES } from '../store/store.ts'
import type { Context } from './context.ts'
import type { Found } from './find.ts'
import type { RequestId } from './once.ts'

/** Reads how often the store was put back, and says so. `restored`: the operator knows of one that was not noticed. */
export async function noticeRestores({ store, live, log }: Context, restored: boolean): Promise<void> {
  if (restored) await store.writeRecord(RESTORES, (count) => `${Number(count ?? 0) + 1}`)
  live.restores = Number((await store.readRecord(RESTORES)) ?? 0)
  await store.writeRecord(TOLD, (told) => {
    if (live.restores > Number(told ?? 0)) log('error', 'store-restored', { restores: live.restores, message: MEANING })
    return live.restores === 0 ? undefined : `${live.restores}`
  })
}

const TOLD = 'receiver:restores-told'

const MEANING =
  'The store is older than it was: it was put back from a backup. The next voucher of each sender brings its channel up to date.'

/** Whether the channel knows of all that was sold on it. */
export function isLevel({ live }: Context, { caughtUp = 0 }: Channel): boolean {
  return caughtUp >= live.restores
}

/**
 * The channel, level with the voucher, which was verified. `price` is what this request shall be charged.
 *
 * @throws {RequestInterruptedError} for a request that may have run before and must not run twice; it is not charged
 */
export async function levelWith(
  { store, live, log }: Context,
  found: Found,
  voucher: Voucher,
  { price, request }: { readonly price: bigint; readonly request: RequestId | undefined },
): Promise<Found> {
  const before = found.channel
  const channel = await store.update(before.key, (now) => catchUp(now ?? before, voucher, price, live.restores))
  if (channel.charged === before.charged) return { ...found, channel }
  log('warn', 'channel-caught-up', { channel: channel.id, charged: `${before.charged}`, now: `${channel.charged}` })
  if (request && !request.repeatable) throw new RequestInterruptedError()
  return { ...found, channel }
}
