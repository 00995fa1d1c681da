/** Payments of one rail as a server sees them after Node has read their headers, and the receiver that takes them. */
import { recoverAddress } from '../../src/base/secp256k1.ts'
import type { Channel, Voucher } from '../../src/channel/channel.ts'
import type { Ask } from '../../src/receiver/ask.ts'
import { admit } from '../../src/receiver/pay.ts'
import type { Tariff } from '../../src/receiver/price.ts'
import type { AnyRail } from '../../src/receiver/rail.ts'
import type { Receiver } from '../../src/receiver/receiver.ts'
import type { Sale } from '../../src/receiver/sale.ts'
import { memory } from '../../src/store/memory.ts'
import type { HeaderLines } from '../../src/dialect/dialect.ts'
import { walletOf } from '../load/buyer.ts'
import { PAID } from '../servers/listeners.ts'
import { receiverOf, seed } from '../servers/shop.ts'
import { channelsOf, PRICE, type RailName, type World } from '../world.ts'

export type Counter = {
  readonly rail: AnyRail
  readonly receiver: Receiver
  /** The next `count` payments, each with a voucher of its own. */
  next(count: number): Incoming[]
}

export type Incoming = {
  readonly ask: Ask
  readonly channel: Channel
  readonly voucher: Voucher
  readonly digest: Uint8Array
}

const tariff: Tariff = { price: PRICE, resource: `GET ${PAID}`, holds: true }
const CHANNELS = 64

export async function openCounter(name: RailName, world: World): Promise<Counter> {
  const store = memory()
  const channels = channelsOf(name, world, CHANNELS)
  await seed(store, channels)
  const receiver = receiverOf(name, world, store)
  await receiver.start()
  const [rail] = receiver.rails
  if (!rail) throw new Error('a receiver without a rail')
  const pay = walletOf(name, world)
  let made = 0
  const one = (): Incoming => {
    const index = made % CHANNELS
    const amount = BigInt(Math.floor(made / CHANNELS) + 1) * PRICE
    made += 1
    const channel = channels[index]
    const ask = askOf(pay(index, amount))
    const { voucher } = rail.dialect.readPayment(ask.headers)
    if (!channel || !voucher) throw new Error('a payment without a voucher')
    return { ask, channel, voucher, digest: rail.digest(channel, amount) }
  }
  return { rail, receiver, next: (count) => Array.from({ length: count }, one) }
}

/** Header bytes in, charge kept, receipt headers out. @throws if it is not admitted */
export async function takeOne(receiver: Receiver, { ask }: Incoming): Promise<Sale> {
  const admission = await admit(receiver, ask, tariff)
  if ('answer' in admission) throw new Error(`a payment was refused: ${String(admission.answer.body)}`)
  const { sale } = admission
  if (sale.headers(200).length === 0) throw new Error('a sale without a receipt')
  await sale.conclude(200)
  return sale
}

/** @throws unless the signature is the signer's */
export function checkSigner({ digest, voucher, channel }: Incoming): void {
  if (recoverAddress(digest, voucher.signature) !== channel.signer) throw new Error('a signature of somebody else')
}

/** Headers as `node:http` hands them over: an object with names in lower case. */
function askOf(lines: HeaderLines): Ask {
  const headers = Object.fromEntries(lines.map(([name, value]): [string, string] => [name.toLowerCase(), value]))
  return {
    method: 'GET',
    target: PAID,
    headers: { get: (name) => headers[name.toLowerCase()] },
    body: () => Promise.resolve(new Uint8Array()),
  }
}
