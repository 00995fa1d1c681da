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
import type { Context } from './context.ts'
import type { Found } from './find.ts'
import type { Admission, Ask } from './ask.ts'
import { createSale, plainEnding, type Ending } from './sale.ts'

/** One request of one channel. */
export type RequestId = { readonly name: string; readonly fingerprint: string; readonly repeatable: boolean }

/** What is filed about a request: charged and under way, charged and answered, or failed and given back. */
export type Delivery = {
  readonly fingerprint: string
  readonly state: 'begun' | 'answered' | 'given back'
  readonly price: string
  readonly answer?: { readonly status: number; readonly headers: HeaderLines; readonly body: string }
}

/** Prefix of the names of these records. */
export const RECORDS = 'once:'

/** undefined for a request without an Idempotency-Key. @throws {MalformedPaymentError} | {@link BodyTooLargeError} */
export async function identifyRequest(receiver: Context, ask: Ask, channel: Channel): Promise<RequestId | undefined> {
  const key = ask.headers.get('idempotency-key')
  if (key === null || key === undefined) return undefined
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new MalformedPaymentError('Idempotency-Key', 'is not 1 to 255 printable ASCII characters')
  }
  const body = createHash('sha256')
    .update(await ask.body(receiver.limits.bodyBytes))
    .digest('base64url')
  const fingerprint = createHash('sha256').update(`${ask.method}\n${ask.target}\n${body}`).digest('base64url')
  const repeatable = ask.repeatable === true || ask.method === 'GET' || ask.method === 'HEAD'
  return { name: `${RECORDS}${channel.key}:${key}`, fingerprint, repeatable }
}

/**
 * What became of this request before; undefined if nothing was charged for it. Waits while it runs here.
 *
 * @throws {RequestConflictError} if the key was used for another request
 */
export async function recall(
  { store, live }: Context,
  { name, fingerprint }: RequestId,
): Promise<Delivery | undefined> {
  await live.running.get(name)
  const record = await store.readRecord(name)
  if (record === undefined) return undefined
  const delivery = ownRecord<Delivery>(record)
  if (delivery.fingerprint !== fingerprint) throw new RequestConflictError()
  return delivery.state === 'given back' ? undefined : delivery
}

export type Order = {
  readonly found: Found
  readonly payment: Payment
  readonly price: bigint
  readonly request: RequestId | undefined
  readonly past: Delivery | undefined
  /** Asked for only when something is charged; the change charges the price, or throws. */
  readonly buy: () => Change
}

/** Charges and admits a request, or gives again the answer that it had. */
export async function sellOnce(receiver: Context, order: Order): Promise<Admission> {
  const { found, payment, price, request, past, buy } = order
  if (!request) {
    const channel = await receiver.store.update(found.channel.key, buy())
    const sold = { ...found, channel }
    return { sale: createSale(receiver, sold, payment, price, plainEnding(receiver, sold)) }
  }
  if (past?.state === 'answered') return { answer: again(past) }
  if (past && !request.repeatable) throw new RequestInterruptedError()
  if (receiver.live.running.has(request.name)) {
    return sellOnce(receiver, { ...order, past: await recall(receiver, request) })
  }
  const done = begin(receiver, request)
  try {
    const channel = past ? found.channel : await chargeOnce(receiver, order, request)
    const sold = { ...found, channel }
    const paid = past ? BigInt(past.price) : price
    return { sale: createSale(receiver, sold, payment, paid, recordedEnding(receiver, sold, request, paid, done)) }
  } catch (error) {
    done()
    throw error
  }
}

/** Marks the request as running here, synchronously, so that its twin waits. Returns what ends that. */
function begin({ live }: Context, { name }: RequestId): () => void {
  let resolve: () => void = () => undefined
  live.running.set(name, new Promise<void>((done) => (resolve = done)))
  return () => {
    live.running.delete(name)
    resolve()
  }
}

function chargeOnce(
  { store }: Context,
  { found, price, buy }: Order,
  { name, fingerprint }: RequestId,
): Promise<Channel> {
  const begun: Delivery = { fingerprint, state: 'begun', price: `${price}` }
  const change = buy()
  return store.updateWithRecord(found.channel.key, name, (now, record) => {
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
  const { name, fingerprint } = request
  let failed = false
  return {
    keeps: true,
    giveBack: (amount, all) => {
      failed = all
      const delivery: Delivery = { fingerprint, state: all ? 'given back' : 'begun', price: `${price - amount}` }
      return store.updateWithRecord(channel.key, name, (now) => ({
        channel: refund(now ?? channel, amount),
        record: JSON.stringify(delivery),
      }))
    },
    keep: async (ended) => {
      try {
        if (!failed && ended !== 'broken off') await store.writeRecord(name, () => JSON.stringify(answered(ended)))
      } catch (error) {
        log('error', 'answer-not-kept', { message: messageOf(error) })
      } finally {
        done()
      }
    },
  }
  function answered(ended: Answer | 'too long'): Delivery {
    return { fingerprint, state: 'answered', price: `${price}`, ...(ended !== 'too long' && { answer: kept(ended) }) }
  }
}

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date', 'trailer', 'upgrade'])

function kept({ status, headers, body }: Answer) {
  const end = headers.filter(([name]) => !hopByHop.has(name.toLowerCase()))
  return { status, headers: end, body: Buffer.from(body).toString('base64') }
}

function again({ answer }: Delivery): Answer {
  if (!answer) throw new AnswerGoneError()
  const body = Buffer.from(answer.body, 'base64')
  return { status: answer.status, headers: [...answer.headers, ['Idempotency-Replayed', 'true']], body }
}
