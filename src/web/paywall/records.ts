/**
 * What this browser remembers of a channel: the largest total that was signed.
 *
 * It is kept per chain, contract, receiver and account. Losing it costs nothing:
 * the channel is found on the chain, and the server shows the last total with
 * the account's own signature.
 */
import type { Hash } from 'viem'
import { MalformedPaymentError } from '../../base/errors.ts'
import * as read from '../../base/read.ts'
import { readSignature } from '../../dialect/rdn-fields.ts'
import type { Desk } from './escrow.ts'

export type Remembered = {
  readonly openBlock: bigint
  /** Base units. */
  readonly total: bigint
  /** Over `total`. Absent: nothing was signed, or the chain said so. */
  readonly signature?: `0x${string}`
  /** Nothing else was signed: this browser opened the channel, or has signed or was shown the total. */
  readonly complete: boolean
}

/** The name under which tabs see each other's records, and wait for each other. */
export function nameOf({ account, offer: { chainId, escrow, receiver } }: Desk): string {
  return `farthing:${chainId}:${escrow}:${receiver}:${account}`
}

export function getRemembered(desk: Desk): Remembered | undefined {
  return readable(nameOf(desk), (json) => {
    const record = read.jsonObject(json, 'record')
    const signature = read.optional(read.member(record, 'signature'), 'signature', readSignature)
    return {
      openBlock: read.uint(read.member(record, 'openBlock'), 'openBlock', 32),
      total: read.uint(read.member(record, 'total'), 'total', 192),
      ...(signature && { signature }),
      complete: read.member(record, 'complete') === true,
    }
  })
}

export function remember(desk: Desk, { openBlock, total, signature, complete }: Remembered): void {
  write(nameOf(desk), JSON.stringify({ openBlock: `${openBlock}`, total: `${total}`, signature, complete }))
}

export function forget(desk: Desk): void {
  write(nameOf(desk), undefined)
  write(`${nameOf(desk)}:opening`, undefined)
}

/** The transaction that opens a channel, until it is mined: a page that is loaded again must not open a second one. */
export function getOpening(desk: Desk): Hash | undefined {
  return readable(`${nameOf(desk)}:opening`, (hash) => read.hash(hash, 'opening'))
}

export function rememberOpening(desk: Desk, hash: Hash | undefined): void {
  write(`${nameOf(desk)}:opening`, hash)
}

/** What was signed for which address of this site, and how often the server was asked to take it. For this tab. */
export type Sent = {
  readonly url: string
  readonly price: bigint
  readonly tries: number
  readonly atMs: number
  /** Signed without knowing what was signed before, so perhaps less than what was paid long ago. */
  readonly blind: boolean
}

const SENT = 'farthing:sent'

export function getSent(): Sent | undefined {
  return readable(
    SENT,
    (json) => {
      const sent = read.jsonObject(json, 'sent')
      return {
        url: read.text(read.member(sent, 'url'), 'url'),
        price: read.uint(read.member(sent, 'price'), 'price', 192),
        tries: read.count(read.member(sent, 'tries'), 'tries'),
        atMs: read.count(read.member(sent, 'atMs'), 'atMs'),
        blind: read.member(sent, 'blind') === true,
      }
    },
    () => sessionStorage,
  )
}

export function rememberSent(sent: Sent | undefined): void {
  write(SENT, sent && JSON.stringify({ ...sent, price: `${sent.price}` }), () => sessionStorage)
}

/** Browsers may refuse to keep anything; then the chain and the server remember. */
function write(name: string, value: string | undefined, place: () => Storage = () => localStorage): void {
  try {
    if (value === undefined) place().removeItem(name)
    else place().setItem(name, value)
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
  }
}

function readable<value>(
  name: string,
  reading: (text: string) => value,
  place: () => Storage = () => localStorage,
): value | undefined {
  try {
    const text = place().getItem(name)
    return text === null ? undefined : reading(text)
  } catch (error) {
    if (error instanceof DOMException || error instanceof MalformedPaymentError) return undefined
    throw error
  }
}
