/**
 * Tells alarms to another machine: one signed POST for each.
 *
 * It waits for nobody and nobody waits for it. What cannot be delivered is tried
 * again, less and less often, and given up with a line in the log: an alarm that
 * goes on is told again anyhow. Whoever receives it checks the signature and the
 * time, and takes the same id once.
 *
 * @see Standard Webhooks 1.0, https://www.standardwebhooks.com
 */
import { createHmac, randomUUID } from 'node:crypto'
import { ConfigError } from '../base/faults.ts'
import { messageOf, type Log } from '../base/log.ts'
import { idle, pause } from '../chain/pause.ts'
import { alarmLevels, runbookOf, type AlarmNews, type AlarmSink } from './alarm.ts'

export type AlarmWebhookConfig = {
  /** `https:`, or `http:` on this machine. */
  readonly url: string
  /** Signs. `whsec_` and base64, or a text of at least 24 bytes. */
  readonly secret: string
  /** Which program says so, where several tell the same place. */
  readonly source: string
  readonly log: Log
  /** Wait before the second attempt; each further one waits twice as long, up to five minutes. Default: 1,000. */
  readonly retryMs?: number
  /** Attempts of each, the first one too. Default: 10, which is some 13 minutes. */
  readonly attempts?: number
  /** How long one attempt may take. Default: 10,000. */
  readonly timeoutMs?: number
}

export type AlarmWebhook = {
  readonly sink: AlarmSink
  /** Tries what is waiting once more, for at most as long as one attempt may take, and ends. */
  stop(): Promise<void>
}

type Post = { readonly id: string; readonly body: string }

/** What waits at most; the oldest is given up for the newest. */
const MOST_WAITING = 1_000
const MOST_PAUSE_MS = 300_000

/** @throws {ConfigError} naming the setting that is wrong */
export function createAlarmWebhook(config: AlarmWebhookConfig): AlarmWebhook {
  const { log, source, retryMs = 1_000, attempts = 10, timeoutMs = 10_000 } = config
  const url = placeOf(config.url)
  const key = keyOf(config.secret)
  const stopping = new AbortController()
  const waiting: Post[] = []
  let work: Promise<void> | undefined

  async function deliver(post: Post): Promise<void> {
    for (let attempt = 1, pauseMs = retryMs; ; attempt += 1, pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS)) {
      const why = await send(url, key, post, timeoutMs)
      if (why === undefined) return
      if (attempt >= attempts || stopping.signal.aborted) {
        log('error', 'alarm-not-delivered', { to: url.origin, attempts: attempt, message: why })
        return
      }
      await pause(pauseMs, stopping.signal)
    }
  }

  async function deliverAll(): Promise<void> {
    for (let post = waiting.shift(); post; post = waiting.shift()) await deliver(post)
    work = undefined
  }

  return {
    sink: (news) => {
      waiting.push({ id: randomUUID(), body: bodyOf(news, source) })
      if (waiting.length > MOST_WAITING) waiting.shift()
      work ??= deliverAll()
    },
    stop: async () => {
      stopping.abort()
      await Promise.race([work, idle(timeoutMs)])
      waiting.length = 0
    },
  }
}

/** The value of the header `webhook-signature`. `seconds` since 1970. */
export function signatureOf(key: Buffer, { id, body }: Post, seconds: number): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
}

/** The bytes that a secret stands for. @throws {ConfigError} */
export function keyOf(secret: string): Buffer {
  const text = secret.trim()
  const key = text.startsWith('whsec_') ? Buffer.from(text.slice(6), 'base64') : Buffer.from(text, 'utf8')
  if (key.length >= 24) return key
  throw new ConfigError('secret', 'is shorter than 24 bytes. `openssl rand -base64 32` makes one')
}

/** @throws {ConfigError} */
function placeOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHere = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (url?.username || url?.password) throw new ConfigError('url', 'holds a name or a password. Leave them out')
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere)) return url
  throw new ConfigError('url', 'use an https URL; http only on this machine')
}

function bodyOf({ name, subject, message, facts, sinceMs, state, atMs }: AlarmNews, source: string): string {
  const data = { name, state, level: alarmLevels[name], subject, message, facts, page: runbookOf(name), source }
  const [timestamp, since] = [atMs, sinceMs].map((ms) => new Date(ms).toISOString())
  return JSON.stringify({ type: `alarm.${state.replace(' ', '_')}`, timestamp, data: { ...data, since } })
}

/** undefined: it was taken. Otherwise why not. The time is that of the attempt, so that an old one is no replay. */
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
