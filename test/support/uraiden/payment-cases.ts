/**
 * Payments in the bytes of µRaiden 0.2, and what they are answered: by the
 * server of 2018, and by one that need not repeat its faults. Signatures are
 * those of test/vectors/uraiden-conversations.json.
 *
 * Each is made on a channel of 70 on which 7 were paid, for something that costs 7.
 */
import { concatHex, numberToHex, parseSignature, serializeSignature, slice, type Hex } from 'viem'

export const PRICE = 7n
export const DEPOSIT = 70n

export type Expected = {
  /** One of these. */
  readonly status: readonly number[]
  /** The headers with the value 1. Not looked at where there is more than one status. */
  readonly flags: readonly string[]
  /** Whether it tells the last balance and its signature. Unsaid: either. */
  readonly told?: boolean
}

export type PaymentCase = {
  readonly title: string
  readonly balance?: bigint
  readonly deposit?: bigint
  /** Headers in place of those of the payment. Undefined takes one away. */
  readonly change?: Readonly<Record<string, string | undefined>>
  readonly signature?: (signature: Hex) => Hex
  readonly original: Expected
  /** Where the original was wrong. */
  readonly ours?: Expected
}

const OK = { status: [200], flags: [] }
const REFUSED = { status: [402], flags: [], told: true }
const WRONG_AMOUNT = { status: [402], flags: ['RDN-Invalid-Amount'], told: true }
const UNKNOWN = { status: [402], flags: ['RDN-Nonexisting-Channel'], told: false }
const WRONG_SIGNER = { status: [402], flags: ['RDN-Invalid-Balance-Proof'], told: false }
const OFFER = { status: [402], flags: [], told: false }
const CRASH = { status: [500], flags: [], told: false }
const CONFLICT = { status: [409], flags: [], told: false }
const MALFORMED = { status: [400, 402], flags: [], told: false }
const MALFORMED_NUMBER = { status: [400, 402, 409], flags: [], told: false }

const ADDRESS = '0x00000000000000000000000000000000000c0de0'

export const paymentCases: readonly PaymentCase[] = [
  { title: 'the price', original: OK },
  { title: 'a base unit less than was paid before', balance: 6n, original: WRONG_AMOUNT },
  { title: 'a base unit too little', balance: 13n, original: WRONG_AMOUNT },
  { title: 'a base unit too much', balance: 15n, original: WRONG_AMOUNT, ours: OK },
  { title: 'two prices', balance: 21n, original: WRONG_AMOUNT, ours: OK },
  { title: 'nothing', balance: 0n, original: WRONG_AMOUNT },
  { title: 'what was paid before', balance: 7n, original: REFUSED },
  { title: 'more than the deposit', deposit: 13n, original: REFUSED, ours: { status: [402], flags: [] } },
  { title: 'the whole deposit', deposit: 14n, original: OK },
  { title: 'from another channel', change: { 'RDN-Open-Block': '1' }, original: UNKNOWN },
  { title: 'from another sender', change: { 'RDN-Sender-Address': ADDRESS }, original: UNKNOWN },
  { title: 'with a signature of another balance', change: { 'RDN-Balance': '13' }, original: WRONG_SIGNER },
  { title: 'with its last byte from 0', signature: withV((v) => v - 27), original: OK },
  {
    title: 'with its last byte from 35, as no contract takes it',
    signature: withV((v) => v + 8),
    original: OK,
    ours: { status: [400, 402], flags: [] },
  },
  {
    title: 'with a high s',
    signature: highS,
    original: OK,
    ours: { status: [400, 402], flags: [] },
  },
  { title: 'with a signature of nobody', signature: () => `0x${'ff'.repeat(64)}1b`, original: CRASH, ours: MALFORMED },
  { title: 'with a short signature', signature: (whole) => slice(whole, 0, 64), original: CRASH, ours: MALFORMED },
  { title: 'with words for a signature', signature: () => 'please' as Hex, original: CRASH, ours: MALFORMED },
  { title: 'without a signature', change: { 'RDN-Balance-Signature': undefined }, original: OFFER },
  { title: 'without a balance', change: { 'RDN-Balance': undefined }, original: CRASH, ours: MALFORMED },
  { title: 'without a sender', change: { 'RDN-Sender-Address': undefined }, original: CRASH, ours: MALFORMED },
  { title: 'without a block', change: { 'RDN-Open-Block': undefined }, original: CRASH, ours: MALFORMED },
  { title: 'with a balance in words', change: { 'RDN-Balance': 'seven' }, original: CONFLICT, ours: MALFORMED_NUMBER },
  { title: 'with a block in words', change: { 'RDN-Open-Block': 'now' }, original: CONFLICT, ours: MALFORMED_NUMBER },
  {
    title: 'with a short sender',
    change: { 'RDN-Sender-Address': '0x12' },
    original: CONFLICT,
    ours: MALFORMED_NUMBER,
  },
  {
    title: 'for a contract of no address',
    change: { 'RDN-Contract-Address': 'x' },
    original: CONFLICT,
    ours: MALFORMED_NUMBER,
  },
  {
    title: 'for another contract',
    change: { 'RDN-Contract-Address': ADDRESS },
    original: OK,
    ours: { status: [402], flags: [] },
  },
  { title: 'without a contract', change: { 'RDN-Contract-Address': undefined }, original: OK },
  { title: 'without a receiver', change: { 'RDN-Receiver-Address': undefined }, original: OK },
  {
    title: 'with RDN-Payment',
    change: { 'RDN-Payment': '7' },
    original: CONFLICT,
    ours: { status: [200, 400, 409], flags: [] },
  },
]

function withV(change: (v: number) => number): (signature: Hex) => Hex {
  return (signature) =>
    concatHex([slice(signature, 0, 64), numberToHex(change(Number(slice(signature, 64))), { size: 1 })])
}

/** Who signed it is the same. */
function highS(signature: Hex): Hex {
  const { r, s, yParity } = parseSignature(signature)
  return serializeSignature({ r, s: numberToHex(ORDER - BigInt(s), { size: 32 }), yParity: 1 - yParity })
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
