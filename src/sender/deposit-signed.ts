/**
 * Signatures in place of approvals.
 *
 * Whoever signs is told the amount, the token, the receiver and the end before the key is touched. The time is the
 * chain's: the clock here may be wrong, and the contracts do not look at it.
 */
import { bytesToHex } from '../base/encode.ts'
import type { SignedDeposit, UnsignedDeposit } from '../channel/messages.ts'
import type { Call, TokenDomain } from '../escrow/escrow.ts'
import { PERMIT2 } from '../escrow/session-signed.ts'
import { permitMessage, permitNonce } from '../escrow/session-token.ts'
import type { Abilities, Context } from './context.ts'
import { allowanceOf, signedCall, unlessReverted, type Deposit } from './wanted.ts'

/** How long a signature is good: for several blocks, and not for much more. */
const VALID_SECONDS = 1_800n

/** A transfer that the token takes by a signature (ERC-3009). */
export async function signAuthorization(
  context: Context,
  deposit: Deposit,
  { domain, authorizes }: Abilities,
): Promise<SignedDeposit | undefined> {
  const { escrow, purpose, amount } = deposit
  if (!escrow.signed || !domain || !authorizes) return undefined
  const salt = random()
  const from = context.address
  const unsigned: UnsignedDeposit = {
    by: 'eip3009',
    action: purpose.action,
    from,
    amount,
    validAfter: 0n,
    validBefore: await endOf(context),
    nonce: escrow.signed.nonce(purpose, from, amount, salt),
    ...(purpose.action === 'topUp' && { salt }),
  }
  return sign(context, deposit, unsigned, domain)
}

/** A transfer that Permit2 takes by a signature, where it is allowed to. */
export async function signForPermit2(
  context: Context,
  deposit: Deposit,
  { permit2 }: Abilities,
): Promise<SignedDeposit | undefined> {
  const { escrow, purpose, amount, token } = deposit
  if (!escrow.signed || !permit2 || (await allowanceOf(context, deposit, PERMIT2)) < amount) return undefined
  const unsigned: UnsignedDeposit = {
    by: 'permit2',
    action: purpose.action,
    from: context.address,
    amount,
    token,
    nonce: BigInt(random()),
    deadline: await endOf(context),
  }
  return sign(context, deposit, unsigned, undefined)
}

/** {@link signAuthorization}, sent by ourselves. */
export async function authorize(context: Context, deposit: Deposit, abilities: Abilities): Promise<Call | undefined> {
  const signed = await signAuthorization(context, deposit, abilities)
  return signed && signedCall(deposit, signed)
}

/** {@link signForPermit2}, sent by ourselves. */
export async function permit2(context: Context, deposit: Deposit, abilities: Abilities): Promise<Call | undefined> {
  const signed = await signForPermit2(context, deposit, abilities)
  return signed && signedCall(deposit, signed)
}

/** An approval by a signature (ERC-2612), in the transaction that needs it. */
export async function permit(
  context: Context,
  deposit: Deposit,
  { domain, permits }: Abilities,
): Promise<Call | undefined> {
  const { escrow, purpose, amount, at, token } = deposit
  if (!escrow.signed || !domain || !permits) return undefined
  const nonce = await unlessReverted(context, permitNonce(token, context.address))
  if (nonce?.length !== 66) return undefined
  const deadline = await endOf(context)
  tell(context, deposit, 'approval', deadline)
  const of = { owner: context.address, spender: at.address, value: amount, nonce: BigInt(nonce), deadline }
  const signature = await context.account.signTypedData(permitMessage(domain, of))
  return escrow.signed.permitted(purpose, amount, { deadline, signature }, at)
}

async function sign(
  context: Context,
  deposit: Deposit,
  unsigned: UnsignedDeposit,
  domain: TokenDomain | undefined,
): Promise<SignedDeposit | undefined> {
  const { escrow, purpose, at } = deposit
  if (!escrow.signed) return undefined
  tell(context, deposit, 'deposit', unsigned.by === 'eip3009' ? unsigned.validBefore : unsigned.deadline)
  const message = escrow.signed.message(purpose, unsigned, at, domain)
  return { ...unsigned, signature: await context.account.signTypedData(message) }
}

function tell({ onProgress }: Context, deposit: Deposit, what: string, until: bigint): void {
  const { amount, token, receiver } = deposit
  onProgress({ step: 'signing', what, amount, token, receiver, until: new Date(Number(until) * 1000) })
}

async function endOf({ chain }: Context): Promise<bigint> {
  return (await chain.head()).time + VALID_SECONDS
}

function random(): `0x${string}` {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(32)))
}
