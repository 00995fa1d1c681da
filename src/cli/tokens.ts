/** Amounts as people read them. What a token says of itself is decoration: nothing is decided by it. */
import { decodeAbiParameters, erc20Abi, encodeFunctionData, formatUnits, type Address } from 'viem'
import type { Chain } from '../chain/chain.ts'
import { printable } from './print.ts'

export type TokenInfo = { readonly symbol: string; readonly decimals: number }

/** undefined: it does not say, or not in the usual way. */
export async function readToken(chain: Chain, token: Address): Promise<TokenInfo | undefined> {
  const ask = (functionName: 'symbol' | 'decimals') =>
    chain.call({ to: token, data: encodeFunctionData({ abi: erc20Abi, functionName }) })
  try {
    const [symbol] = decodeAbiParameters([{ type: 'string' }], await ask('symbol'))
    const [decimals] = decodeAbiParameters([{ type: 'uint8' }], await ask('decimals'))
    return { symbol: printable(symbol).slice(0, 16), decimals }
  } catch {
    return undefined
  }
}

/** `5 base units (0.000005 USDC)` */
export function amountText(amount: bigint, token: TokenInfo | undefined): string {
  const units = `${amount} base unit${amount === 1n ? '' : 's'}`
  return token ? `${units} (${formatUnits(amount, token.decimals)} ${token.symbol})` : units
}

/** Base units that an account holds. */
export async function holdingOf(chain: Chain, token: Address, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [account] })
  return BigInt(await chain.call({ to: token, data }))
}
