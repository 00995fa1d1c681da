/**
 * µRaiden's HTTP protocol of 2018: `RDN-*` headers, and cookies of the same names.
 *
 * Its "balance" is our cumulative amount. Its servers took a rise by exactly
 * the price and nothing else; ours keeps what is more as credit, and says so
 * with `RDN-Due: credit`, which clients of 2018 pass over. `RDN-Credit` says how
 * much it is. There is no chain id and no expiry on this wire, and a deposit is
 * seen on the chain.
 *
 * @see docs/explanation/differences-from-uraiden.md
 */
import { getAddress, type Address } from 'viem'
import { ConfigError } from '../base/faults.ts'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import { remembered } from '../base/remembered.ts'
import { creditDue } from '../channel/ledger.ts'
import type { Offer, Payment, Receipt } from '../channel/messages.ts'
import type { RaidenTerms } from '../escrow/raiden-state.ts'
import { commonRefusals, ours, type Dialect, type HeaderLines, type KnownReceipt } from './dialect.ts'
import { closing } from './rdn-closing.ts'
import { cookiesIn, readSignature } from './rdn-fields.ts'
import { readRefusal, writeRefusal } from './rdn-refusal.ts'

type RdnOptions = {
  /** Where the REST interface is, if there is one. Default: `/api/1`. */
  readonly gatewayPath?: string
}

/** How many addresses are kept with their checksum, which costs a hash: more than take part at once. */
const ADDRESSES = 20_000

const refusals = {
  ...commonRefusals,
  'payment-required': ours(402, 'payment-required'),
  'malformed-payment': ours(400, 'malformed-payment'),
  'payment-unsupported': ours(400, 'payment-unsupported'),
  'offer-not-found': ours(402, 'offer-not-found'),
  // Clients of 2018 look at the headers of a 402 only.
  'channel-not-found': ours(402, 'channel-not-found'),
  'channel-pending': ours(402, 'channel-pending'),
  'channel-not-open': ours(402, 'channel-not-open'),
  'wrong-channel': ours(402, 'wrong-channel'),
  'invalid-signature': ours(402, 'invalid-signature'),
  'deposit-exceeded': ours(402, 'deposit-exceeded'),
  underpaid: ours(402, 'underpaid'),
  overpaid: ours(402, 'overpaid'),
  'transaction-reverted': ours(409, 'transaction-reverted'),
}

/** @throws {ConfigError} for a gateway path that is not one */
export function rdn({ gatewayPath = '/api/1' }: RdnOptions = {}): Dialect<RaidenTerms> {
  if (!isPath(gatewayPath))
    throw new ConfigError('gatewayPath', 'use a path such as /api/1, without a slash at its end')
  const checksummed = remembered(ADDRESSES, (address: Address) => getAddress(address))
  const placeLines = ({ receiver, escrow, token }: Pick<Offer, 'receiver' | 'escrow' | 'token'>): HeaderLines => [
    ['RDN-Gateway-Path', gatewayPath],
    ['RDN-Receiver-Address', checksummed(receiver)],
    ['RDN-Contract-Address', checksummed(escrow)],
    ['RDN-Token-Address', checksummed(token)],
  ]
  return {
    name: 'rdn',
    due: creditDue,
    refusals,
    requestHeaders: [
      'RDN-Balance-Signature',
      'RDN-Balance',
      'RDN-Sender-Address',
      'RDN-Open-Block',
      'RDN-Contract-Address',
      'RDN-Receiver-Address',
      'Cookie',
    ],
    carriesFunding: false,
    usesCookies: true,
    closing,
    speaks: (headers) => givenIn(headers)('RDN-Balance-Signature') !== undefined,
    updatesOnly: () => false,
    writeOffer: (offer) => [...placeLines(offer), ['RDN-Price', `${offer.price}`], ['RDN-Due', 'credit']],
    writeRefusal,
    readOffers,
    readRefusal,
    writePayment,
    readPayment,
    writeReceipt: (receipt) => [...placeLines(receipt), ...receiptLines(receipt, checksummed(receipt.sender))],
    readReceipt,
  }
}

