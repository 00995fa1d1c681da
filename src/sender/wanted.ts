/** A deposit that is wanted, and the calls that could make it. */
import { encodeFunctionData, erc20Abi, parseAbi, type Address, type Hash, type Hex } from 'viem'
import { CallRevertedError } from '../base/faults.ts'
import type { Mined } from '../chain/chain.ts'
import type { Offer, SignedDeposit } from '../channel/messages.ts'
import type { Call, Deployment, Purpose, TransferKind } from '../escrow/escrow.ts'
import type { AnyProtocol, Context } from './context.ts'

export type Deposit = {
  readonly escrow: AnyProtocol['escrow']
  readonly at: Deployment
  readonly token: Address
  readonly receiver: Address
  readonly purpose: Purpose<unknown>
  /** Base units; the account's whole balance if that is less, but not under `least`. */
  readonly amount: bigint
  readonly least: bigint
  /** Where the receiver can be asked to send what is signed. */
  readonly asking?: Asking
  /** What was signed for it before, and may still take effect. */
  readonly handed?: Handed
}

/** An offer, and a request that reaches who made it. */
export type Asking = {
  readonly offer: Offer
  readonly dialect: AnyProtocol['dialect']
  readonly url: URL
  readonly method: string
}

/** A deposit that somebody else may send, and a block before it can have been. */
export type Handed = { readonly signed: SignedDeposit; readonly block: bigint }

/** Of the channel that is opened or topped up. */
export function idOf({ purpose, escrow, at }: Deposit): Hash {
  return purpose.action === 'open' ? escrow.channelId(purpose.identity, at) : purpose.channel.id
}

/** By what is approved. */
export function callFor({ escrow, purpose, amount, at }: Deposit): Call {
  return purpose.action === 'open'
    ? escrow.calls.open(purpose.identity, amount, at)
    : escrow.calls.topUp(purpose.channel, amount)
}

/** The transaction that a signed deposit needs, whoever sends it. */
export function signedCall({ escrow, purpose, at }: Deposit, signed: SignedDeposit): Call | undefined {
  return escrow.signed?.call(purpose, signed, at)
}

/** A transfer of the deposit that tells the escrow what it is for. */
export function transferCall({ token, at }: Deposit, kind: TransferKind, amount: bigint, data: Hex): Call {
  const args = [at.address, amount, data] as const
  return { to: token, data: encodeFunctionData({ abi: transferAbi, functionName: kind, args }) }
}

/** The data of {@link transferCall}. */
export function transferData({ escrow, purpose }: Deposit): Hex {
  return purpose.action === 'open'
    ? escrow.calls.openByTransfer(purpose.identity)
    : escrow.calls.topUpByTransfer(purpose.channel)
}

/** What `call` answers if the account makes it; undefined: it reverts. */
export async function unlessReverted({ chain, address }: Context, call: Call): Promise<Hex | undefined> {
  try {
    return await chain.call(call, { from: address })
  } catch (error) {
    if (error instanceof CallRevertedError) return undefined
    throw error
  }
}

/** What `spender` may take of the account's tokens. */
export async function allowanceOf(
  { chain, address }: Context,
  { token }: Pick<Deposit, 'token'>,
  spender: Address,
): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'allowance', args: [address, spender] })
  return BigInt(await chain.call({ to: token, data }))
}

/** Sends a transaction of the account, and tells how it goes. */
export function send(
  { wallet, chain, onProgress }: Context,
  deposit: Deposit,
  call: Call,
  what: 'deposit' | 'approval',
): Promise<Mined> {
  const { escrow, purpose } = deposit
  let transaction = ''
  // A channel of new terms is opened once; so its transaction has a name.
  const isOpening = what === 'deposit' && purpose.action === 'open' && !escrow.signedBySender
  return wallet.send(call, {
    abi: escrow.abi,
    ...(isOpening && { intent: `open:${idOf(deposit)}` }),
    onSent: (hash) => {
      transaction = hash
      onProgress({ step: 'sent', transaction, what })
    },
    onProgress: (confirmations) =>
      onProgress({ step: 'confirming', transaction, confirmations, needed: chain.confirmations }),
  })
}

const transferAbi = parseAbi([
  'function transferAndCall(address to, uint256 value, bytes data) returns (bool)',
  'function transfer(address to, uint256 value, bytes data)',
])
