/**
 * What a store keeps of a channel: a copy that nobody can change afterwards.
 *
 * Every store keeps the same copy, so that a test on `memory()` finds what the
 * disk would refuse, and so that one value that no database can hold is refused
 * alone instead of failing the commit that others share.
 */
import type { Channel, ChannelKey, Voucher, WithdrawableAt } from '../channel/channel.ts'

/** `current` itself when nothing was changed. What it holds already is not copied again. */
export function sealed(key: ChannelKey, changed: Channel, current: Channel | undefined): Channel {
  if (changed === current) return current
  if (changed.key !== key) throw new TypeError(`A change of channel ${key} returned channel ${changed.key}.`)
  if (!Number.isSafeInteger(changed.chainId))
    throw new TypeError(`The chainId of channel ${key} is not a whole number.`)
  return Object.freeze({
    key,
    id: changed.id,
    chainId: changed.chainId,
    escrow: changed.escrow,
    sender: changed.sender,
    receiver: changed.receiver,
    token: changed.token,
    signer: changed.signer,
    terms: changed.terms === current?.terms ? changed.terms : sealedJson(changed.terms, 'terms'),
    status: changed.status,
    deposit: changed.deposit,
    settled: changed.settled,
    block: changed.block,
    ...(changed.logIndex !== undefined && { logIndex: changed.logIndex }),
    ...(changed.closeStated !== undefined && { closeStated: changed.closeStated }),
    ...(changed.withdrawableAt && { withdrawableAt: sealedMoment(changed.withdrawableAt) }),
    ...(changed.voucher && { voucher: sealedVoucher(changed.voucher) }),
    charged: changed.charged,
    ...(changed.closeAgreed !== undefined && { closeAgreed: changed.closeAgreed }),
    ...(changed.caughtUp !== undefined && { caughtUp: changed.caughtUp }),
  })
}

/**
 * A frozen copy as JSON would give it back: members that are undefined are left out.
 *
 * @throws {TypeError} that names the member which JSON cannot hold
 */
export function sealedJson(value: unknown, at: string): unknown {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item: unknown, index) => sealedJson(item ?? null, `${at}[${index}]`)))
  }
  if (typeof value === 'object' && Object.prototype.toString.call(value) === '[object Object]') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return Object.freeze(
      Object.fromEntries(members.map(([name, member]) => [name, sealedJson(member, `${at}.${name}`)])),
    )
  }
  const kind = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value
  throw new TypeError(`${at} is a ${kind}, which JSON cannot hold. Write it as a string.`)
}

function sealedVoucher({ cumulativeAmount, signature }: Voucher): Voucher {
  return Object.freeze({ cumulativeAmount, signature })
}

function sealedMoment(moment: WithdrawableAt): WithdrawableAt {
  return Object.freeze('block' in moment ? { block: moment.block } : { time: moment.time })
}