function receiptLines({ price, authorized, charged }: Receipt, sender: Address): HeaderLines {
  return [
    ['RDN-Price', `${price}`],
    ['RDN-Cost', `${price}`],
    ['RDN-Sender-Address', sender],
    ['RDN-Sender-Balance', `${authorized}`],
    ['RDN-Credit', `${authorized - charged}`],
  ]
}

/** A cookie counts more than the header of the same name: so a page that reloads pays with what it has just signed. */
function givenIn(headers: read.HeaderReader): (name: string, cookie?: string) => string | undefined {
  const cookies = cookiesIn(headers.get('cookie'))
  return (name, cookie = name) => cookies.get(cookie) || headers.get(name) || undefined
}

/** `RDN-Price` and `RDN-Payment` of a request meant nothing, and mean nothing here. */
function readPayment(headers: read.HeaderReader): Payment<RaidenTerms> {
  const field = givenIn(headers)
  const escrow = read.optional(field('RDN-Contract-Address'), 'RDN-Contract-Address', read.address)
  const receiver = read.optional(field('RDN-Receiver-Address'), 'RDN-Receiver-Address', read.address)
  const openBlock = read.uint(field('RDN-Open-Block'), 'RDN-Open-Block', 32)
  return {
    sender: read.address(field('RDN-Sender-Address'), 'RDN-Sender-Address'),
    terms: { openBlock: Number(openBlock) },
    ...(escrow && { escrow }),
    ...(receiver && { receiver }),
    voucher: {
      cumulativeAmount: read.uint(field('RDN-Balance', 'RDN-Sender-Balance'), 'RDN-Balance', 192),
      signature: readSignature(field('RDN-Balance-Signature'), 'RDN-Balance-Signature'),
    },
  }
}

function writePayment(offer: Offer, { sender, terms, voucher }: Payment<RaidenTerms>): HeaderLines {
  const place = [['RDN-Contract-Address', getAddress(offer.escrow)]] as const
  if (!sender || !voucher || terms?.openBlock === undefined) return place
  return [
    ...place,
    ['RDN-Receiver-Address', getAddress(offer.receiver)],
    ['RDN-Sender-Address', getAddress(sender)],
    ['RDN-Open-Block', `${terms.openBlock}`],
    ['RDN-Balance', `${voucher.cumulativeAmount}`],
    ['RDN-Balance-Signature', voucher.signature],
  ]
}

/** One offer at most. What names no price, or a price of nothing, is none. */
function readOffers(headers: read.HeaderReader, chainId: number): Offer[] {
  return readable(() => {
    const field = <value>(name: string, reader: (value: unknown, field: string) => value) =>
      reader(headers.get(name) ?? undefined, name)
    const gatewayPath = headers.get('RDN-Gateway-Path') ?? '/api/1'
    const offer: Offer = {
      price: field('RDN-Price', read.uint),
      token: field('RDN-Token-Address', read.address),
      receiver: field('RDN-Receiver-Address', read.address),
      chainId,
      escrow: field('RDN-Contract-Address', read.address),
      ...(headers.get('RDN-Due') !== 'credit' && { exact: true }),
      echo: { gatewayPath: isPath(gatewayPath) ? gatewayPath : '/api/1' },
    }
    return offer.price > 0n ? [offer] : []
  }, [])
}

/** What a stranger's server says of the ledger; the sender decides what of it to believe. */
function readReceipt(headers: read.HeaderReader): KnownReceipt | undefined {
  return readable(() => {
    const amount = (name: string) =>
      read.optional(headers.get(name) ?? undefined, name, (value) => read.uint(value, name, 192))
    const price = amount('RDN-Cost')
    const authorized = amount('RDN-Sender-Balance')
    const credit = amount('RDN-Credit')
    return {
      ...(price !== undefined && { price }),
      ...(authorized !== undefined && { authorized }),
      ...(authorized !== undefined && credit !== undefined && credit <= authorized && { charged: authorized - credit }),
    }
  }, undefined)
}

function readable<value>(reading: () => value, otherwise: value): value {
  try {
    return reading()
  } catch (error) {
    if (error instanceof MalformedPaymentError) return otherwise
    throw error
  }
}

/** A path on the same server, and nothing that could name another one. */
function isPath(path: string): boolean {
  return /^(\/[\w.~-]+)+$/.test(path) && !path.includes('/..')
}
