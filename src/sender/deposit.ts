/**
 * Moves tokens into the escrow, in as few transactions as the token allows: one
 * transfer that carries the data (ERC-1363, ERC-677, ERC-223), else approve and call.
 */
import { encodeFunctionData, erc20Abi, parseAbi, toFunctionSelector, type Abi, type Address, type Hex } from 'viem'
import { CallRevertedError, ConfigError } from '../base/faults.ts'
import { NoTokensError } from '../base/spending.ts'
import type { Mined } from '../chain/chain.ts'
import type { Call, TransferKind } from '../escrow/escrow.ts'
import type { Context } from './context.ts'

export type Deposit = {
  readonly token: Address
  readonly escrow: Address
  readonly abi: Abi
  /** Base units; the account's whole balance if that is less, but not under `least`. */
  readonly amount: bigint
  readonly least: bigint
  readonly transferData: Hex
  /** The transfers with data that the escrow hears of. */
  readonly transfers: readonly TransferKind[]
  readonly call: (amount: bigint) => Call
}

const transferAbi = parseAbi([
  'function transferAndCall(address to, uint256 value, bytes data) returns (bool)',
  'function transfer(address to, uint256 value, bytes data)',
])
const kinds = {
  transferAndCall: toFunctionSelector('transferAndCall(address,uint256,bytes)'),
  transfer: toFunctionSelector('transfer(address,uint256,bytes)'),
}

/** Waits until the deposit is in. @throws {NoTokensError} | {@link NoGasError} before anything is signed */
export async function putIn(context: Context, deposit: Deposit): Promise<Mined> {
  const { token, least } = deposit
  const balance = await balanceOf(context, token)
  if (balance < least) throw new NoTokensError(context.address, token, balance, least)
  const amount = balance < deposit.amount ? balance : deposit.amount
  const kind = await transferKind(context, deposit)
  if (kind !== 'approve') {
    try {
      return await send(context, transferCall(deposit, kind, amount), deposit, 'deposit')
    } catch (error) {
      if (!(error instanceof CallRevertedError)) throw error
      context.live.transferKinds.set(pairOf(deposit), 'approve') // nothing was sent; the plain way may still work
    }
  }
  await approve(context, deposit, amount)
  return send(context, deposit.call(amount), deposit, 'deposit')
}

/** Base units of a token that the account holds. @throws {ConfigError} if there is no token at that address */
export async function balanceOf({ chain, address }: Context, token: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [address] })
  const answer = await chain.call({ to: token, data })
  // What an address without code answers to everything.
  if (answer === '0x') throw new ConfigError('token', `${token} is no token on this chain. Name the address of one`)
  return BigInt(answer)
}

/**
 * What the token's code can do. A token that merely swallows unknown calls has no such selector in its code;
 * one behind a proxy is paid the plain way.
 */
async function transferKind({ chain, live }: Context, deposit: Deposit): Promise<TransferKind | 'approve'> {
  const known = live.transferKinds.get(pairOf(deposit))
  if (known) return known
  const code = await chain.code(deposit.token)
  const kind = deposit.transfers.find((transfer) => code.includes(kinds[transfer].slice(2))) ?? 'approve'
  live.transferKinds.set(pairOf(deposit), kind)
  return kind
}

function pairOf({ token, escrow }: Deposit): string {
  return `${token}:${escrow}`
}

function transferCall({ token, escrow, transferData }: Deposit, kind: TransferKind, amount: bigint): Call {
  const args = [escrow, amount, transferData] as const
  return { to: token, data: encodeFunctionData({ abi: transferAbi, functionName: kind, args }) }
}

/** Some tokens refuse to change an allowance that is not zero. */
async function approve(context: Context, deposit: Deposit, amount: bigint): Promise<void> {
  const { token, escrow } = deposit
  const args = [context.address, escrow] as const
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'allowance', args })
  const allowance = BigInt(await context.chain.call({ to: token, data }))
  if (allowance >= amount) return
  for (const value of allowance > 0n ? [0n, amount] : [amount]) {
    const approval = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [escrow, value] })
    await send(context, { to: token, data: approval }, deposit, 'approval')
  }
}

function send({ wallet, chain, onProgress }: Context, call: Call, { abi }: Deposit, what: string): Promise<Mined> {
  let transaction = ''
  return wallet.send(call, {
    abi,
    onSent: (hash) => {
      transaction = hash
      onProgress({ step: 'sent', transaction, what })
    },
    onProgress: (confirmations) =>
      onProgress({ step: 'confirming', transaction, confirmations, needed: chain.confirmations }),
  })
}
