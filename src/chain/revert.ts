/** Why a call reverts, in a word that a person can look up. */
import { decodeErrorResult, parseAbi, type Abi } from 'viem'
import { revertData, type RefusedError } from './failure.ts'

/**
 * The name of a custom error that `abi` or ERC-6093 knows, the text of a
 * `require`, else the raw data, else what the node said.
 */
export function revertReason(refused: RefusedError, abi: Abi = []): string {
  const data = revertData(refused.data)
  if (data === undefined || data === '0x') return refused.message
  const known = decode(data, [...abi, ...TOKEN_ERRORS])
  if (!known) return data
  const [detail] = known.args ?? []
  if (known.errorName === 'Error' && typeof detail === 'string') return detail
  return known.errorName === 'Panic' ? `Panic(${String(detail)})` : known.errorName
}

/** @see ERC-6093 */
const TOKEN_ERRORS = parseAbi([
  'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
  'error ERC20InvalidSender(address sender)',
  'error ERC20InvalidReceiver(address receiver)',
  'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  'error ERC20InvalidApprover(address approver)',
  'error ERC20InvalidSpender(address spender)',
])

type Decoded = { readonly errorName: string; readonly args?: readonly unknown[] | undefined }

function decode(data: `0x${string}`, abi: Abi): Decoded | undefined {
  try {
    return decodeErrorResult({ abi, data })
  } catch {
    return undefined
  }
}
