/** Whether the escrow would honour a voucher's signature. */
import type { Address } from 'viem'
import { InvalidSignatureError } from '../base/errors.ts'
import type { Channel, Voucher } from '../channel/channel.ts'
import type { Context } from './context.ts'
import type { Found } from './find.ts'

/** Length in hex of 65 bytes. */
const KEY_SIGNATURE = 132

/** Signers whose code is remembered; the oldest is forgotten first. */
const SIGNERS = 10_000

/**
 * Accepts exactly what the contract accepts: a key's signature first, then, if the signer is a contract, its own answer.
 *
 * The voucher that is stored already was verified when it came. Not checked here: whether a contract signer
 * will say the same tomorrow; settle those channels often.
 *
 * @throws {InvalidSignatureError}
 */
export async function verifyVoucher(receiver: Context, { rail, channel }: Found, voucher: Voucher): Promise<void> {
  if (isStored(channel, voucher)) return
  const { badVouchers } = receiver.live
  const shown = `${channel.key} ${voucher.cumulativeAmount} ${voucher.signature}`
  if (badVouchers.get(shown)) throw new InvalidSignatureError()
  const digest = rail.digest(channel, voucher.cumulativeAmount)
  const signer = receiver.live.recovery.recover(digest, voucher.signature)
  if ((signer instanceof Promise ? await signer : signer) === channel.signer) return
  if (!rail.escrow.contractSigners || !(await isContract(receiver, channel.signer))) {
    // What is no signature of a key costs nothing to see, and may be long.
    if (voucher.signature.length === KEY_SIGNATURE) badVouchers.set(shown, true)
    throw new InvalidSignatureError()
  }
  const question = { signer: channel.signer, digest, signature: voucher.signature, escrow: rail.address }
  if (!(await receiver.chain.acceptsSignature(question))) throw new InvalidSignatureError()
}

function isStored(channel: Channel, voucher: Voucher): boolean {
  const stored = channel.voucher
  return stored?.cumulativeAmount === voucher.cumulativeAmount && stored.signature === voucher.signature
}

/** Asked once per signer, so that bad signatures of keys do not turn into calls to a node. */
async function isContract({ chain, live }: Context, signer: Address): Promise<boolean> {
  const known = live.contractSigners.get(signer)
  if (known !== undefined) return known
  const answer = (await chain.code(signer)) !== '0x'
  const [oldest] = live.contractSigners.keys()
  if (live.contractSigners.size >= SIGNERS && oldest) live.contractSigners.delete(oldest)
  live.contractSigners.set(signer, answer)
  return answer
}
