/** Getting the rest back: together with the receiver at once, or alone after the challenge period. */
import type { Hex } from 'viem'
import { MalformedPaymentError } from '../../base/errors.ts'
import * as read from '../../base/read.ts'
import { PROOF_HEADER, writeProof } from '../../dialect/rdn-closing.ts'
import { readSignature } from '../../dialect/rdn-fields.ts'
import { channelAt, closeCall, requestCloseCall, withdrawCall } from './escrow.ts'
import { removePayment } from './facts.ts'
import { owed, type ChannelAccount, type View } from './look.ts'
import { alone, type Notice } from './pay.ts'
import { forget } from './records.ts'
import { isConsent, signProof, signVoucher } from './sign.ts'
import { transact, type Say } from './transact.ts'
import { formatted } from './units.ts'

/** Where the person says what the server said, after it did not agree. */
export type Refused = (words: string) => Notice

/** Asks the receiver to agree, and sends both signatures to the chain. */
export function closeTogether(
  view: View,
  account: ChannelAccount,
  { gateway, refused }: { readonly gateway: string; readonly refused: Refused },
  say: Say,
): Promise<Notice> {
  return alone(view, async () => {
    const { desk } = view
    const { openBlock } = account.channel
    const first = await consentTo(view, account, { gateway, amount: owed(account) }, say)
    const fair = 'least' in first && first.least <= account.total && first.least !== owed(account)
    const answer = fair ? await consentTo(view, account, { gateway, amount: first.least }, say) : first
    if (!('consent' in answer)) return refused(answer.words)
    const { amount, consent } = answer
    const isSigned = amount === account.total && account.signature
    if (!isSigned) say('Sign the last total in your wallet.')
    const signature = isSigned || (await signVoucher(desk, openBlock, amount)).signature
    await transact(desk, [closeCall(desk, openBlock, amount, signature, consent)], say)
    return ended(view, account.channel.deposit - amount)
  })
}

/** Starts the challenge period and states what is owed; less would be answered by the receiver with the last signature. */
export function requestClose(view: View, account: ChannelAccount, say: Say): Promise<Notice> {
  return alone(view, async () => {
    const { desk } = view
    await transact(desk, [requestCloseCall(desk, account.channel.openBlock, owed(account))], say)
    removePayment()
    return { kind: 'good', words: 'The close is requested. The rest is yours after the challenge period.' }
  })
}

/** Takes the rest after the challenge period. */
export function withdraw(view: View, account: ChannelAccount, say: Say): Promise<Notice> {
  return alone(view, async () => {
    const { openBlock } = account.channel
    const isThere = await channelAt(view.desk, openBlock) // the seller may have ended it meanwhile
    if (isThere) await transact(view.desk, [withdrawCall(view.desk, openBlock)], say)
    forget(view.desk)
    removePayment()
    return { kind: 'good', words: 'The channel is closed. Its rest is in your account.' }
  })
}

type Answer =
  | { readonly amount: bigint; readonly consent: Hex }
  | { readonly words: string; readonly least: bigint }
  | { readonly words: string }

async function consentTo(
  { desk }: View,
  { channel: { openBlock } }: ChannelAccount,
  { gateway, amount }: { readonly gateway: string; readonly amount: bigint },
  say: Say,
): Promise<Answer> {
  say('Sign in your wallet that it is you who asks to close.')
  const proof = await signProof(desk, openBlock, amount)
  say('Asking the seller to agree.')
  const answer = await asked(`${gateway}/channels/${desk.account}/${openBlock}`, writeProof(proof), amount)
  if (answer === undefined) return { words: 'The server could not be reached.' }
  const { isOk, body } = answer
  try {
    const fields = read.jsonObject(body, 'answer')
    if (!isOk) return refusalIn(fields)
    const consent = readSignature(read.member(fields, 'close_signature'), 'close_signature')
    if (isConsent(desk, openBlock, amount, consent)) return { amount, consent }
    return { words: 'The signature in the answer is not that of the seller.' }
  } catch (error) {
    if (error instanceof MalformedPaymentError) return { words: 'The server gave no answer that can be read.' }
    throw error
  }
}

async function asked(url: string, proof: string, amount: bigint) {
  try {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', [PROOF_HEADER]: proof }
    const response = await fetch(url, { method: 'DELETE', headers, body: `balance=${amount}`, redirect: 'error' })
    return { isOk: response.ok, body: await response.text() }
  } catch (error) {
    if (error instanceof TypeError) return undefined // how fetch says that nothing came
    throw error
  }
}

function refusalIn(fields: read.JsonObject): Answer {
  const detail = read.member(fields, 'detail')
  const words = typeof detail === 'string' ? detail.slice(0, 300) : 'It gave no reason.'
  const least = read.member(fields, 'least')
  return least === undefined ? { words } : { words, least: read.uint(least, 'least', 192) }
}

function ended(view: View, rest: bigint): Notice {
  forget(view.desk)
  removePayment()
  return { kind: 'good', words: `The channel is closed. ${amountOf(view, rest)} went back to your account.` }
}

function amountOf({ token }: View, amount: bigint): string {
  return `${formatted(amount, token.decimals)} ${token.symbol}`
}
