/** Whether the escrow would honour a voucher's signature. */
import type { Address } from 'viem'
import { InvalidSignatureError, ReceiverUnavailableError } from '../base/errors.ts'
import { messageOf } from '../base/log.ts'
import type { SignatureQuestion } from '../chain/chain.ts'
import type { Channel, Voucher } from '../channel/channel.ts'
import type { Context } from './context.ts'
import type { Found } from './find.ts'
import { settle } from './settle.ts'

/** Length in hex of 65 bytes. */
const KEY_SIGNATURE = 132

/** Signers whose code is remembered; the oldest is forgotten first. */
const SIGNERS = 10_000

/**
 * Accepts exactly what the contract accepts: a key's signature first, then, if the signer is a contract, its own answer.
 *
 * The voucher that is stored already was verified when it came. What a contract signed may be worth nothing tomorrow:
 * up to `contractSignerExposure` is taken of it before it is settled.
 *
 * @throws {InvalidSignatureError} | {@link ReceiverUnavailableError}
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
  if (!(await ask(receiver, question))) throw new InvalidSignatureError()
  requireSettled(receiver, channel, voucher)
}

/** A few at a time: a contract may keep a node busy for as long as it is let. */
async function ask({ chain, live, limits }: Context, question: SignatureQuestion): Promise<boolean> {
  if (live.contracts.asked >= limits.lookups) throw new ReceiverUnavailableError('chain')
  live.contracts.asked += 1
  try {
    return await chain.acceptsSignature(question)
  } finally {
    live.contracts.asked -= 1
  }
}

/**
 * A contract can say tomorrow that it never signed. So what it authorizes beyond what is settled is bounded, and at the
 * bound its channel is settled first.
 *
 * @throws {ReceiverUnavailableError} until that is done
 */
function requireSettled(receiver: Context, { key, settled, deposit }: Channel, { cumulativeAmount }: Voucher): void {
  const { live, limits, wallet, log } = receiver
  const { settling } = live.contracts
  const taken = live.settling.get(key) ?? 0n
  // What is beyond the deposit is refused for that.
  const most = cumulativeAmount < deposit ? cumulativeAmount : deposit
  if (most - (taken > settled ? taken : settled) <= limits.contractSignerExposure) return
  if (wallet && !settling.has(key)) {
    settling.add(key)
    settle(receiver, (channel) => channel.key === key)
      .catch((error: unknown) => log('error', 'settle-failed', { message: messageOf(error) }))
      .finally(() => settling.delete(key))
  }
  throw new ReceiverUnavailableError('exposure')
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
