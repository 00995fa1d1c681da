/** What transactions cost, in wei and in base units of a token. */
import type { Context } from './context.ts'

/** How long a price of gas is taken for the current one. */
const FRESH_MS = 15_000

const COIN = 10n ** 18n

/** Wei that `gas` units cost in the next blocks, about. @throws {ChainUnavailableError} */
export async function feeOf({ chain, live }: Pick<Context, 'chain' | 'live'>, gas: bigint): Promise<bigint> {
  if (!live.gasPrice || Date.now() > live.gasPrice.atMs + FRESH_MS) {
    const { base, tip } = await chain.fees()
    live.gasPrice = { wei: base + tip, atMs: Date.now() }
  }
  return gas * live.gasPrice.wei
}

/** Base units that `wei` are worth, rounded up. `coinPrice`: base units for 10^18 wei. */
export function inToken(wei: bigint, coinPrice: bigint): bigint {
  return (wei * coinPrice + COIN - 1n) / COIN
}
