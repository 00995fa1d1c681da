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
import { randomUUID } from 'node:crypto'
import type { Log } from '../base/log.ts'
import { idle, pause } from '../chain/pause.ts'
import { alarmLevels, runbookOf, type AlarmNews, type AlarmSink } from './alarm.ts'
import { createPostOffice, type Post } from './alarm-post.ts'

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

/** What waits at most; the oldest is given up for the newest. */
const MOST_WAITING = 1_000
const MOST_PAUSE_MS = 300_000

/** @throws {ConfigError} naming the setting that is wrong */
export function createAlarmWebhook(config: AlarmWebhookConfig): AlarmWebhook {
  const { log, source, retryMs = 1_000, attempts = 10, timeoutMs = 10_000 } = config
  const office = createPostOffice(config.url, config.secret, timeoutMs)
  const stopping = new AbortController()
  const waiting: Post[] = []
  let work: Promise<void> | undefined

  async function deliver(post: Post): Promise<void> {
    for (let attempt = 1, pauseMs = retryMs; ; attempt += 1, pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS)) {
      const why = await office.send(post)
      if (why === undefined) return
      if (attempt >= attempts || stopping.signal.aborted) {
        log('error', 'alarm-not-delivered', { to: office.origin, attempts: attempt, message: why })
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

function bodyOf({ name, subject, message, facts, sinceMs, state, atMs }: AlarmNews, source: string): string {
  const data = { name, state, level: alarmLevels[name], subject, message, facts, page: runbookOf(name), source }
  const [timestamp, since] = [atMs, sinceMs].map((ms) => new Date(ms).toISOString())
  return JSON.stringify({ type: `alarm.${state.replace(' ', '_')}`, timestamp, data: { ...data, since } })
}
