/**
 * Why a µRaiden server did not take a payment: flags among the headers of its
 * 402, and what it holds of the channel, which only its signer is told.
 */
import { getAddress, isAddress } from 'viem'
import type { Code } from '../base/errors.ts'
import type { HeaderReader } from '../base/read.ts'
import type { HeaderLines, Refused } from './dialect.ts'

/** In the order in which clients look at them. */
const flags: readonly (readonly [flag: string, meaning: Code, alsoSays?: Code])[] = [
  ['RDN-Nonexisting-Channel', 'channel-not-found', 'channel-not-open'],
  ['RDN-Insufficient-Confirmations', 'channel-pending'],
  ['RDN-Invalid-Balance-Proof', 'invalid-signature'],
]

/** A voucher that is there already, or is not covered by the deposit, has no flag: it asks for one more payment. */
export function writeRefusal({ code, details }: Refused): HeaderLines {
  const flag = flags.find(([, meaning, alsoSays]) => code === meaning || code === alsoSays)
  if (flag) return [[flag[0], '1']]
  const { sender, authorized, charged, signature, got } = details
  if (sender === undefined || authorized === undefined || charged === undefined) return []
  const wrongAmount = code === 'underpaid' && got !== authorized
  return [
    ['RDN-Sender-Address', isAddress(sender) ? getAddress(sender) : sender],
    ['RDN-Sender-Balance', authorized],
    ...(signature === undefined ? [] : [['RDN-Balance-Signature', signature] as const]),
    ...creditLine(authorized, charged),
    ...(wrongAmount ? [['RDN-Invalid-Amount', '1'] as const] : []),
  ]
}

/** Amounts that are named without a flag may mean a deposit that is not confirmed there: the sender finds out. */
export function readRefusal(headers: HeaderReader): Refused | undefined {
  const flag = flags.find(([name]) => headers.get(name) === '1')
  if (flag) return { code: flag[1], details: {} }
  const authorized = headers.get('RDN-Sender-Balance')
  const wrongAmount = headers.get('RDN-Invalid-Amount') === '1'
  if (!wrongAmount && !authorized) return undefined
  const signature = headers.get('RDN-Balance-Signature')
  const details = {
    ...(authorized && { authorized, ...chargedOf(authorized, headers.get('RDN-Credit')) }),
    ...(signature && { signature }),
  }
  return { code: wrongAmount ? 'underpaid' : 'deposit-exceeded', details }
}

/** Servers of 2018 know no credit: there, all that was authorized was charged. */
function chargedOf(authorized: string, credit: string | null | undefined) {
  if (!isAmount(authorized) || !isAmount(credit ?? '0')) return {}
  const charged = BigInt(authorized) - BigInt(credit ?? '0')
  return charged < 0n ? {} : { charged: `${charged}` }
}

function creditLine(authorized: string, charged: string): HeaderLines {
  return isAmount(authorized) && isAmount(charged) ? [['RDN-Credit', `${BigInt(authorized) - BigInt(charged)}`]] : []
}

function isAmount(digits: string): boolean {
  return /^(0|[1-9][0-9]{0,57})$/.test(digits)
}
