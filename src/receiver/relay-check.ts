/**
 * Whether a signed deposit is worth its gas: everything that a sender could have wrong is found before the receiver pays
 * for a transaction.
 *
 * What costs nothing is looked at first, then signatures, then the chain. Not checked here: what only the token itself
 * knows, such as a list of blocked accounts. The simulation before the transaction finds it.
 */
import { encodeFunctionData, erc20Abi, hashTypedData, type Address } from 'viem'
import { hexToBytes } from '../base/encode.ts'
import { InvalidSignatureError, PaymentUnsupportedError, WrongChannelError } from '../base/errors.ts'
import { recoverAddress } from '../base/secp256k1.ts'
import type { SignedDeposit } from '../channel/messages.ts'
import type { Call, Purpose, SignedDeposits } from '../escrow/escrow.ts'
import { PERMIT2 } from '../escrow/session-signed.ts'
import { authorizationState, isNonceUsed, nonceBitmap } from '../escrow/session-token.ts'
import type { Context } from './context.ts'
import type { AnyRail } from './rail.ts'
import { BY_ITSELF, type RelayLimits, type TokenWays } from './relay-state.ts'

/** A deposit that somebody asks to be sent, and what this rail and its token have to do with it. */
export type Asked = {
  readonly rail: AnyRail
  readonly signed: SignedDeposits<unknown>
  readonly ways: TokenWays
  readonly purpose: Purpose<unknown>
  readonly deposit: SignedDeposit
  /** In base units: it has to buy something. */
  readonly price: bigint
}

/** Seconds that a transaction may take to be mined. */
const MARGIN = 60n

/** What can be seen without the chain. @throws {PaymentUnsupportedError} | {@link InvalidSignatureError} | {@link WrongChannelError} */
export function checkTerms({ live }: Context, { minDeposit }: RelayLimits, asked: Asked): void {
  const { deposit, rail, ways, price } = asked
  const { amount } = deposit
  const least = price > minDeposit ? price : minDeposit
  if (amount < least) {
    const what = `a deposit of ${amount} base units that it would have to send`
    throw new PaymentUnsupportedError(what, `Sign for at least ${least}, or send it by a transaction of your own.`)
  }
  const isTaken = deposit.by === 'permit2' ? ways.permit2 : ways.facts.authorizes
  if (!isTaken) throw new PaymentUnsupportedError('a deposit of this kind in this token', BY_ITSELF)
  if (deposit.by === 'permit2' && deposit.token !== rail.token) throw new WrongChannelError('token')
  const [start, end] = deposit.by === 'permit2' ? [0n, deposit.deadline] : [deposit.validAfter, deposit.validBefore]
  if (start >= live.headTime)
    throw new InvalidSignatureError('The deposit is not valid yet. Sign one that is valid now.')
  if (end <= live.headTime + MARGIN) {
    throw new InvalidSignatureError('The deposit has ended, or ends too soon. Sign one that is valid for some minutes.')
  }
  if (deposit.by === 'eip3009' && deposit.nonce !== nonceFor(asked)) {
    throw new InvalidSignatureError(
      'The nonce of the deposit is not the one that binds it to this channel. Compute it from the terms of the channel.',
    )
  }
}

/** Who signed. A contract signs as its token asks it to, which only the simulation tells. @throws {InvalidSignatureError} */
export async function checkSigned({ chain }: Context, { signed, rail, ways, purpose, deposit }: Asked): Promise<void> {
  const message = signed.message(purpose, deposit, rail, ways.facts.domain)
  if (recoverAddress(hexToBytes(hashTypedData(message)), deposit.signature) === deposit.from) return
  if ((await chain.code(deposit.from)) === '0x') {
    throw new InvalidSignatureError(`The deposit is not signed by ${deposit.from}. Sign it with that key.`)
  }
}

/** Whether the account can pay. @throws {PaymentUnsupportedError} */
export async function checkFunds(receiver: Context, { rail, deposit }: Asked): Promise<void> {
  const { from, amount } = deposit
  const held = await uint(receiver, tokenCall(rail, 'balanceOf', [from]))
  if (held < amount) {
    const what = `a deposit of ${amount} base units from an account that holds ${held}`
    throw new PaymentUnsupportedError(what, 'Sign for what it holds.')
  }
  if (deposit.by !== 'permit2') return
  if ((await uint(receiver, tokenCall(rail, 'allowance', [from, PERMIT2]))) >= amount) return
  throw new PaymentUnsupportedError('a deposit that Permit2 may not move', `Approve ${PERMIT2} for the token first.`)
}

/**
 * Whether its nonce is used, as of `block`: the deposit was put in, or never can be, because its holder took the nonce
 * for something else. What a channel holds is read from the escrow, so neither is mistaken for the other.
 */
export async function isUsed({ chain }: Context, { rail, deposit }: Asked, block: bigint): Promise<boolean> {
  const { from, nonce } = deposit
  if (typeof nonce === 'bigint') {
    return isNonceUsed(await chain.call(nonceBitmap(PERMIT2, from, nonce), { block }), nonce)
  }
  return BigInt(await chain.call(authorizationState(rail.token, from, nonce), { block })) === 1n
}

function nonceFor({ signed, purpose, deposit }: Asked) {
  const salt = deposit.by === 'eip3009' ? deposit.salt : undefined
  return signed.nonce(purpose, deposit.from, deposit.amount, salt ?? `0x${'00'.repeat(32)}`)
}

function tokenCall({ token }: AnyRail, functionName: 'balanceOf' | 'allowance', args: readonly Address[]): Call {
  const [owner, spender] = args
  if (!owner) throw new RangeError('whose?')
  const data =
    functionName === 'allowance' && spender
      ? encodeFunctionData({ abi: erc20Abi, functionName, args: [owner, spender] })
      : encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [owner] })
  return { to: token, data }
}

async function uint({ chain }: Context, call: Call): Promise<bigint> {
  return BigInt(await chain.call(call))
}
