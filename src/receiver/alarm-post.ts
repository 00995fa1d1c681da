/**
 * Signed messages from one program of an operator to another, over HTTP.
 *
 * Whoever receives one checks the signature and the time, so that nobody else can write one, nor send an old one again
 * much later.
 *
 * @see Standard Webhooks 1.0, https://www.standardwebhooks.com
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ConfigError } from '../base/faults.ts'
import { messageOf } from '../base/log.ts'

export type Post = { readonly id: string; readonly body: string }

export type PostOffice = {
  /** Without path and query, which may hold a secret. */
  readonly origin: string
  /** undefined: it was taken. Otherwise why not. Never rejects. */
  send(post: Post): Promise<string | undefined>
}

/**
 * @param url `https:`, or `http:` on this machine
 * @param secret `whsec_` and base64, or a text of at least 24 bytes
 * @throws {ConfigError} naming the setting that is wrong
 */
export function createPostOffice(url: string, secret: string, timeoutMs: number): PostOffice {
  const place = placeOf(url)
  const key = keyOf(secret)
  return { origin: place.origin, send: (post) => send(place, key, post, timeoutMs) }
}

/** The bytes that a secret stands for. @throws {ConfigError} */
export function keyOf(secret: string): Buffer {
  const text = secret.trim()
  const key = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.from(text, 'utf8')
  if (key.length >= 24) return key
  throw new ConfigError('secret', 'is shorter than 24 bytes. `openssl rand -base64 32` makes one')
}

/** Seconds by which two clocks may differ, and a message may be late. */
const TOLERANCE_S = 300

/** Whether whoever has the key wrote this, of late. A message that came before may come again. */
export function isSigned(key: Buffer, headers: IncomingHttpHeaders, body: string, nowMs = Date.now()): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': shown } = headers
  if (typeof id !== 'string' || typeof time !== 'string' || typeof shown !== 'string') return false
  if (!/^\d{1,12}$/.test(time) || Math.abs(nowMs / 1_000 - Number(time)) > TOLERANCE_S) return false
  const expected = Buffer.from(signatureOf(key, { id, body }, Number(time)))
  return shown.split(' ').some((one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), expected))
}

/** The value of the header `webhook-signature`. `seconds` since 1970. */
function signatureOf(key: Buffer, { id, body }: Post, seconds: number): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** @throws {ConfigError} */
function placeOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHere = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (url?.username || url?.password) throw new ConfigError('url', 'holds a name or a password. Leave them out')
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)) return url
  throw new ConfigError('url', 'use an https URL; http only on this machine')
}

/** The time is that of the attempt, so that one that is tried again for long is not taken for an old one. */
async function send(url: URL, key: Buffer, post: Post, timeoutMs: number): Promise<string | undefined> {
  const seconds = Math.floor(Date.now() / 1_000)
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: post.body,
      headers: {
        'content-type': 'application/json',
        'webhook-id': post.id,
        'webhook-timestamp': `${seconds}`,
        'webhook-signature': signatureOf(key, post, seconds),
      },
      // Another place has not been trusted with it.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    return response.ok ? undefined : `it answers ${response.status}`
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error)
  }
}
