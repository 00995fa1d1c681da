/**
 * The same request is charged once and run once.
 *
 * A request is named by its channel and its `Idempotency-Key`, whatever offer
 * it answers, so a retry is known after the offer expired and after a restart.
 * The record is in the same commit as the charge. A retry that finds the first
 * run still under way here waits for it.
 *
 * After a crash in the middle a safe method runs again on the charge already
 * made; another one is told so, unless its route is `repeatable`.
 */
import { createHash } from 'node:crypto'
import {
  AnswerGoneError,
  MalformedPaymentError,
  RequestConflictError,
  RequestInterruptedError,
} from '../base/errors.ts'
import { ownRecord } from '../base/read.ts'
import { messageOf } from '../base/log.ts'
import type { Channel } from '../channel/channel.ts'
import { refund } from '../channel/ledger.ts'
import type { Payment } from '../channel/messages.ts'
import type { HeaderLines } from '../dialect/dialect.ts'
import type { Change } from '../store/store.ts'
import type { Answer } from './answer.ts'
import { ANSWERS, keepAnswer, readAnswer } from './answers.ts'
import type { Context } from './context.ts'
import type { Found } from './find.ts'
import type { Admission, Ask } from './ask.ts'
import { createSale, plainEnding, type Ending } from './sale.ts'

/** One request of one channel. `id`: its channel and its key, whatever their length. */
export type RequestId = { readonly id: string; readonly fingerprint: string; readonly repeatable: boolean }

/**
 * What is filed about a request: charged, or failed and given back. Its answer is a record of its own, which goes
 * earlier; so nothing has to be written here when there is one.
 */
export type Delivery = {
  readonly fingerprint: string
  readonly state: 'begun' | 'given back'
  readonly price: string
  /** When it was charged, in milliseconds since 1970. */
  readonly atMs: number
}

/** Prefix of the names of these records. */
const DELIVERIES = 'once:'

/** Whether the request has an Idempotency-Key. */
export function isNamed({ headers }: Ask): boolean {
  return typeof headers.get('idempotency-key') === 'string'
}

/** @throws {MalformedPaymentError} for a key that is not one. @throws {BodyTooLargeError} */
export async function identifyRequest(receiver: Context, ask: Ask, channel: Channel): Promise<RequestId> {
  const key = ask.headers.get('idempotency-key') ?? ''
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new MalformedPaymentError('Idempotency-Key', 'is not 1 to 255 printable ASCII characters')
  }
  const body = await ask.body(receiver.limits.bodyBytes)
  const repeatable = ask.repeatable === true || ask.method === 'GET' || ask.method === 'HEAD'
  // A method and a target hold no line break, so nothing else gives the same bytes.
  const fingerprint = digestOf(`${ask.method}\n${ask.target}\n`, body)
  return { id: digestOf(`${channel.key}\n${key}`), fingerprint, repeatable }
}

function digestOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('base64url')
}

/** Forgets what has been kept long enough: answers first, later that there was a request. */
export async function forget({ store, limits }: Context): Promise<void> {
  await store.expireRecords(ANSWERS, Date.now() - limits.answerMs)
  await store.expireRecords(DELIVERIES, Date.now() - limits.requestMs)
}

/**
 * What became of this request before; undefined if nothing was charged for it. Waits while it runs here.
 *
 * @throws {RequestConflictError} if the key was used for another request
 */
export async function recall({ store, live }: Context, { id, fingerprint }: RequestId): Promise<Delivery | undefined> {
  await live.running.get(id)
  const record = await store.readRecord(nameOf(id))
  if (record === undefined) return undefined
  const delivery = ownRecord<Delivery>(record)
  if (delivery.fingerprint !== fingerprint) throw new RequestConflictError()
  return delivery.state === 'given back' ? undefined : delivery
}

export type Order = {
  readonly found: Found
  readonly payment: Payment
  readonly price: bigint
  readonly renewal: HeaderLines
  readonly request: RequestId | undefined
  readonly past: Delivery | undefined
  /** Asked for only when something is charged; the change charges the price, or throws. */
  readonly buy: () => Change
}

