/** What keeps a transaction from being sent. */

/** The chain is dearer than the operator allows. */
export class FeeTooHighError extends Error {
  override readonly name = 'FeeTooHighError'
  constructor(base: bigint, most: bigint) {
    super(
      `Gas costs at least ${base} wei and maxFeePerGas is ${most}. Wait until it is cheaper, or raise maxFeePerGas; nothing was sent.`,
    )
  }
}

/** No node takes the transaction, for a reason of its own. */
export class TransactionRefusedError extends Error {
  override readonly name = 'TransactionRefusedError'
  constructor(reason: string) {
    super(`The node does not take the transaction: ${reason}. Nothing was sent.`)
  }
}
