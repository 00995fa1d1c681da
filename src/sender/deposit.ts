/**
 * Moves tokens into the escrow, by the first of these ways that the token and the escrow offer:
 *
 *   a transfer that carries the data    ERC-1363, ERC-677, ERC-223     one transaction
 *   a transfer that is signed           ERC-3009, Permit2              a signature, if the receiver sends it
 *   a transfer that is signed           ERC-3009                       a signature, one transaction
 *   an approval that is there already                                  one transaction
 *   a transfer that is signed           Permit2                        a signature, one transaction
 *   an approval that is signed          ERC-2612                       a signature, one transaction
 *   an approval                                                        two transactions
 *
 * A way that fails before anything was sent is followed by the next. What was sent never is: it may still take effect.
 */
import { encodeFunctionData, erc20Abi, type Address } from 'viem'
import { CallRevertedError, ConfigError, NoGasError } from '../base/faults.ts'
import { NoAcceptableOfferError, NoTokensError } from '../base/spending.ts'
import type { Mined } from '../chain/chain.ts'
import type { Call } from '../escrow/escrow.ts'
import { abilitiesOf, lose } from './abilities.ts'
import type { Abilities, Ability, Context } from './context.ts'
import { authorize, permit, permit2 } from './deposit-signed.ts'
import { relayed } from './relayed.ts'
import { allowanceOf, callFor, send, transferCall, transferData, type Deposit } from './wanted.ts'

/** One way to put in a deposit, and what it needs the token for. undefined: it is none for this token. */
type Way = {
  readonly needs?: Ability
  readonly by: (context: Context, deposit: Deposit, abilities: Abilities) => Promise<Mined | undefined>
}

/** Waits until the deposit is in. @throws {NoTokensError} | {@link NoGasError} before anything is sent */
export async function putIn(context: Context, wish: Deposit): Promise<Mined> {
  const deposit = wish.handed ? wish : await affordable(context, wish)
  const abilities = await abilitiesOf(context, deposit)
  for (const { needs, by } of waysFor(deposit)) {
    try {
      const mined = await by(context, deposit, abilities)
      if (mined) return mined
    } catch (error) {
      if (!isUnsent(error) || by === relayed) throw error
      if (needs && error instanceof CallRevertedError) await lose(context, deposit, needs)
    }
  }
  if (!takesTransactions(deposit)) throw new NoAcceptableOfferError([SIGNED_ONLY])
  await approve(context, deposit)
  return send(context, deposit, callFor(deposit), 'deposit')
}

const SIGNED_ONLY = 'It takes deposits by signature alone, and this token or this receiver does not take one now.'

function takesTransactions({ asking }: Deposit): boolean {
  return asking?.offer.funding?.includes('transaction') ?? true
}

/** Of as much as the account holds. */
async function affordable(context: Context, wish: Deposit): Promise<Deposit> {
  const { token, least } = wish
  const balance = await balanceOf(context, token)
  if (balance < least) throw new NoTokensError(context.address, token, balance, least)
  return { ...wish, amount: balance < wish.amount ? balance : wish.amount }
}

/** Base units of a token that the account holds. @throws {ConfigError} if there is no token at that address */
export async function balanceOf({ chain, address }: Context, token: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [address] })
  const answer = await chain.call({ to: token, data })
  // What an address without code answers to everything.
  if (answer === '0x') throw new ConfigError('token', `${token} is no token on this chain. Name the address of one`)
  return BigInt(answer)
}

/** A receiver that takes signed deposits alone is not sent another one; what is under way comes before all else. */
function waysFor(deposit: Deposit): readonly Way[] {
  const byReceiver: Way = { by: relayed }
  if (!takesTransactions(deposit)) return [byReceiver]
  const [first, ...rest] = ways
  return deposit.handed || !first ? [byReceiver, ...ways] : [first, byReceiver, ...rest]
}

const ways: readonly Way[] = [
  { needs: 'transfer', by: byTransfer },
  { needs: 'authorizes', by: (...of) => byCall(...of, authorize) },
  { by: byAllowance },
  { needs: 'permit2', by: (...of) => byCall(...of, permit2) },
  { needs: 'permits', by: (...of) => byCall(...of, permit) },
]

/** Whether a failure leaves everything as it was. */
function isUnsent(error: unknown): boolean {
  return error instanceof CallRevertedError || error instanceof NoGasError
}

function byTransfer(context: Context, deposit: Deposit, { transfer }: Abilities): ReturnType<Way['by']> {
  if (!transfer) return Promise.resolve(undefined)
  const call = transferCall(deposit, transfer, deposit.amount, transferData(deposit))
  return send(context, deposit, call, 'deposit')
}

async function byAllowance(context: Context, deposit: Deposit): ReturnType<Way['by']> {
  const allowance = await allowanceOf(context, deposit, deposit.at.address)
  return allowance >= deposit.amount ? send(context, deposit, callFor(deposit), 'deposit') : undefined
}

async function byCall(
  context: Context,
  deposit: Deposit,
  abilities: Abilities,
  signed: (...of: Parameters<Way['by']>) => Promise<Call | undefined>,
): ReturnType<Way['by']> {
  const call = await signed(context, deposit, abilities)
  return call && send(context, deposit, call, 'deposit')
}

/** Some tokens refuse to change an allowance that is not zero. */
async function approve(context: Context, deposit: Deposit): Promise<void> {
  const { token, at, amount } = deposit
  const allowance = await allowanceOf(context, deposit, at.address)
  if (allowance >= amount) return
  for (const value of allowance > 0n ? [0n, amount] : [amount]) {
    const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [at.address, value] })
    await send(context, deposit, { to: token, data }, 'approval')
  }
}
