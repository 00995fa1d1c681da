/** What is said of channels: to those whose they are, and what the chain shows of them to everybody. */
import type { Address } from 'viem'
import { ChannelNotFoundError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import type { Channel } from '../channel/channel.ts'
import type { Question } from '../escrow/proof.ts'
import { getByOpening, type Opening } from '../receiver/admin.ts'
import { verifyProof } from '../receiver/prove.ts'
import { ok, RefusedError, type Answer } from './answer.ts'
import { inTurns, type Book } from './books.ts'
import type { Gateway } from './context.ts'
import { writeJson } from './json.ts'
import { proofIn } from './request.ts'
import type { Visit } from './route.ts'
import { detailOf, NOT_ASKED, openBlockOf, pendingDetailOf, stateOf, summaryOf, type Sight } from './view.ts'

/** `opened` is another word for `open`. */
export const STATUSES = ['open', 'opened', 'closed', 'all'] as const
type Status = (typeof STATUSES)[number]

export function redirectToList({ path }: Gateway, { query }: Visit): Answer {
  const more = query.size > 0 ? `?${query.toString()}` : ''
  return { status: 308, headers: [['Location', `${path}/channels/${more}`]], body: '' }
}

/** All senders with the blocks of their channels. */
export async function listSenders({ books }: Gateway, { query, administrator }: Visit): Promise<Answer> {
  const status = statusIn(query)
  const sight: Sight = administrator ? 'everything' : 'what the chain shows'
  const book = await books.recent()
  const name = `${status} ${sight}`
  const text = book.texts.get(name) ?? writeSenders(book, status, sight)
  book.texts.set(name, text)
  return { ...ok([]), body: await text }
}

/** One sender's channels. @throws {MalformedPaymentError} | {@link InvalidSignatureError} */
export async function listOfSender(gateway: Gateway, visit: Visit): Promise<Answer> {
  const sender = read.address(visit.params.sender, 'sender')
  const status = statusIn(visit.query)
  const sight = sightOf(gateway, visit, { ask: 'list', sender, receiver: gateway.receiver.address }, sender)
  const { bySender } = await gateway.books.recent()
  const wanted = (bySender.get(sender)?.channels ?? []).filter((channel) => isWanted(channel, status, sight))
  return ok(wanted.map((channel) => summaryOf(channel, sight)))
}

/** One channel. @throws {ChannelNotFoundError} | {@link MalformedPaymentError} | {@link InvalidSignatureError} */
export async function showChannel(gateway: Gateway, visit: Visit): Promise<Answer> {
  const opening = openingIn(visit)
  const { channel, pending } = await getByOpening(gateway.receiver, gateway.rail, opening)
  if (channel) {
    const sight = sightOf(gateway, visit, { ask: 'read', channelId: channel.id }, channel.signer)
    return ok(detailOf(channel, { settleTimeout: await settleTimeoutOf(gateway, channel), pending }, sight))
  }
  if (!pending) throw new ChannelNotFoundError()
  return ok(pendingDetailOf(opening, gateway.receiver.address, pending))
}

/** @throws {MalformedPaymentError} | {@link ChannelNotFoundError} for a block that cannot be one */
export function openingIn({ params }: Visit): Opening {
  const sender = read.address(params.sender, 'sender')
  const openBlock = Number(params.block)
  if (openBlock >= 2 ** 32) throw new ChannelNotFoundError()
  return { sender, openBlock }
}

/** Whether a proof is there, of exactly this question. @throws {MalformedPaymentError} | {@link InvalidSignatureError} */
export function isProven({ rail, now }: Gateway, { request }: Visit, question: Question, signer: Address): boolean {
  const proof = proofIn(request)
  if (proof) verifyProof(question, proof, { signer, at: rail, nowMs: now() })
  return proof !== undefined
}

function sightOf(gateway: Gateway, visit: Visit, question: Question, signer: Address): Sight {
  const proven = isProven(gateway, visit, question, signer)
  return proven || visit.administrator ? 'everything' : 'what the chain shows'
}

async function writeSenders({ bySender }: Book, status: Status, sight: Sight): Promise<string> {
  const items: string[] = []
  await inTurns(bySender.values(), ({ name, channels }) => {
    const blocks = channels.filter((channel) => isWanted(channel, status, sight)).map(openBlockOf)
    if (blocks.length > 0) items.push(writeJson({ sender_address: name, blocks }))
  })
  return `[${items.join(',')}]\n`
}

function isWanted(channel: Channel, status: Status, sight: Sight): boolean {
  return status === 'all' || (stateOf(channel, sight) === 'closed') === (status === 'closed')
}

function statusIn(query: URLSearchParams): Status {
  const given = query.get('status') ?? 'open'
  const status = STATUSES.find((known) => known === given)
  if (!status) throw new RefusedError(400, `The status is not known. Use one of ${STATUSES.join(', ')}.`)
  return status
}

/** The block after which a sender that has asked to close may go; null where that cannot be said. */
async function settleTimeoutOf({ facts }: Gateway, channel: Channel): Promise<bigint | null> {
  if (channel.status === 'open') return NOT_ASKED
  if (channel.status === 'closed') return null
  const { withdrawableAt, block } = channel
  if (withdrawableAt) return 'block' in withdrawableAt ? withdrawableAt.block - 1n : null
  // Nothing else can happen to it once its close is requested, so it was seen last in the block of the request.
  const period = await facts.challengeBlocks()
  return period === undefined ? null : block + period
}
