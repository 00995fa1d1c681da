/**
 * What a voucher pays for.
 *
 * Pure sums. `charged <= authorized <= deposit` holds after every function here,
 * and `authorized` never falls. Signatures are somebody else's business: the
 * caller has checked them.
 */
import { ChannelNotOpenError, DepositExceededError, OverpaidError, UnderpaidError } from '../base/errors.ts'
import { authorized, type Channel, type Voucher } from './channel.ts'

/** Vouchers that pay: `least <= cumulativeAmount <= most`. */
export type Due = { readonly least: bigint; readonly most: bigint }
export type DueRule = (channel: Channel, price: bigint) => Due

/** The voucher must rise by exactly the price. One request at a time. */
export function exactDue(channel: Channel, price: bigint): Due {
  return { least: channel.charged + price, most: channel.charged + price }
}

/**
 * What the best voucher authorizes beyond the charges is credit, whoever presents which voucher in which order.
 * So vouchers of parallel requests may arrive shuffled, and a sender may authorize several requests ahead.
 */
export function creditDue(channel: Channel, price: bigint): Due {
  const needed = channel.charged + price
  return { least: authorized(channel) >= needed ? 0n : needed, most: channel.deposit }
}

/**
 * Accepts a verified voucher and charges `price` base units against it.
 *
 * Keeps the larger of the old and the new voucher, because the larger one is
 * worth more on chain.
 *
 * @throws {ChannelNotOpenError} after a close was requested, whoever requested it
 * @throws {DepositExceededError} if the chain would not honour the voucher
 * @throws {UnderpaidError} | {@link OverpaidError} if `due` does not accept its amount
 * @see draft-evm-session-00, "Voucher Verification", steps 6 to 10
 */
export function charge(channel: Channel, voucher: Voucher, price: bigint, due: DueRule): Channel {
  const amount = voucher.cumulativeAmount
  if (channel.status !== 'open') throw new ChannelNotOpenError(channel.status)
  if (channel.closeAgreed !== undefined) throw new ChannelNotOpenError('closing')
  if (amount > channel.deposit) throw new DepositExceededError(amount, channel)
  const { least, most } = due(channel, price)
  if (amount < least) throw new UnderpaidError({ least, got: amount, price, channel })
  if (amount > most) throw new OverpaidError(most, amount)
  return { ...authorize(channel, voucher), charged: channel.charged + price }
}

/** Keeps the larger voucher and charges nothing. The caller has checked its signature and that the deposit covers it. */
export function authorize(channel: Channel, voucher: Voucher): Channel {
  return voucher.cumulativeAmount > authorized(channel) ? { ...channel, voucher } : channel
}

/**
 * Brings a channel up to date whose store was put back from a backup: what the sender has authorized since was for
 * requests that were served and forgotten, all but the `price` of this one. Otherwise it would be credit, and buy the
 * same amount again. A voucher that the backup knows says nothing of what came after it.
 *
 * @param restores how often the store was put back
 */
export function catchUp(channel: Channel, voucher: Voucher, price: bigint, restores: number): Channel {
  const amount = voucher.cumulativeAmount
  if ((channel.caughtUp ?? 0) >= restores || amount <= authorized(channel) || amount > channel.deposit) return channel
  const served = amount - price
  const { charged } = channel
  return { ...authorize(channel, voucher), charged: served > charged ? served : charged, caughtUp: restores }
}

/**
 * Records the receiver's consent to a close at `amount`, cumulative. It ends the charging for good.
 *
 * Asked again it may be given again, for another amount too: whatever was charged stays covered.
 *
 * @throws {UnderpaidError} below what was charged
 * @throws {OverpaidError} above what was authorized
 * @throws {ChannelNotOpenError} once the chain knows of an end
 */
export function agreeToClose(channel: Channel, amount: bigint): Channel {
  if (channel.status !== 'open') throw new ChannelNotOpenError(channel.status)
  const least = channel.charged > channel.settled ? channel.charged : channel.settled
  if (amount < least) throw new UnderpaidError({ least, got: amount, price: 0n, channel })
  if (amount > authorized(channel)) throw new OverpaidError(authorized(channel), amount)
  return { ...channel, closeAgreed: amount }
}

/** Gives back `amount` base units of a charge that was not delivered. The money stays on the channel as credit. */
export function refund(channel: Channel, amount: bigint): Channel {
  const charged = channel.charged - amount
  return { ...channel, charged: charged > 0n ? charged : 0n }
}
