/**
 * A close that the receiver consents to and the sender sends to the chain: asked for at the receiver's REST
 * interface, with a proof of who asks.
 */
import type { Hash, Hex } from 'viem'
import { recoverAddress } from '../base/secp256k1.ts'
import { PaymentRefusedError } from '../base/spending.ts'
import { authorized, type Channel } from '../channel/channel.ts'
import { apply } from '../channel/events.ts'
import type { Offer } from '../channel/messages.ts'
import type { Mined } from '../chain/chain.ts'
import type { Closing, HeaderLines } from '../dialect/dialect.ts'
import { PROOF_SECONDS, proofDigest, type Proof } from '../escrow/proof.ts'
import { deploymentOf, signerOf, type AnyProtocol, type Context } from './context.ts'
import { readRefusal } from './refusal.ts'
import { signVoucher } from './spend.ts'

type Where = {
  /** Any address of the receiver. */
  readonly target: string | URL
  readonly closing: Closing
  /** What its offers said of the REST interface. */
  readonly echo: unknown
}

/** @throws {PaymentRefusedError} if the receiver does not consent to what we know to be charged */
export async function closeByConsent(
  context: Context,
  protocol: AnyProtocol,
  channel: Channel,
  { target, closing, echo }: Where,
): Promise<Hash> {
  const { escrow } = protocol
  const known = (await context.store.get(channel.key)) ?? channel
  const amount = chargedOf(known)
  const request = closing.request(offerOf(known, echo), known, amount, await prove(context, known, amount))
  const { method, path, headers, body } = request
  const response = await context.fetch(new URL(path, target), {
    method,
    headers: pairs(headers),
    body,
    redirect: 'manual',
  })
  await requireAgreed(response, protocol)
  const consent = closing.readConsent(await response.text())
  const digest = escrow.consent(known, amount)
  if (!digest || recoverAddress(digest, consent) !== known.receiver) {
    throw new PaymentRefusedError(response.status, "the receiver's consent does not have its signature", {})
  }
  const voucher = await signVoucher(context, known, amount)
  const mined = await send(context, protocol, { ...known, voucher }, amount, consent)
  return mined.hash
}

/** @throws {PaymentRefusedError} with what the receiver said */
export async function requireAgreed(response: Response, { dialect }: AnyProtocol): Promise<void> {
  const said = await readRefusal(response, dialect)
  if (!said && response.ok) return
  const text = said?.detail ?? ((await response.clone().text()).slice(0, 500) || response.statusText)
  await response.body?.cancel()
  throw new PaymentRefusedError(response.status, text, said?.details ?? {})
}

/** What the receiver may have charged, as far as it was authorized. */
export function chargedOf(channel: Channel): bigint {
  return channel.charged > authorized(channel) ? authorized(channel) : channel.charged
}

export function pairs(lines: HeaderLines): [string, string][] {
  return lines.map(([name, value]) => [name, value])
}

/** Puts into the store what a transaction of ours did to a channel. */
export async function file(
  { store }: Context,
  escrow: AnyProtocol['escrow'],
  channel: Channel,
  mined: Mined,
): Promise<void> {
  for (const log of mined.logs) {
    const event = escrow.event(log, deploymentOf(channel))
    if (event?.key === channel.key) await store.update(channel.key, (now) => apply(now ?? channel, event) ?? channel)
  }
}

async function send(
  context: Context,
  { escrow }: AnyProtocol,
  channel: Channel,
  amount: bigint,
  consent: Hex,
): Promise<Mined> {
  const call = escrow.calls.close(channel, amount, consent)
  const mined = await context.wallet.send(call, { abi: escrow.abi, confirmations: 1 })
  await file(context, escrow, channel, mined)
  return mined
}

async function prove(context: Context, channel: Channel, amount: bigint): Promise<Proof> {
  const validUntil = BigInt(Math.floor(Date.now() / 1000)) + PROOF_SECONDS
  const digest = proofDigest({ ask: 'close', channelId: channel.id, amount }, validUntil, deploymentOf(channel))
  const signer = signerOf(context, channel) ?? context.signers[0]
  return { validUntil, signature: await signer.sign(digest) }
}

/** As much of an offer as a request to close needs. */
function offerOf({ token, receiver, escrow, chainId }: Channel, echo: unknown): Offer {
  return { price: 0n, token, receiver, escrow, chainId, ...(echo !== undefined && { echo }) }
}
