/** Questions to the chain on behalf of requests: once for all who ask the same, and for a few things at a time. */
import { InvalidSignatureError } from '../base/errors.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import type { Channel } from '../channel/channel.ts'
import type { Payment } from '../channel/messages.ts'
import type { Named } from '../escrow/escrow.ts'
import type { Context } from './context.ts'
import { notDeepEnough } from './find.ts'
import type { Rail } from './rail.ts'

/** @throws {ChannelPendingError} if too much is being looked for now */
export function once(receiver: Context, name: string, look: () => Promise<Channel>): Promise<Channel> {
  const { live, limits } = receiver
  const underWay = live.lookups.get(name)
  if (underWay) return underWay
  if (live.lookups.size >= limits.lookups) return Promise.reject(notDeepEnough(receiver, 0))
  const lookup = look().finally(() => live.lookups.delete(name))
  live.lookups.set(name, lookup)
  return lookup
}

/** An open that its own signer has not signed costs no call to the chain. A contract's signature does: it cannot be checked otherwise. */
export async function requireLikelySigner<terms>(
  { chain }: Context,
  rail: Rail<terms>,
  named: Named<terms>,
  { voucher, signer, sender }: Payment<terms>,
): Promise<void> {
  const claimed = signer ?? sender
  if (!voucher || !claimed) throw new InvalidSignatureError()
  const digest = rail.digest(named, voucher.cumulativeAmount)
  if (recoverAddress(digest, voucher.signature) === claimed) return
  if ((await chain.code(claimed)) === '0x') throw new InvalidSignatureError()
}
