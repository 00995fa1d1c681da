/**
 * What this page is about: the offer, which the page itself carries, and what
 * the server said of the last payment, which it says in cookies.
 *
 * Cookies are shared between ports and pages of a host, so nothing in them is
 * believed that could cost money: a total counts only with a signature of the
 * account over it.
 */
import type { Address } from 'viem'
import { MalformedPaymentError, type Code } from '../../base/errors.ts'
import * as read from '../../base/read.ts'
import type { Voucher } from '../../channel/channel.ts'
import { cookiesIn, readSignature } from '../../dialect/rdn-fields.ts'
import { readRefusal } from '../../dialect/rdn-refusal.ts'

/** Base units. */
export type Offer = {
  readonly price: bigint
  readonly token: Address
  readonly receiver: Address
  readonly escrow: Address
  readonly chainId: number
}

export type Told = {
  readonly gateway: string
  /** Why the last payment was not taken. undefined: there was none, or it bought something already. */
  readonly refusal: Code | undefined
  /** Not verified. */
  readonly voucher: Voucher | undefined
  /** What the server holds and has not charged. Believing it can only make the next payment smaller. */
  readonly credit: bigint
}

/** @throws {MalformedPaymentError} */
export function readOffer(json: string): Offer {
  const offer = read.jsonObject(json, 'offer')
  return {
    price: read.uint(read.member(offer, 'price'), 'price', 192),
    token: read.address(read.member(offer, 'token'), 'token'),
    receiver: read.address(read.member(offer, 'receiver'), 'receiver'),
    escrow: read.address(read.member(offer, 'escrow'), 'escrow'),
    chainId: read.count(read.member(offer, 'chainId'), 'chainId'),
  }
}

const PAYMENT = ['RDN-Sender-Address', 'RDN-Open-Block', 'RDN-Sender-Balance', 'RDN-Balance-Signature']

/** Reads what is said once, and takes it out of the cookies: the next page is not about it. */
export function takeTold(): Told {
  const cookies = cookiesIn(document.cookie)
  const path = cookies.get('RDN-Gateway-Path') ?? ''
  const told: Told = {
    gateway: /^(\/[\w.~-]+)+$/.test(path) && !path.includes('/.') ? path : '/api/1',
    refusal: readRefusal(cookies)?.code,
    voucher: readable(() => ({
      cumulativeAmount: read.uint(cookies.get('RDN-Sender-Balance'), 'RDN-Sender-Balance', 192),
      signature: readSignature(cookies.get('RDN-Balance-Signature'), 'RDN-Balance-Signature'),
    })),
    credit: readable(() => read.uint(cookies.get('RDN-Credit'), 'RDN-Credit', 192)) ?? 0n,
  }
  remove([...cookies.keys()].filter((name) => /^RDN-(Nonexisting|Insufficient|Invalid|Credit)/.test(name)))
  return told
}

/** The next request pays with this. It stays until the browser is closed, so that the server can say where the channel stands. */
export function setPayment(sender: Address, openBlock: bigint, { cumulativeAmount, signature }: Voucher): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  const values = [sender, `${openBlock}`, `${cumulativeAmount}`, signature]
  for (const [index, name] of PAYMENT.entries()) {
    document.cookie = `${name}=${values[index] ?? ''}; Path=/; SameSite=Lax${secure}`
  }
}

export function removePayment(): void {
  remove(PAYMENT)
}

function remove(names: readonly string[]): void {
  for (const name of names) document.cookie = `${name}=; Path=/; Max-Age=0`
}

function readable<value>(reading: () => value): value | undefined {
  try {
    return reading()
  } catch (error) {
    if (error instanceof MalformedPaymentError) return undefined
    throw error
  }
}
