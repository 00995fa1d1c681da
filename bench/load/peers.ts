/** Buyers of the peers' protocols, written from the answers of their servers: their packages are not needed here. */
import type { Address, Hash } from 'viem'
import { hexToBytes } from '../../src/base/encode.ts'
import { addressOfKey, sign } from '../../src/base/secp256k1.ts'
import { concat, domainSeparator, typedDigest, typeHash, word } from '../../src/escrow/eip712.ts'
import { PAID } from '../servers/listeners.ts'
import { keyNumber } from '../world.ts'
import { requestOf, type Buyer } from './buyer.ts'

export type PeerName = 'x402' | 'mppx'

/** What a peer's server says about its channels. */
export type PeerFacts = {
  readonly port: number
  readonly domain: {
    readonly name: string
    readonly version: string
    readonly chainId: number
    readonly address: Address
  }
  readonly voucherType: string
  readonly buyers: readonly { readonly channelId: Hash; readonly terms: object }[]
}

type Voucher = { readonly channelId: Hash; readonly terms: object; readonly amount: string; readonly signature: string }
type Write = (voucher: Voucher, index: number) => readonly [name: string, value: string]

/** Asks the server for its offer once; as long as that holds, it is all that a buyer needs. */
export async function peerBuyer(name: PeerName, facts: PeerFacts): Promise<Buyer> {
  const refusal = await fetch(`http://127.0.0.1:${facts.port}${PAID}`)
  if (refusal.status !== 402) throw new Error(`${name} answered ${refusal.status} before anything was paid`)
  const write = name === 'x402' ? x402Header(refusal.headers) : mppxHeader(refusal.headers, facts)
  const { name: domainName, version, chainId, address } = facts.domain
  const domain = domainSeparator(domainName, version, { chainId, address })
  const type = typeHash(facts.voucherType)
  return (index, cumulativeAmount) => {
    const buyer = facts.buyers[index]
    if (!buyer) throw new RangeError(`${name} has no channel number ${index}`)
    const digest = typedDigest(domain, concat(type, hexToBytes(buyer.channelId), word(cumulativeAmount)))
    const signature = sign(digest, keyNumber(index))
    return requestOf(PAID, [write({ ...buyer, amount: `${cumulativeAmount}`, signature }, index)])
  }
}

function x402Header(headers: Headers): Write {
  const offer = JSON.parse(decode(headers.get('payment-required') ?? '', 'base64')) as X402Offer
  const { resource, accepts } = offer
  return ({ channelId, terms: channelConfig, amount, signature }) => {
    const voucher = { channelId, maxClaimableAmount: amount, signature }
    const payload = { type: 'voucher', channelConfig, voucher }
    return ['Payment-Signature', encode({ x402Version: 2, payload, resource, accepted: accepts[0] }, 'base64')]
  }
}

type X402Offer = { readonly resource: unknown; readonly accepts: readonly unknown[] }

function mppxHeader(headers: Headers, { domain }: PeerFacts): Write {
  const line = headers.get('www-authenticate') ?? ''
  const challenge = Object.fromEntries(
    [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']): [string, string] => [name, value]),
  )
  return ({ channelId, terms: descriptor, amount, signature }, index) => {
    const payload = { action: 'voucher', channelId, descriptor, cumulativeAmount: amount, signature }
    const source = `did:pkh:eip155:${domain.chainId}:${addressOfKey(keyNumber(index))}`
    return ['Authorization', `Payment ${encode({ challenge, source, payload }, 'base64url')}`]
  }
}

function encode(value: object, encoding: BufferEncoding): string {
  return Buffer.from(JSON.stringify(value)).toString(encoding)
}

function decode(text: string, encoding: BufferEncoding): string {
  return Buffer.from(text, encoding).toString()
}
