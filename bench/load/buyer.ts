/** Buyers of our own rails: requests as bytes, signed before any clock starts. */
import type { Address } from 'viem'
import { addressOfKey, sign } from '../../src/base/secp256k1.ts'
import { payment } from '../../src/rails.ts'
import type { Channel } from '../../src/channel/channel.ts'
import type { HeaderLines } from '../../src/dialect/dialect.ts'
import type { Offer } from '../../src/channel/messages.ts'
import { railOf } from '../servers/shop.ts'
import { FREE, PAID } from '../servers/listeners.ts'
import { channelOf, keyNumber, PRICE, REALM, SECRET, type RailName, type World } from '../world.ts'

/** Makes the request of buyer number `index` whose voucher authorizes `cumulativeAmount`. */
export type Buyer = (index: number, cumulativeAmount: bigint) => Buffer

/** The same, as header lines. */
export type Wallet = (index: number, cumulativeAmount: bigint) => HeaderLines

export const freeRequest = requestOf(FREE, [])

export function buyerOf(rail: RailName, world: World): Buyer {
  const pay = walletOf(rail, world)
  return (index, cumulativeAmount) => requestOf(PAID, pay(index, cumulativeAmount))
}

export function walletOf(rail: RailName, world: World): Wallet {
  const { dialect, digest } = railOf(rail, world)
  const known = new Map<number, { key: `0x${string}`; sender: Address; channel: Channel; offer: Offer }>()
  const buyerNumber = (index: number) => {
    const key = keyNumber(index)
    const sender = addressOfKey(key)
    const channel = channelOf(rail, world, sender, index)
    const buyer = { key, sender, channel, offer: offerOf(rail, world, index) }
    known.set(index, buyer)
    return buyer
  }
  return (index, cumulativeAmount) => {
    const { key, sender, channel, offer } = known.get(index) ?? buyerNumber(index)
    const voucher = { cumulativeAmount, signature: sign(digest(channel, cumulativeAmount), key) }
    const named = rail === 'payment' ? { channelId: channel.id } : { terms: channel.terms }
    return dialect.writePayment(offer, { ...named, sender, voucher })
  }
}

/** Longer than any run, as the server has it. */
const DAY_MS = 86_400_000

/** As a server of ours would make it for each buyer: at a second of its own, so that no two are equal. */
function offerOf(rail: RailName, world: World, index: number): Offer {
  const { chainId, token, receiver, escrows } = world
  const place = { price: PRICE, token, receiver, chainId, escrow: escrows[rail] }
  if (rail === 'rdn') return place
  const dialect = payment({ realm: REALM, secrets: [SECRET] })
  const expiresAtMs = Date.now() + DAY_MS + index * 1000
  const lines = dialect.writeOffer({ ...place, deposit: PRICE * 100n, expiresAtMs, resource: `GET ${PAID}` })
  const [offer] = dialect.readOffers({ get: (name) => lineOf(lines, name) }, chainId)
  if (!offer) throw new Error('an offer of ours cannot be read')
  return offer
}

export function requestOf(path: string, lines: HeaderLines): Buffer {
  const head = [`GET ${path} HTTP/1.1`, 'Host: bench.test', ...lines.map(([name, value]) => `${name}: ${value}`)]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
}

function lineOf(lines: HeaderLines, wanted: string): string | undefined {
  return lines.find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1]
}
