/**
 * How a sender and its receiver close a µRaiden channel: the sender asks the
 * REST interface, gets the receiver's consent, and sends the transaction itself.
 */
import { getAddress } from 'viem'
import * as read from '../base/read.ts'
import type { Channel } from '../channel/channel.ts'
import type { Offer } from '../channel/messages.ts'
import type { Proof } from '../escrow/proof.ts'
import type { Closing } from './dialect.ts'
import { readSignature } from './rdn-fields.ts'

/** The header that proves who asks; the protocol of 2018 asked for no proof. */
export const PROOF_HEADER = 'RDN-Sender-Proof'

export const closing: Closing = {
  request: (offer, channel, amount, proof) => ({
    method: 'DELETE',
    path: `${gatewayOf(offer)}/channels/${getAddress(channel.sender)}/${openBlockOf(channel)}`,
    headers: [
      ['Content-Type', 'application/x-www-form-urlencoded'],
      [PROOF_HEADER, writeProof(proof)],
    ],
    body: `balance=${amount}`,
  }),
  readConsent: (body) =>
    readSignature(read.member(read.jsonObject(body, 'answer'), 'close_signature'), 'close_signature'),
}

/** `<valid until, in seconds since 1970> <signature>` */
export function writeProof({ validUntil, signature }: Proof): string {
  return `${validUntil} ${signature}`
}

/** @throws {MalformedPaymentError} */
export function readProof(header: string): Proof {
  const [until, signature, ...rest] = header.split(' ')
  return {
    validUntil: read.uint(until, PROOF_HEADER, 53),
    signature: readSignature(rest.length > 0 ? undefined : signature, PROOF_HEADER),
  }
}

function gatewayOf({ echo }: Offer): string {
  const path = read.member(read.object(echo, 'offer'), 'gatewayPath')
  return read.text(path, 'gatewayPath')
}

function openBlockOf({ terms }: Channel): string {
  return String(read.count(read.member(read.object(terms, 'terms'), 'openBlock'), 'openBlock'))
}
