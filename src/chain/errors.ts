/** What keeps a transaction from being sent, or from being mined. */
import type { Address, Hash } from 'viem'

/** The chain is dearer than the operator allows. Both figures are wei per unit of gas. */
export class FeeTooHighError extends Error {
  override readonly name = 'FeeTooHighError'
  readonly base: bigint
  readonly most: bigint
  constructor(base: bigint, most: bigint, setting: string) {
    super(
      `Gas costs at least ${base} wei and ${setting} is ${most}. Wait until it is cheaper, or raise ${setting}; nothing was sent.`,
    )
    this.base = base
    this.most = most
  }
}

/** No node takes the transaction, for a reason of its own. */
export class TransactionRefusedError extends Error {
  override readonly name = 'TransactionRefusedError'
  constructor(reason: string) {
    super(`The node does not take the transaction: ${reason}. Nothing was sent.`)
  }
}

/** Another transaction of the same key has the nonce for good, so ours changed nothing and never will. */
export class KeyUsedElsewhereError extends Error {
  override readonly name = 'KeyUsedElsewhereError'
  constructor(address: Address, nonce: number, { ours, theirs }: { readonly ours: Hash; readonly theirs: Hash }) {
    super(
      `Transaction ${ours} cannot be mined any more and changed nothing: transaction ${theirs}, which this wallet did not send, took nonce ${nonce} of ${address}. Let only one wallet use the key, then send it again.`,
    )
  }
}
