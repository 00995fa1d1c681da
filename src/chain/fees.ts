/** What a transaction offers for its gas. All amounts are wei per unit of gas. @see EIP-1559 */
import { FeeTooHighError } from './errors.ts'
import type { Fees } from './chain.ts'

export type GasPrice = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/**
 * Enough for the base fee to double, and at most `cap`, which `setting` is the name of.
 *
 * @throws {FeeTooHighError} if not even the next block would take it
 */
export function priced({ base, tip }: Fees, cap: bigint, setting = 'maxFeePerGas'): GasPrice {
  if (base > cap) throw new FeeTooHighError(base, cap, setting)
  return capped({ maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip }, cap)
}

/**
 * What a replacement at `price` has to pay: an eighth more than before, and what a new transaction would.
 *
 * Nodes ask for a tenth more of both. undefined: `cap` does not leave room for it.
 */
export function raised(price: GasPrice, { base, tip }: Fees, cap: bigint): GasPrice | undefined {
  const next = {
    maxFeePerGas: larger(anEighthMore(price.maxFeePerGas), 2n * base + tip),
    maxPriorityFeePerGas: larger(anEighthMore(price.maxPriorityFeePerGas), tip),
  }
  if (anEighthMore(price.maxFeePerGas) > cap || next.maxPriorityFeePerGas > cap) return undefined
  return capped(next, cap)
}

export function doubled({ maxFeePerGas, maxPriorityFeePerGas }: GasPrice): GasPrice {
  return { maxFeePerGas: 2n * maxFeePerGas, maxPriorityFeePerGas: 2n * maxPriorityFeePerGas }
}

function capped({ maxFeePerGas, maxPriorityFeePerGas }: GasPrice, cap: bigint): GasPrice {
  const most = smaller(maxFeePerGas, cap)
  return { maxFeePerGas: most, maxPriorityFeePerGas: smaller(maxPriorityFeePerGas, most) }
}

function anEighthMore(amount: bigint): bigint {
  return amount + amount / 8n + 1n
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
