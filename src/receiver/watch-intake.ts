/**
 * Takes the vouchers that a server sends to a watcher.
 *
 * Whoever knows the secret may say what was charged, but nobody can make the
 * watcher keep a voucher that the contract would not honour: each is verified
 * against the channel as the chain has it, before it is kept.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { MalformedPaymentError } from '../base/errors.ts'
import * as read from '../base/read.ts'
import { messageOf } from '../base/log.ts'
import { channelKey, type ChannelKey, type Voucher } from '../channel/channel.ts'
import { isSigned, keyOf } from './alarm-post.ts'

/** What a server knows of a channel and the chain does not. */
export type Ledger = {
  readonly key: ChannelKey
  readonly voucher?: Voucher
  readonly charged: bigint
  readonly closeAgreed?: bigint
}

/** Keeps what holds. Resolves when that is durable. */
export type TakeLedgers = (ledgers: readonly Ledger[]) => Promise<void>

const MOST_BYTES = 1_048_576

/** @throws {ConfigError} for a secret that is too short */
export function createIntake(
  secret: string,
  take: TakeLedgers,
): (request: IncomingMessage, response: ServerResponse) => void {
  const key = keyOf(secret)
  return (request, response) => {
    answer(request, key, take).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(),
    )
  }
}

async function answer(request: IncomingMessage, key: Buffer, take: TakeLedgers): Promise<number> {
  if (request.method !== 'POST') return 405
  const body = await bodyOf(request)
  if (body === undefined) return 413
  if (!isSigned(key, request.headers, body)) return 401
  try {
    await take(readLedgers(body))
    return 204
  } catch (error) {
    if (error instanceof MalformedPaymentError) return 400
    throw new Error(messageOf(error), { cause: error })
  }
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk))
    bytes += part.length
    if (bytes > MOST_BYTES) return undefined
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** @throws {MalformedPaymentError} */
function readLedgers(body: string): Ledger[] {
  const vouchers = read.member(read.jsonObject(body, 'body'), 'vouchers')
  if (!Array.isArray(vouchers)) throw new MalformedPaymentError('vouchers', 'is not a list')
  return vouchers.map((one) => readLedger(read.object(one, 'voucher')))
}

function readLedger(one: read.JsonObject): Ledger {
  const [, chainId, escrow, id] =
    /^eip155:(\d{1,15}):(0x[0-9a-f]{40}):(0x[0-9a-f]{64})$/.exec(read.text(read.member(one, 'channel'), 'channel')) ??
    []
  if (!chainId) throw new MalformedPaymentError('channel', 'is not a channel')
  const cumulativeAmount = read.uint(read.member(one, 'cumulativeAmount'), 'cumulativeAmount', 192)
  const closeAgreed = read.optional(read.member(one, 'closeAgreed'), 'closeAgreed', (value, field) =>
    read.uint(value, field, 192),
  )
  return {
    key: channelKey(Number(chainId), read.address(escrow, 'channel'), read.hash(id, 'channel')),
    charged: read.uint(read.member(one, 'charged'), 'charged', 192),
    ...(cumulativeAmount > 0n && {
      voucher: { cumulativeAmount, signature: read.signature(read.member(one, 'signature'), 'signature') },
    }),
    ...(closeAgreed !== undefined && { closeAgreed }),
  }
}
