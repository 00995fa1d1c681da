/** Buyers of the peers' protocols. */
import type { Buyer } from './buyer.ts'

export type PeerName = 'x402' | 'mppx'

export function peerBuyer(name: PeerName, port: number, channels: number): Promise<Buyer> {
  throw new Error(`${name} ${port} ${channels}`)
}