/** Charges and admits a request, or gives again the answer that it had. */
export async function sellOnce(receiver: Context, order: Order): Promise<Admission> {
  const { found, payment, price, renewal, request, past, buy } = order
  if (!request) {
    const channel = await receiver.store.update(found.channel.key, buy())
    const sold = { ...found, channel }
    return { sale: createSale(receiver, { ...sold, payment, price, renewal }, plainEnding(receiver, sold)) }
  }
  const answer = past && (await answerTo(receiver, request, past))
  if (answer) return { answer }
  if (receiver.live.running.has(request.id)) {
    return sellOnce(receiver, { ...order, past: await recall(receiver, request) })
  }
  const done = begin(receiver, request)
  try {
    const channel = past ? found.channel : await chargeOnce(receiver, order, request)
    const sold = { ...found, channel }
    const paid = past ? BigInt(past.price) : price
    const ending = recordedEnding(receiver, sold, request, paid, done)
    return { sale: createSale(receiver, { ...sold, payment, price: paid, renewal }, ending) }
  } catch (error) {
    done()
    throw error
  }
}

/**
 * The answer that it had; undefined where it was cut off and may run again.
 *
 * @throws {AnswerGoneError} | {@link RequestInterruptedError}
 */
async function answerTo(receiver: Context, request: RequestId, { atMs }: Delivery): Promise<Answer | undefined> {
  const answer = await readAnswer(receiver, request.id)
  if (answer) return answer
  // Whether it was answered is not known any more.
  if (Date.now() - atMs > receiver.limits.answerMs) throw new AnswerGoneError()
  if (!request.repeatable) throw new RequestInterruptedError()
  return undefined
}

/** Marks the request as running here, synchronously, so that its twin waits. Returns what ends that. */
function begin({ live }: Context, { id }: RequestId): () => void {
  let resolve: () => void = () => undefined
  live.running.set(id, new Promise<void>((done) => (resolve = done)))
  return () => {
    live.running.delete(id)
    resolve()
  }
}

function chargeOnce(
  { store }: Context,
  { found, price, buy }: Order,
  { id, fingerprint }: RequestId,
): Promise<Channel> {
  const begun: Delivery = { fingerprint, state: 'begun', price: `${price}`, atMs: Date.now() }
  const change = buy()
  return store.updateWithRecord(found.channel.key, nameOf(id), (now, record) => {
    // Another process took this request between our look and now: its client has to ask again.
    if (record !== undefined && ownRecord<Delivery>(record).state !== 'given back') throw new RequestInterruptedError()
    return { channel: change(now), record: JSON.stringify(begun) }
  })
}

function recordedEnding(
  receiver: Context,
  { channel }: Found,
  request: RequestId,
  price: bigint,
  done: () => void,
): Ending {
  const { store, log } = receiver
  const { id, fingerprint } = request
  let failed = false
  let givingBack: Promise<unknown> | undefined
  return {
    keeps: true,
    retries: request.repeatable,
    giveBack: (amount, all) => {
      failed = all
      const state = all ? 'given back' : 'begun'
      const delivery: Delivery = { fingerprint, state, price: `${price - amount}`, atMs: Date.now() }
      givingBack = store.updateWithRecord(channel.key, nameOf(id), (now) => ({
        channel: refund(now ?? channel, amount),
        record: JSON.stringify(delivery),
      }))
      return givingBack
    },
    keep: async (ended) => {
      try {
        // A twin that waits must find what became of the charge: not one that is being given back.
        await givingBack?.catch(() => undefined)
        if (!failed && ended !== 'broken off') await keepAnswer(receiver, id, ended)
      } catch (error) {
        log('error', 'answer-not-kept', { message: messageOf(error) })
      } finally {
        done()
      }
    },
  }
}

function nameOf(id: string): string {
  return `${DELIVERIES}${id}`
}
